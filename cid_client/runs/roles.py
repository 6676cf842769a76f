"""Inputs of a run by the roles they play; a role that comes again is numbered: dark, dark 2, ..."""

from __future__ import annotations

from collections.abc import Mapping

from ..records.images import Image


def main(inputs: Mapping[str, Image]) -> Image | None:
    """Return the image that the run is about, the first; None when its role has several."""
    first = next(iter(inputs), "")
    found = several(inputs, first)
    return found[0] if len(found) == 1 else None


def several(inputs: Mapping[str, Image], role: str) -> list[Image]:
    """Return the images in one role, in their order."""
    return [image for name, image in inputs.items() if name == role or name.startswith(f"{role} ")]
