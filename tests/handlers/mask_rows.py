"""How the operations of masks are called, for the matrix."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import world

unique = itertools.count()


def draft() -> dict[str, Any]:
    """Return a mask of its own name."""
    return {"text": f"mask: Asked {next(unique)}\nfields:\n  - key: Cell\n"}


ROWS: dict[tuple[str, str], Callable[[world.World], tuple[str, Any]]] = {
    ("GET", "masks"): lambda w: ("masks", None),
    ("POST", "masks"): lambda w: ("masks", draft()),
    ("POST", "masks/check"): lambda w: (
        "masks/check",
        {"mask": w.mask, "files": ["a.tif"], "tags": {"Line": "HeLa"}},
    ),
    ("GET", "masks/{mask}"): lambda w: (f"masks/{w.mask}", None),
    ("PUT", "masks/{mask}"): lambda w: (f"masks/{w.mask}", draft()),
    ("PATCH", "masks/{mask}"): lambda w: (f"masks/{w.mask}", {"retired": True}),
    ("GET", "masks/{mask}/versions/{number}"): lambda w: (f"masks/{w.mask}/versions/1", None),
}
RUN_REFUSED = {("POST", "masks"), ("PUT", "masks/{mask}"), ("PATCH", "masks/{mask}")}
