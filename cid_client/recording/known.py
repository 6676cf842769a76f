"""What a name stood for when it was recorded, as far as a notebook can say it again."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

from ..records.images import Image
from ..records.record import Record
from ..search.found import Found

Kind = Literal["image", "module", "importable", "value", "recording", "catalog", "other"]
LONGEST = 2000  # characters of a text that can be a parameter


@dataclass(frozen=True, slots=True)
class Known:
    """`said`: the image, a line that imports it, the plain value, or what type it has."""

    kind: Kind
    said: Any = None
    value: Any = None  # of a module, function or class, whose signature tells names


def of(names: Iterable[str], namespace: Mapping[str, Any]) -> dict[str, Known]:
    """Return what those of the names stand for that are there; large values are not kept."""
    return {name: one(name, namespace[name]) for name in names if name in namespace}


def one(name: str, value: Any) -> Known:
    """Return what a value is to a notebook that calls it by this name."""
    from ..catalog import Catalog
    from .recording import Recording

    if isinstance(value, Image):
        return Known("image", value)
    if isinstance(value, Recording):
        return Known("recording")
    if isinstance(value, Catalog | Record | Found):
        return Known("catalog", type(value).__name__)
    if isinstance(value, ModuleType):
        return Known("module", _import_of_module(name, value), value)
    if plain(value):
        return Known("value", value)
    line = _import_of(name, value)
    return Known("importable", line, value) if line else Known("other", type(value).__name__)


def plain(value: Any) -> bool:
    """Whether a template's parameter can have this value."""
    if isinstance(value, float):
        return abs(value) < float("inf")
    if isinstance(value, str):
        return len(value) <= LONGEST
    return isinstance(value, bool | int)


def _import_of_module(name: str, module: ModuleType) -> str:
    path = module.__name__
    if path == name:
        return f"import {path}"
    above, _, last = path.rpartition(".")
    if above and last == name:
        return f"from {above} import {name}"
    return f"import {path} as {name}"


def _import_of(name: str, value: Any) -> str | None:
    """Return the line that imports a function or class, if one does."""
    module, called = getattr(value, "__module__", None), getattr(value, "__name__", None)
    if not isinstance(module, str) or not isinstance(called, str) or module == "__main__":
        return None
    place = sys.modules.get(module)
    if place is None or getattr(place, called, None) is not value:
        return None
    while (above := module.rpartition(".")[0]) and (
        getattr(sys.modules.get(above), called, None) is value
    ):  # the place that people know: skimage.filters, not skimage.filters._gaussian
        module = above
    return f"from {module} import {called}" + ("" if called == name else f" as {name}")
