"""How runs and batches are steered, limits set and the night watched, for the matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import world

LIMITS = {"share": None, "batches": None, "runs": None}

ROWS: dict[tuple[str, str], Callable[[world.World], tuple[str, Any]]] = {
    ("POST", "runs/{run}/pause"): lambda w: (f"runs/{w.waits}/pause", None),
    ("POST", "runs/{run}/resume"): lambda w: (f"runs/{w.waits}/resume", None),
    ("POST", "runs/{run}/retry"): lambda w: (f"runs/{w.failed}/retry", None),
    ("POST", "batches/{batch}/cancel"): lambda w: (f"batches/{w.waits}/cancel", None),
    ("POST", "batches/{batch}/pause"): lambda w: (f"batches/{w.waits}/pause", None),
    ("POST", "batches/{batch}/priority"): lambda w: (
        f"batches/{w.waits}/priority",
        {"priority": -1},
    ),
    ("POST", "batches/{batch}/resume"): lambda w: (f"batches/{w.waits}/resume", None),
    ("POST", "batches/{batch}/retry"): lambda w: (f"batches/{w.failed}/retry", None),
    ("GET", "health"): lambda w: ("health", None),
    ("GET", "limits"): lambda w: ("limits", None),
    ("PUT", "limits"): lambda w: ("limits", LIMITS),
    ("GET", "teams/{team}/limits"): lambda w: (f"teams/lab-{w.project}/limits", None),
    ("PUT", "teams/{team}/limits"): lambda w: (f"teams/lab-{w.project}/limits", LIMITS),
}
RUN_REFUSED = {
    ("GET", "health"),
    ("GET", "limits"),
    ("PUT", "limits"),
    ("PUT", "teams/{team}/limits"),
}
