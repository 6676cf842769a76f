"""How the operations of batches and notices are called, for the matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import world


def table(w: world.World) -> dict[str, Any]:
    """Return a table of one image."""
    return {"template": "count-things", "csv": f"uid,sigma\r\n{w.result},2\r\n"}


ROWS: dict[tuple[str, str], Callable[[world.World], tuple[str, Any]]] = {
    ("GET", "batches"): lambda w: ("batches", None),
    ("POST", "batches"): lambda w: ("batches", table(w) | {"project": w.project}),
    ("POST", "batches/preview"): lambda w: ("batches/preview", table(w)),
    ("GET", "batches/{batch}"): lambda w: (f"batches/{w.batch}", None),
    ("GET", "notices"): lambda w: ("notices", None),
    ("POST", "notices/read"): lambda w: ("notices/read", {}),
    ("PUT", "notices/mail"): lambda w: ("notices/mail", {"mail": "none"}),
}
RUN_REFUSED = {
    ("POST", "batches"),
    ("POST", "batches/preview"),
    ("POST", "notices/read"),
    ("PUT", "notices/mail"),
}
