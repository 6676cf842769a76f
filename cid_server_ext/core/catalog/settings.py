"""Machine tags of an image out of the Micro-Meta App's Settings.JSON of its acquisition.

It says which of the microscope's components were used; what they are called is in the register.
What the image says already stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from ...db import clock
from ...db.tables import Image
from ...errors import BadInput
from .. import journal, policy
from ..actor import Actor
from ..search import index
from . import instruments, machine, micrometa, tagging, tags, vocabulary
from .tagging import By

# where a channel's light path names a component -> the tag it fills
SLOTS = {
    "LightSource": "Lasers",
    "ExcitationFilter": "Filters",
    "Dichroic": "Filters",
    "EmissionFilter": "Filters",
    "Detector": "Tube/Detector",
}


def apply(session: Session, actor: Actor, uid: str, document: Mapping[str, Any]) -> Image:
    """Fill what an image lacks from a Settings.JSON. Annotators may; one step, one entry."""
    image = policy.require(session, actor, "annotator", Image, uid)
    tagging.lock(session, [image.id])
    filled = fill(session, image, document, person=actor.name)
    index.refresh(session, [image.id])
    if filled:
        detail = {"keys": sorted(filled)}
        subject = f"image:{image.uid}"
        journal.record(
            session, actor.name, "apply settings", subject, detail, project_id=image.project_id
        )
    return image


def check(document: Any) -> None:
    """Raise BadInput for what is no Settings.JSON."""
    told = document if isinstance(document, dict) else {}
    name, channels = told.get("InstrumentName"), told.get("Channels")
    if not isinstance(name, str) or not isinstance(channels, list | type(None)):
        raise BadInput("document: no Settings.JSON of the Micro-Meta App: no InstrumentName in it")


def fill(
    session: Session, image: Image, document: Mapping[str, Any], *, person: str
) -> dict[str, str]:
    """Write the tags that a Settings.JSON fills and return them; the caller refreshes the index."""
    check(document)
    said = machine.file_tags(session, image)
    told = {
        key: value for key, value in _told(document).items() if key not in said and value.strip()
    }
    used = {key: text for key, text in _used(session, image, document).items() if key not in said}
    filled = told | used
    if filled:
        tags.write(session, image, filled, kind="machine", by=By("settings", person))
    image.unknown = {k: v for k, v in (image.unknown or {}).items() if k not in filled}
    return filled


def _told(document: Mapping[str, Any]) -> dict[str, str]:
    """Return what the settings say themselves."""
    found = {"Microscope": document["InstrumentName"]}
    date = document.get("AcquisitionDate")
    if isinstance(date, str):
        found[vocabulary.ACQUIRED] = date
    return found


def _used(session: Session, image: Image, document: Mapping[str, Any]) -> dict[str, str]:
    """Return by tag what the components that were used are called in the register."""
    known = _components(session, image, document)
    slots: dict[str, list[str]] = {}
    for key, one in _slots(document):
        kind, component = known.get(str(one.get("Component_ID")), ("", {}))
        if kind and not (key == "Lasers" and kind != "laser"):
            slots.setdefault(key, []).append(micrometa.called(kind, component))
    return {key: "; ".join(dict.fromkeys(texts)) for key, texts in slots.items()}


def _components(
    session: Session, image: Image, document: Mapping[str, Any]
) -> dict[str, tuple[str, Mapping[str, Any]]]:
    named = [str(document.get(key) or "") for key in ("InstrumentName", "InstrumentID")]
    found = machine.match(session, named).instrument
    if found is None:
        return {}
    if image.instrument_id is None:
        image.instrument_id = found.id
    at = image.acquired_at or clock.now(session)
    one = instruments.valid(found.versions, at)
    if one is None or not micrometa.is_microscope(one.document):
        return {}
    listed = micrometa.components(one.document)
    return {str(part.get("ID")): (kind, part) for kind, part in listed}


def _slots(document: Mapping[str, Any]) -> Iterable[tuple[str, Mapping[str, Any]]]:
    objective = document.get("ObjectiveSettings")
    if isinstance(objective, dict):
        yield "Objective", objective
    for channel in document.get("Channels") or ():
        path = channel.get("LightPath") if isinstance(channel, dict) else None
        parts = path.get("ComponentSettings") if isinstance(path, dict) else None
        for slot, key in SLOTS.items():
            if isinstance(parts, dict) and isinstance(parts.get(slot), dict):
                yield key, parts[slot]
