"""What Micro-Manager says of an acquisition: a summary of all, and some words for each plane."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from ....errors import BadFile
from ..described import Described, Lit, positive
from ..planes import Place
from ..source import MachineTag
from ..units import micrometers
from ..values import clean, joined, listed, number, text

Words = Mapping[str, Any]
Where = TypeVar("Where")

TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?: [A-Za-z]{3})?[ T](\d\d:\d\d:\d\d(?:\.\d+)?)(?: ?([+-]\d{4}))?"
)
# What the device is called that the objectives are in is chosen by whoever set it up.
OBJECTIVE = re.compile(r"[^-]*(objective|nosepiece)[^-]*-label", re.IGNORECASE)
NOBODY = {"", "default"}  # a stage position without a name of its own


def words_of(data: bytes | str, what: str) -> dict[str, Any]:
    """Return what a piece of JSON says, values as they are; BadFile: it is none."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise BadFile(f"{what} is damaged: it is not JSON. Copy it again") from None
    return flat(found)


def flat(found: Any) -> dict[str, Any]:
    """Return the words of an object; Micro-Manager 2 wraps values, and those of the devices."""
    if not isinstance(found, dict):
        return {}
    plain = {
        key: _unwrapped(value) if isinstance(value, dict) else value for key, value in found.items()
    }
    for key in ("ScopeData", "scopeData"):
        if isinstance(inner := plain.pop(key, None), dict):
            plain = {**{name: _unwrapped(value) for name, value in inner.items()}, **plain}
    return plain


def index(value: Any) -> int | None:
    """Return a place on an axis; BadFile: more than any acquisition has."""
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    if not 0 <= value < 1 << 24:
        raise BadFile(f"it puts a plane at {value!r:.20}, where no acquisition ends: it is damaged")
    return value


def spread(pages: dict[Place, Where], depth: int) -> list[int]:
    """Put the one plane of a channel that was taken without z at each; return those channels.

    Micro-Manager takes it in the middle of the stack.
    """
    taken: dict[int, set[int]] = {}
    for _, c, z in pages:
        taken.setdefault(c, set()).add(z)
    middle = {(depth - 1) // 2, depth // 2}
    alone = [c for c, steps in sorted(taken.items()) if len(steps) == 1 and steps <= middle]
    if depth < 2 or len(alone) == len(taken):
        return []
    for (t, c, _), page in list(pages.items()):
        if c in alone:
            pages |= {(t, c, z): page for z in range(depth)}
    return alone


class Told:
    """What is said of one image. Planes are added one by one, and little of each is kept."""

    def __init__(self, summary: Words, names: Mapping[int, str] | None = None) -> None:
        self.summary = summary
        self.names = dict(names or {})  # of the channels, where the planes say it
        self.first: dict[int, tuple[Place, Words]] = {}  # by channel
        self.elapsed: dict[int, float] = {}  # milliseconds at each t
        self.heights: dict[int, float] = {}

    def add(self, place: Place, words: Words) -> None:
        """Take in what is said of the plane at a place."""
        t, c, z = place
        if c not in self.first or len(words) > len(self.first[c][1]):  # little is kept of others
            self.first[c] = place, words
        if (lasted := _number(words.get("ElapsedTime-ms"))) is not None:
            self.elapsed[t] = min(lasted, self.elapsed.get(t, lasted))
        for key in ("ZPosition_um_Intended", "ZPositionUm"):
            if (height := _number(words.get(key))) is not None:
                self.heights.setdefault(z, height)
                break

    @property
    def words(self) -> Words:
        """What is said of the first plane."""
        return min(self.first.values(), key=lambda one: one[0])[1] if self.first else {}

    @property
    def position(self) -> str:
        """The name of the stage position, where it has one."""
        name = clean(text(self.words.get("PositionName")), 100)
        return "" if name.lower() in NOBODY else name

    def described(self, channels: int) -> Described:
        """Return what is known of the instrument, the channels and the calibration."""
        said, first = self.summary, self.words
        version = clean(text(said.get("MicroManagerVersion")), 60)
        made = Described(
            name=joined(clean(text(said.get("Prefix")), 150), self.position),
            software=version if version[:1].isalpha() else joined("Micro-Manager", version),
            user=text(said.get("UserName")),
            taken=date(said.get("StartTime")) or date(said.get("Time")) or _taken(first),
            channels=[self._channel(at) for at in range(channels)],
        )
        pixel = _number(first.get("PixelSizeUm")) or _number(said.get("PixelSize_um"))
        made.scale = {axis: micrometers(pixel, "um") for axis in "xy"}
        made.scale |= {"z": self._step(), "t": self._interval()}
        for _, words in self.first.values():
            camera = text(words.get("Camera")) or text(words.get("Core-Camera"))
            made.detector(text(words.get(f"{camera}-CameraName")) or camera)
        lenses = [text(value) for key, value in first.items() if OBJECTIVE.fullmatch(key)]
        made.objective(listed(map(clean, lenses)))
        made.notes["micro-manager.summary"] = {
            key: value for key, value in said.items() if isinstance(value, str | int | float)
        }
        return made

    def tags(self, alone: list[int], times: int) -> list[MachineTag]:
        """Return the tags of position and exposure, and of what was not taken."""
        found: list[MachineTag] = []
        if self.position:
            found.append(("Stage position", self.position, None))
        exposures = {
            c: spent
            for c, (_, words) in sorted(self.first.items())
            if (spent := positive(words.get("Exposure-ms", words.get("Exposure"))))
        }
        if len(set(exposures.values())) == 1:
            spent = next(iter(exposures.values()))
            found.append(("Exposure", f"{spent:g} ms", spent))
        elif exposures:
            each = (f"{self._name(c)} {spent:g} ms" for c, spent in exposures.items())
            found.append(("Exposure", clean(listed(each)), None))
        if alone:
            named = listed(self._name(c) for c in alone)
            told = clean(f"at every z the one plane of: {named}")
            found.append(("Repeated planes", told, None))
        intended = self.summary.get("IntendedDimensions")
        wanted = intended.get("time") if isinstance(intended, dict) else None
        planned = _number(self.summary.get("Frames", wanted)) or 0
        if times < planned < 1 << 24:
            told = f"t {times + 1} to {planned:g} of {planned:g}: stopped before its end"
            found.append(("Missing time points", told, planned - times))
        return found

    def _name(self, c: int) -> str:
        told = self.summary.get("ChNames")
        names = told if isinstance(told, list) else []
        said = names[c] if c < len(names) else None
        own = self.first[c][1].get("Channel") if c in self.first else None
        name = self.names.get(c) or text(said) or text(own)
        return clean(name, 120) or f"Channel {c + 1}"

    def _channel(self, c: int) -> Lit:
        told = self.summary.get("ChColors")
        colours = told if isinstance(told, list) else []
        colour = colours[c] if c < len(colours) else None
        known = isinstance(colour, int) and not isinstance(colour, bool) and colour & 0xFFFFFF
        return Lit(name=self._name(c), color=f"{colour & 0xFFFFFF:06X}" if known else "")

    def _step(self) -> float | None:
        step = abs(_number(self.summary.get("z-step_um")) or 0)
        if not step and len(self.heights) > 1:
            low, high = min(self.heights), max(self.heights)
            step = abs(self.heights[high] - self.heights[low]) / (high - low)
        return micrometers(float(f"{step:.9g}"), "um")

    def _interval(self) -> float | None:
        """Return the mean time that really passed; else the planned one, in seconds."""
        if len(self.elapsed) > 1:
            start, end = min(self.elapsed), max(self.elapsed)
            passed = (self.elapsed[end] - self.elapsed[start]) / (end - start) / 1000
            return positive(float(f"{passed:.9g}"))
        if self.summary.get("CustomIntervals_ms"):
            return None
        return positive((_number(self.summary.get("Interval_ms")) or 0) / 1000)


def date(value: Any) -> dt.datetime | None:
    """Return a date of any version: "2011-01-18 Tue 16:52:41 -0800"."""
    found = TIME.search(text(value)[:60])
    try:
        return (
            dt.datetime.fromisoformat(f"{found[1]}T{found[2]}{found[3] or ''}") if found else None
        )
    except ValueError:
        return None


def _taken(words: Words) -> dt.datetime | None:
    return date(words.get("ReceivedTime")) or date(words.get("Time"))


def _number(value: Any) -> float | None:
    """Return a finite number, also of a text: devices tell all as text."""
    if isinstance(value, str):
        try:
            value = float(value[:40])
        except ValueError:
            return None
    return number(value)


def _unwrapped(value: Any) -> Any:
    if isinstance(value, dict):
        for key in ("PropVal", "scalar", "array"):
            if key in value:
                return value[key]
    return value
