"""What the catalog says of an image that is given out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Said:
    """Its uid, its name, and its tags as (key, value) in their order."""

    uid: str
    name: str
    tags: tuple[tuple[str, str], ...] = ()
