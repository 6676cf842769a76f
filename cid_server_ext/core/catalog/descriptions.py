"""Descriptions of a microscope in whichever form they come: ours, Micro-Meta App, OME XML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import BadInput
from . import hardware as parts
from . import micrometa, omexml


def hardware(
    told: Mapping[str, Any] | None, document: Mapping[str, Any] | None
) -> Mapping[str, Any]:
    """Return checked hardware that is told, or that the document tells; BadInput for both."""
    if (told is None) == (document is None):
        raise BadInput("hardware: give it, or a document that says it")
    if told is not None:
        return parts.check(told)
    assert document is not None
    text = document.get("xml")
    found = omexml.hardware(text) if isinstance(text, str) else micrometa.hardware(document)
    try:
        return parts.check(found)
    except BadInput as error:
        raise BadInput(f"document: {error}") from None


def called(document: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    """Return the name that a description gives its microscope; else its maker and model, or ""."""
    name = document.get("Name")
    return (
        " ".join(name.split())[:120] if isinstance(name, str) else str(found.get("microscope", ""))
    )


def tier(document: Mapping[str, Any]) -> micrometa.Tier | None:
    """Return the tier that a document reaches; None where it is none of the Micro-Meta App."""
    return micrometa.tier(document) if micrometa.is_microscope(document) else None
