"""How the operations of templates are called, for the matrix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import world

PUBLISH = {"manifest": world.MANIFEST, "notebook": world.NOTEBOOK}
ONE = "templates/count-things/versions/1.0.0"

ROWS: dict[tuple[str, str], Callable[[world.World], tuple[str, Any]]] = {
    ("GET", "templates"): lambda w: ("templates", None),
    ("POST", "templates"): lambda w: ("templates", PUBLISH),
    ("GET", "templates/{template}"): lambda w: ("templates/count-things", None),
    ("GET", "templates/{template}/schema"): lambda w: ("templates/count-things/schema", None),
    ("GET", "templates/{template}/versions"): lambda w: ("templates/count-things/versions", None),
    ("GET", "templates/{template}/versions/{number}"): lambda w: (ONE, None),
    ("GET", "templates/{template}/versions/{number}/diff"): lambda w: (f"{ONE}/diff", None),
    ("POST", "templates/{template}/versions/{number}/withdraw"): lambda w: (
        f"templates/{w.template}/versions/10.10.10/withdraw",
        {"reason": "a test"},
    ),
    ("POST", "templates/{template}/promote"): lambda w: (f"templates/{w.own}/promote", {}),
}
RUN_REFUSED = set(ROWS)  # a worker is given its own template's notebook, and nothing else
