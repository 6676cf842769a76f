"""Micro-Manager's stacks (MMStack): TIFFs with a map of their planes, OME-XML or not."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import ome_types
import tifffile

from ....errors import BadFile
from ..ome import metadata, ome_files, omemodel
from ..planes import Page, Place, Planes, blamed
from ..policy import Tree
from ..source import Facts, Source, source
from .pagemap import TIFFS, Stack, family, header, header_of, opened, page_words
from .words import Told, spread

MOST_FILES = 20_000
MOST_IMAGES = 1000


def is_stack(path: Path, head: bytes) -> bool:
    """Say whether a TIFF has a map of its planes."""
    return header(head) is not None


def members(main: str, tree: Tree) -> set[str]:
    """Return the other stacks of the acquisition, and the text that lies beside each."""
    folder = main.rpartition("/")[0]
    start = f"{folder}/" if folder else ""
    names = [file.removeprefix(start) for file in tree.inside(folder)]
    found = {f"{start}{name}" for name in family(tree.path(main).name, names)}
    with suppress(BadFile, tifffile.TiffFileError):  # opening it will say what is wrong
        found |= ome_files.members(main, tree) or set()
    return found


def open_stack(path: Path) -> list[Source]:
    """Return one image for each stage position. BadFile: a file of the acquisition is missing."""
    names = [entry.name for entry in path.parent.iterdir()]
    kin = sorted({path.name, *family(path.name, names)})
    files = [path.with_name(name) for name in kin if name.lower().endswith(TIFFS)][:MOST_FILES]
    for file in files:
        if file.is_symlink():
            raise BadFile(f"{file.name[:100]!r}, which belongs to it, is a link: copy the file")
    stacks = [Stack(file) for file in files if header_of(file) is not None]
    ome, xml = _ome(stacks, {file.name for file in files})
    if ome is None and xml:  # a file is missing, or was renamed and is known by its UUID
        told = Told(stacks[0].summary)
        return [_completed(image, told) for image in ome_files.open_set(path)]
    positions = _positions(stacks)
    if len(positions) > MOST_IMAGES:
        raise BadFile(f"the files hold {len(positions)} stage positions, more than {MOST_IMAGES}")
    return [
        _image(pages, stack, _described(ome, at, positions), xml)
        for at, (stack, pages) in enumerate(positions)
    ]


@dataclass(frozen=True)
class _Said:
    """What OME-XML says: the model, and which of its images is meant."""

    ome: ome_types.OME
    at: int


def _positions(stacks: list[Stack]) -> list[tuple[Stack, dict[Place, Page]]]:
    """Return the planes of each stage position; of files that count alike, each has its own."""
    found: dict[int, list[tuple[Stack, dict[Place, Page]]]] = {}
    for stack in stacks:
        mine: dict[int, dict[Place, Page]] = {}
        for p, place, page in stack.planes():
            mine.setdefault(p, {})[place] = page
        for p, pages in mine.items():
            there = found.setdefault(p, [])
            free = (one for _, one in there if not one.keys() & pages.keys())
            if (known := next(free, None)) is not None:
                known |= pages
            else:
                there.append((stack, pages))
    if not found:
        raise BadFile("not one plane is in it: the acquisition was stopped before its first")
    return [one for _, ones in sorted(found.items()) for one in ones]


def _ome(stacks: list[Stack], names: set[str]) -> tuple[ome_types.OME | None, str]:
    """Return the OME-XML of an acquisition, no model where a file that it names is not there."""
    for stack in stacks:
        with opened(stack.path) as tiff:
            outline, xml = ome_files.outline_of(tiff, stack.path)
        if outline.is_ome and not outline.binary_only:
            others = [name for name, uuid in outline.files if name and uuid != outline.uuid]
            if any(name not in names for name in others):
                return None, xml
            with suppress(ValueError, TypeError, KeyError):
                return omemodel.from_xml(xml), xml
    return None, ""


def _described(
    ome: ome_types.OME | None, at: int, positions: list[tuple[Stack, dict[Place, Page]]]
) -> _Said | None:
    """Return which image of the OME-XML a position is: by its files, or by its number."""
    if ome is None:
        return None
    mine = {page.path.name for page in positions[at][1].values()}
    named = [
        number
        for number, image in enumerate(ome.images)
        if mine <= {block.uuid.file_name for block in image.pixels.tiff_data_blocks if block.uuid}
    ]
    if len(named) == 1:
        return _Said(ome, named[0])
    return _Said(ome, at) if len(ome.images) == len(positions) else None


def _image(pages: dict[Place, Page], stack: Stack, said: _Said | None, xml: str) -> Source:
    times, channels, depth = (1 + max(place[axis] for place in pages) for axis in range(3))
    told = _tell(stack, pages, times)
    alone = spread(pages, depth)
    planes = Planes((times, channels, depth), pages)
    axes, pixels = planes.pixels()
    made = told.described(channels)
    made.name = made.name or stack.path.name.partition(".")[0]
    shape = (*planes.size, *planes.shape[:2])
    facts = made.facts("tczyx", shape, planes.dtype)
    if said is not None:
        facts = _both(_from_ome(said, xml, planes), facts)
    facts = replace(facts, tags=(*facts.tags, *told.tags(alone, times)))
    return ome_files.told_missing(source(facts, axes, pixels), planes)


def _tell(stack: Stack, pages: dict[Place, Page], times: int) -> Told:
    """Read what is said of the first plane of each channel, and of the last time point."""
    told = Told(stack.summary)
    asked: dict[object, Place] = {}
    for place in sorted(pages):
        asked.setdefault(("channel", place[1]), place)
        if place[0] in {0, times - 1}:
            asked.setdefault(("time", place[0]), place)
    for place in sorted(set(asked.values())):
        page = pages[place]
        with blamed(page.path), opened(page.path) as tiff:
            told.add(place, page_words(tiff, page.number))
    return told


def _from_ome(said: _Said, xml: str, planes: Planes) -> Facts:
    """Return what OME-XML says; it may promise planes of an acquisition that was stopped."""
    image = said.ome.images[said.at].pixels
    t, c, z = planes.size
    height, width = planes.shape[:2]
    real = {"size_t": t, "size_c": c * (planes.shape[2:] or (1,))[0], "size_z": z}
    real |= {"size_y": height, "size_x": width}
    same = all(getattr(image, key) == size for key, size in real.items())
    for key, size in real.items():
        setattr(image, key, size)
    return metadata.from_ome(said.ome, said.at, xml if same else None)


def _completed(image: Source, told: Told) -> Source:
    """Return an image of OME-TIFFs with what Micro-Manager's own words add."""
    size = dict(zip(image.axes, image.shape, strict=True))
    channels = size.get("c", 1)
    shape = tuple(size.get(axis, 1) for axis in "tczyx")
    more = told.described(channels).facts("tczyx", shape, image.dtype)
    told_names = tuple(
        {key: value for key, value in one.items() if value != f"Channel {at + 1}"}
        for at, one in enumerate(image.channels)
    )
    mine = Facts(channels=told_names, scale=image.scale, units=image.units, tags=image.tags)
    both = _both(mine, more)
    known = {axis: both.scale[axis] for axis in image.axes if axis in both.scale}
    units = {axis: both.units[axis] for axis in known}
    return replace(image, channels=both.channels, scale=known, units=units, tags=both.tags)


def _both(ome: Facts, more: Facts) -> Facts:
    """Return what OME-XML says, with what only Micro-Manager's own words say."""
    channels = ome.channels
    if len(channels) == len(more.channels):
        pairs = zip(more.channels, channels, strict=True)
        channels = tuple({**own, **one} for own, one in pairs)
    known = {key for key, _, _ in ome.tags}
    return replace(
        ome,
        name=ome.name or more.name,
        scale={**more.scale, **ome.scale},
        units={**more.units, **ome.units},
        channels=channels or more.channels,
        tags=(*ome.tags, *(tag for tag in more.tags if tag[0] not in known)),
    )
