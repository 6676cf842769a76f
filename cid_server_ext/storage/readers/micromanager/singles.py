"""Micro-Manager's single planes: metadata.txt beside a TIFF for each time, channel and z."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ....errors import BadFile
from ..ome.ome_files import told_missing
from ..planes import Page, Place, Planes
from ..policy import Tree
from ..source import Source, source
from ..values import text
from .words import Told, Words, flat, index, spread

NAME = "metadata.txt"
SUFFIXES = (".tif", ".tiff")
LARGEST = 1 << 29  # bytes; each plane of the old version repeats what is said of all
MOST = 500_000  # planes
MOST_IMAGES = 1000
BEGINS = 1 << 16  # bytes that it is known by

KEY = re.compile(r"FrameKey-(\d{1,9})-(\d{1,9})-(\d{1,9})")
NEW = re.compile(r"(channel|position|time|z)(\d{1,9})(?=[_.])")
OLD = re.compile(r"img_(\d{9})_(.*)_(\d{3,6})\.tiff?", re.IGNORECASE)
PLANE = re.compile(r'"(FrameKey|Coords|Metadata)-')
BLANKS = " \t\r\n"


@dataclass
class Position:
    """The planes of one stage position: the files that are there, and all that were taken."""

    told: Told
    taken: set[Place] = field(default_factory=set)
    files: dict[Place, str] = field(default_factory=dict)


def is_acquisition(path: Path, head: bytes) -> bool:
    """Say whether a file lists the planes of an acquisition."""
    if path.name.lower() != NAME or not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return False
    with path.open("rb") as file:
        begin = file.read(BEGINS)
    return any(word in begin for word in (b'"Summary"', b'"FrameKey-', b'"Coords-'))


def members(main: str, tree: Tree) -> set[str] | None:
    """Return the planes of a metadata.txt; None when not one is there."""
    home = main.rpartition("/")[0]
    start = f"{home}/" if home else ""
    there = {file.removeprefix(start) for file in tree.below(home)}
    found = read(tree.path(main), there)
    return {f"{start}{name}" for one in found.values() for name in one.files.values()} or None


def open_acquisition(path: Path) -> list[Source]:
    """Return one image for each stage position. BadFile: not one plane is there."""
    found = {at: one for at, one in read(path, None).items() if one.files}
    if not found:
        raise BadFile("none of the planes that it lists is there: upload its folder whole")
    return [_image(path.parent, one) for _, one in sorted(found.items())]


def read(path: Path, there: set[str] | None) -> dict[int, Position]:
    """Return what a metadata.txt says of each stage position, by its number.

    there: the files below its folder; None to look for them.
    """
    if path.stat().st_size > LARGEST:
        raise BadFile("metadata.txt is larger than 512 MB: no real one is")
    summary: Words = {}
    shots: dict[str, dict[str, Any]] = {}  # by path
    kept: set[tuple[object, ...]] = set()
    for key, value in entries(path.read_text(encoding="utf-8-sig", errors="replace")):
        if key == "Summary":
            summary = flat(value)
        elif (shot := _shot(key, value)) and "MMStack" not in shot[0]:  # stacks tell themselves
            name, words = shot
            first = words.get("c"), words.get("p"), key.startswith("Coords-")
            if first in kept:  # of each plane little is kept, of one of each channel all
                words = {word: words[word] for word in LITTLE if word in words}
            kept.add(first)
            shots[name] = {**words, **shots.get(name, {})}
        if len(shots) > MOST:
            raise BadFile(f"it lists more than {MOST} planes: import parts")
    files, links = (there, set()) if there is not None else _files(path.parent, shots)
    found: dict[int, Position] = {}
    for name, words in shots.items():
        _add(found, summary, words, _home(name, files), links)
    listed = {file for one in found.values() for file in one.files.values()}
    for name in sorted(files - listed):  # taken, and not yet written down when it was stopped
        if "/" not in name and (words := _by_name(name, summary)):
            if len(found) == 1:
                words = {"p": next(iter(found)), **words}
            one = found.get(words.get("p", 0))
            if one is None or tuple(words[axis] for axis in "tcz") not in one.files:
                _add(found, summary, words, name, links)
    if len(found) > MOST_IMAGES:
        raise BadFile(f"it lists more than {MOST_IMAGES} stage positions: import parts")
    return found


LITTLE = ("t", "c", "z", "p", "ElapsedTime-ms", "ZPositionUm", "PositionName", "Exposure-ms")


def entries(said: str) -> Iterator[tuple[str, Any]]:
    """Yield the entries of a JSON object, up to where it was cut off: its end is written last."""
    decoder, at = json.JSONDecoder(), _next(said, 0)
    if said[at : at + 1] != "{":
        raise BadFile("metadata.txt is damaged: it is not JSON. Copy it again")
    while said[at : at + 1] in {"{", ","}:
        start = _next(said, at + 1)
        try:
            key, at = decoder.raw_decode(said, start)
            at = _next(said, at)
            if not isinstance(key, str) or said[at : at + 1] != ":":
                break
            value, at = decoder.raw_decode(said, _next(said, at + 1))
        except (ValueError, RecursionError):
            at = start
            break
        yield key, value
        at = _next(said, at)
    if said[at : at + 1] != "}" and PLANE.search(said, at + 2):
        raise BadFile("metadata.txt is damaged in its midst. Copy it again")


def _next(said: str, at: int) -> int:
    while at < len(said) and said[at] in BLANKS:
        at += 1
    return at


def _shot(key: str, value: Any) -> tuple[str, dict[str, Any]] | None:
    """Return (path, words) of an entry that tells of a plane; t, c, z and p are its place."""
    words = flat(value)
    if match := KEY.fullmatch(key):
        name = text(words.get("FileName"))
        t, c, z = map(int, match.groups())
        place = {"t": t, "c": c, "z": z}
    elif key.startswith(("Coords-", "Metadata-")):
        name = key.partition("-")[2]
        place = _from_name(name)
    else:
        return None
    return (_inside(name), {**words, **place, **_told_place(words)}) if name else None


def _told_place(words: Words) -> dict[str, int]:
    keys = {"t": "FrameIndex", "c": "ChannelIndex", "z": "SliceIndex", "p": "PositionIndex"}
    found = {axis: index(words.get(key)) for axis, key in keys.items()}
    return {axis: at for axis, at in found.items() if at is not None}


def _from_name(name: str) -> dict[str, int]:
    """Return the place that a name of Micro-Manager 2 tells: img_channel000_..._z000.tif."""
    axes = {"channel": "c", "position": "p", "time": "t", "z": "z"}
    return {axes[axis]: int(at) for axis, at in NEW.findall(name.replace("\\", "/"))}


def _by_name(name: str, summary: Words) -> dict[str, Any] | None:
    """Return the place of a file that metadata.txt does not list, where its name tells it."""
    if not name.lower().endswith(SUFFIXES) or not name.startswith("img_"):
        return None
    if match := OLD.fullmatch(name):
        names = summary.get("ChNames")
        known = names if isinstance(names, list) else []
        if match[2] in known:
            return {"t": int(match[1]), "c": known.index(match[2]), "z": int(match[3])}
        return None
    place = _from_name(name)
    return place if {"t", "c", "z"} <= place.keys() else None


def _inside(name: str) -> str:
    """Return a listed path with "/"; BadFile: it leads out of the acquisition."""
    parts = name.replace("\\", "/").split("/")
    if "\0" in name or len(parts) > 2 or any(part in {"", ".", ".."} for part in parts):
        raise BadFile(f"it names a file outside of its own folder: {name[:100]!r}")
    return "/".join(parts)


def _home(name: str, files: set[str]) -> str | None:
    """Return where a listed file is: below metadata.txt, or beside it, in the folder it names."""
    return next((one for one in (name, name.rpartition("/")[2]) if one in files), None)


def _files(home: Path, shots: dict[str, dict[str, Any]]) -> tuple[set[str], set[str]]:
    """Return (files, links) of a folder and of those in it that are listed."""
    files: set[str] = set()
    links: set[str] = set()
    for folder in {"", *(name.rpartition("/")[0] for name in shots)}:
        place = home / folder
        if place.is_symlink() or not place.is_dir():
            continue
        for entry in os.scandir(place):
            name = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_symlink():
                links.add(name)
            if entry.is_symlink() or entry.is_file():
                files.add(name)
    return files, links


def _add(
    found: dict[int, Position],
    summary: Words,
    words: Words,
    file: str | None,
    links: set[str],
) -> None:
    """Put a plane where it belongs, with its file where that is there."""
    t, c, z = (index(words.get(axis)) for axis in "tcz")
    if t is None or c is None or z is None:
        return
    one = found.setdefault(index(words.get("p")) or 0, Position(Told(summary)))
    one.taken.add((t, c, z))
    one.told.add((t, c, z), words)
    if file is None:
        return
    if file in links:
        raise BadFile(f"{file[:100]!r}, which belongs to it, is a link: copy the file itself")
    if one.files.setdefault((t, c, z), file) != file:
        raise BadFile(f"it lists two planes for one place, one is {file[:100]!r}")


def _image(home: Path, one: Position) -> Source:
    times, channels, depth = (1 + max(at[axis] for at in one.taken) for axis in range(3))
    pages = {place: Page(home / name) for place, name in one.files.items()}
    alone = spread(pages, depth)
    planes = Planes((times, channels, depth), pages)
    axes, pixels = planes.pixels()
    made = one.told.described(channels)
    made.name = made.name or home.name
    facts = made.facts("tczyx", (*planes.size, *planes.shape[:2]), planes.dtype)
    tags = (*facts.tags, *one.told.tags(alone, times))
    return told_missing(source(replace(facts, tags=tags), axes, pixels), planes)
