"""What was given, if it is of the kind that is wanted; else BadInput says in a sentence what is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ..errors import BadInput

T = TypeVar("T")
KINDS = {type(None): "nothing", str: "text", bytes: "bytes", dict: "a mapping"}
KINDS |= dict.fromkeys((list, tuple, set), "a list")


def shown(value: object) -> str:
    """Return what a person would call a value: "nothing", "5", "text", "an Image"."""
    if type(value) in KINDS:
        return KINDS[type(value)]
    if isinstance(value, int | float):
        return str(value)
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"


def text(value: object, what: str, *, empty: bool = False) -> str:
    """Return a text; what: it is, and how it is found ("a uid", "the dataset's path")."""
    if not isinstance(value, str):
        raise BadInput(f"{what} is text, not {shown(value)}")
    if not value and not empty:
        raise BadInput(f"{what} is text that is not empty")
    return value


def path(value: object) -> Path:
    """Return the path of a file or folder."""
    if not isinstance(value, str | os.PathLike) or not isinstance(os.fspath(value), str):
        raise BadInput(f"give the path of one file or folder, not {shown(value)}")
    return Path(value)


def mapping(value: T, what: str, example: str) -> T:
    """Return keys with their values; example: how such a thing looks."""
    if value is not None and not isinstance(value, Mapping):
        raise BadInput(f"{what}: give it as {example}, not {shown(value)}")
    return value


def several(value: Any, what: str) -> list[Any]:
    """Return the members of a list or of anything else that has several; what: they are."""
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise BadInput(f"give {what}, not {shown(value)}")
    return list(value)


def number(value: Any, what: str) -> int:
    """Return a whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadInput(f"{what} is a whole number, not {shown(value)}")
    return value
