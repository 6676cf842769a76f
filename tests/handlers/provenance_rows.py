"""How the operations about provenance are called, for the matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import world

ROWS: dict[tuple[str, str], Callable[[world.World], tuple[str, Any]]] = {
    ("GET", "runs/{run}/provenance"): lambda w: (f"runs/{w.run}/provenance", None),
    ("GET", "runs/{run}/crate"): lambda w: (f"runs/{w.run}/crate", None),
    ("GET", "batches/{batch}/crate"): lambda w: (f"batches/{w.batch}/crate", None),
    ("GET", "keys"): lambda w: ("keys", None),
}
RUN_MAY = {  # of itself
    ("GET", "runs/{run}/provenance"),
    ("GET", "runs/{run}/crate"),
    ("GET", "batches/{batch}/crate"),
}
