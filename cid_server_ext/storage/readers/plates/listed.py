"""A plate as a list of its planes: one image for each field, each plane in a file of its own."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from ....errors import BadFile
from ..described import Described, Lit, positive
from ..ome.metadata import well_name
from ..ome.ome_files import told_missing
from ..planes import Page, Place, Planes
from ..policy import Tree
from ..source import MachineTag, Source, source
from ..values import clean, listed

MOST_IMAGES = 10_000
MOST_PLANES = 2_000_000

Where = tuple[int, int, int]  # row and column of the well from 1, field


@dataclass(frozen=True, slots=True)
class Shot:
    """One plane: when, in which channel and at which step of z it was taken. file: its path."""

    time: int
    channel: Hashable
    step: int
    file: str
    z: float | None = None  # micrometers
    taken: dt.datetime | None = None
    seconds: float | None = None  # since the start


@dataclass
class Plate:
    """What a list says. tell: what is known of the instrument, afresh for each image."""

    name: str
    channels: dict[Hashable, Lit]
    tell: Callable[[], Described]
    fields: dict[Where, list[Shot]] = field(default_factory=dict)

    def add(self, where: Where, shot: Shot) -> None:
        """Take in a plane; BadFile where its file would lie outside of the plate's folder."""
        parts = shot.file.split("/")
        if "\\" in shot.file or "\0" in shot.file or ".." in parts or "" in parts:
            raise BadFile(f"it names a file outside of its own folder: {shot.file[:100]!r}")
        self.fields.setdefault(where, []).append(shot)


def members(main: str, tree: Tree, plate: Plate) -> set[str]:
    """Return the files of the tree that a list names."""
    home = main.rpartition("/")[0]
    start = f"{home}/" if home else ""
    named = {f"{start}{shot.file}" for shots in plate.fields.values() for shot in shots}
    return named & set(tree.below(home))


def images(home: Path, plate: Plate) -> list[Source]:
    """Return one image for each field of a plate. BadFile: not one plane is there."""
    planes = sum(map(len, plate.fields.values()))
    if len(plate.fields) > MOST_IMAGES or planes > MOST_PLANES:
        raise BadFile(f"the plate has {len(plate.fields)} fields of {planes} planes: import parts")
    there = {
        where: shots
        for where, shots in sorted(plate.fields.items())
        if any((home / shot.file).is_file() for shot in shots)
    }
    if not there:
        raise BadFile("none of the planes that it lists is there: upload its folder whole")
    return [_image(home, plate, where, shots) for where, shots in there.items()]


def _image(home: Path, plate: Plate, where: Where, shots: list[Shot]) -> Source:
    row, column, number = where
    times = sorted({shot.time for shot in shots})
    steps = sorted({shot.step for shot in shots})
    channels = [one for one in plate.channels if any(shot.channel == one for shot in shots)]
    pages = dict(_pages(home, shots, times, channels, steps))
    flat = [one for one in channels if _is_flat(one, shots, steps)]
    planes = Planes((len(times), len(channels), len(steps)), pages)
    made = plate.tell()
    well = well_name(row - 1, column - 1)
    made.name = f"{well} f{number}"
    made.channels = _once(plate.channels[one] for one in channels)
    made.taken = min((shot.taken for shot in shots if shot.taken), default=made.taken)
    made.scale |= {"z": _step(shots, len(steps)), "t": _interval(shots, times)}
    tags: list[MachineTag] = [
        ("Plate", clean(plate.name), None),
        ("Well", well, None),
        ("Row", well.rstrip("0123456789"), None),
        ("Column", f"{column:02d}", float(column)),
        ("Field", str(number), float(number)),
    ]
    if flat:
        named = listed(plate.channels[one].name for one in flat)
        tags.append(("Repeated planes", f"at every z the one plane of: {named}", None))
    axes, pixels = planes.pixels()
    facts = made.facts("tczyx", (*planes.size, *planes.shape[:2]), planes.dtype)
    told = tuple(tag for tag in tags if tag[1])
    return told_missing(source(replace(facts, tags=(*facts.tags, *told)), axes, pixels), planes)


def _pages(
    home: Path, shots: list[Shot], times: list[int], channels: list[Hashable], steps: list[int]
) -> Iterator[tuple[Place, Page]]:
    """Yield where the planes lie that are there; the one of a flat channel at every z."""
    seen: set[tuple[int, Hashable, int]] = set()
    for shot in shots:
        key = shot.time, shot.channel, shot.step
        if key in seen:
            raise BadFile(f"it lists two planes for one place, one is {shot.file[:100]!r}")
        seen.add(key)
        path = home / shot.file
        if path.is_symlink():
            raise BadFile(f"{shot.file[:100]!r} is a link: copy the file itself")
        if not path.is_file():
            continue
        t, c = times.index(shot.time), channels.index(shot.channel)
        flat = _is_flat(shot.channel, shots, steps)
        for z in range(len(steps)) if flat else (steps.index(shot.step),):
            yield (t, c, z), Page(path)


def _is_flat(channel: Hashable, shots: list[Shot], steps: list[int]) -> bool:
    return len(steps) > 1 and len({shot.step for shot in shots if shot.channel == channel}) == 1


def _once(channels: Iterator[Lit]) -> list[Lit]:
    """Number the channels that are called alike."""
    all_of_them = list(channels)
    often = Counter(one.name for one in all_of_them)
    seen: Counter[str] = Counter()
    found = []
    for one in all_of_them:
        seen[one.name] += 1
        again = f"{one.name} {seen[one.name]}" if often[one.name] > 1 else one.name
        found.append(replace(one, name=again))
    return found


def _step(shots: list[Shot], count: int) -> float | None:
    heights = [shot.z for shot in shots if shot.z is not None]
    return positive((max(heights) - min(heights)) / (count - 1)) if heights and count > 1 else None


def _interval(shots: list[Shot], times: list[int]) -> float | None:
    """Return the mean time from one time point to the next, in seconds."""
    if len(times) < 2:
        return None
    first, last = (
        next(shot for shot in shots if shot.time == time) for time in (times[0], times[-1])
    )
    lasted = None
    if first.taken and last.taken:
        lasted = (last.taken - first.taken).total_seconds()
    elif first.seconds is not None and last.seconds is not None:
        lasted = last.seconds - first.seconds
    return positive(lasted / (len(times) - 1)) if lasted else None
