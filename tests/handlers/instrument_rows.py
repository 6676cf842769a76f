"""How the operations of the instrument register are called, for the matrix."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import microscopes
import world

unique = itertools.count()
DESCRIBED_ONLY = {"document": microscopes.MICROSCOPE}
DESCRIBED = {"document": microscopes.MICROSCOPE, "why": "from the Micro-Meta App"}

ROWS: dict[tuple[str, str], Callable[[world.World], tuple[str, Any]]] = {
    ("PUT", "images/{image}/settings"): lambda w: (
        f"images/{w.result}/settings",
        {"document": microscopes.SETTINGS},
    ),
    ("GET", "images/{image}/controls"): lambda w: (f"images/{w.result}/controls", None),
    ("GET", "instruments/{instrument}/controls"): lambda w: (
        f"instruments/{w.instrument}/controls",
        None,
    ),
    ("POST", "instruments/{instrument}/controls"): lambda w: (
        f"instruments/{w.instrument}/controls",
        {"measurements": [{"metric": "Power", "value": 2.5, "unit": "mW", "place": "488 nm"}]},
    ),
    ("GET", "instruments"): lambda w: ("instruments", None),
    ("POST", "instruments"): lambda w: ("instruments", {"name": f"Scope {next(unique)}"}),
    ("POST", "instruments/check"): lambda w: ("instruments/check", DESCRIBED_ONLY),
    ("GET", "instruments/standing"): lambda w: ("instruments/standing", None),
    ("GET", "instruments/{instrument}"): lambda w: (f"instruments/{w.instrument}", None),
    ("PATCH", "instruments/{instrument}"): lambda w: (
        f"instruments/{w.instrument}",
        {"room": "C 3"},
    ),
    ("PUT", "instruments/{instrument}/versions"): lambda w: (
        f"instruments/{w.instrument}/versions",
        DESCRIBED,
    ),
    ("GET", "instruments/{instrument}/versions/{version}"): lambda w: (
        f"instruments/{w.instrument}/versions/{w.version}",
        None,
    ),
}
RUN_REFUSED = {
    ("POST", "instruments"),
    ("POST", "instruments/{instrument}/controls"),
    ("PATCH", "instruments/{instrument}"),
    ("PUT", "instruments/{instrument}/versions"),
}
