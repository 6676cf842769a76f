"""How much of what is asked of an acquired image is there, what is not, and why.

What the facility asks of every image: the eight machine tags, the size of a pixel along each axis
in space, and names of channels. A mask may ask for others of these, and asks for each of its
fields. What a run made is asked nothing. `index.refresh` keeps the answers in `document`, so that
they are found.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from . import typed, vocabulary

CALIBRATION = {axis: f"Calibration {axis}" for axis in "zyx"}
CHANNELS = "Channel names"
FACILITY = (*vocabulary.MACHINE, *CALIBRATION.values(), CHANNELS)

SILENT = "the file does not say"
UNSAID = "nobody has said it yet"
_WHY = {
    **dict.fromkeys(vocabulary.MACHINE, SILENT),
    **{
        key: f"the file does not say how large a pixel is along {axis}"
        for axis, key in CALIBRATION.items()
    },
    CHANNELS: "the file does not name its channels",
}
_NUMBERED = re.compile(r"(Channel )?\d+")  # how channels without a name are called


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an image; `tagged` are the folded keys of its tags."""

    axes: str
    scale: Mapping[str, Any]
    channels: Collection[Mapping[str, Any]]
    tagged: Collection[str]


@dataclass(frozen=True, slots=True)
class Score:
    """`value` from 0 to 1, None where nothing is asked; `missing` are keys in the order asked."""

    value: float | None = None
    missing: tuple[str, ...] = ()


NOTHING = Score()


def score(facts: Facts, mask: Mapping[str, Any] | None) -> Score:
    """Return how complete an image is; `mask` is the body of its mask's version."""
    asked = of_mask(mask, facts.axes) if mask else of_facility(facts.axes)
    if not asked:
        return NOTHING
    missing = tuple(key for key in asked if not _there(key, facts))
    return Score(1 - len(missing) / len(asked), missing)


def of_facility(axes: str) -> list[str]:
    """Return what is asked of an image with these axes and no mask."""
    return [key for key in FACILITY if key not in _AXIS or _AXIS[key] in axes]


def of_mask(mask: Mapping[str, Any], axes: str) -> list[str]:
    """Return what a mask asks for: what a machine must say, and each of its fields."""
    asked = dict.fromkeys((*mask.get("machine", FACILITY), *_fields(mask)))
    return [key for key in asked if key not in _AXIS or _AXIS[key] in axes]


def why(missing: str, unknown: Mapping[str, str] | None) -> str:
    """Return in words why this is missing, as far as its import knew."""
    return (unknown or {}).get(missing) or _WHY.get(missing, UNSAID)


def folded(key: str) -> str:
    """Return a key as it is looked for."""
    return typed.folded(key.replace("_", " "), 200)


def written(missing: Collection[str]) -> str:
    """Return missing keys as `Document.missing` keeps them."""
    return "".join(f"| {folded(key)} " for key in missing) + "|" if missing else ""


def told(
    written: str, unknown: Mapping[str, str] | None, mask: Mapping[str, Any] | None
) -> dict[str, str]:
    """Return what `Document.missing` says is missing, each with the reason in words."""
    shown = {folded(key): key for key in (*FACILITY, *_fields(mask or {}))}
    keys = (key.strip() for key in written.split("|"))
    return {shown.get(key, key): why(shown.get(key, key), unknown) for key in keys if key}


def _fields(mask: Mapping[str, Any]) -> list[str]:
    return [str(one["key"]) for one in mask.get("fields", ())]


def _there(key: str, facts: Facts) -> bool:
    if key in _AXIS:
        return bool(facts.scale.get(_AXIS[key]))
    if key == CHANNELS:
        named = [str(channel.get("name", "")) for channel in facts.channels]
        return bool(named) and not any(not n or _NUMBERED.fullmatch(n) for n in named)
    return folded(key) in facts.tagged


_AXIS = {key: axis for axis, key in CALIBRATION.items()}
