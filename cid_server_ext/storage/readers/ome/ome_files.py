"""OME-TIFF whose pixels or metadata lie in several files, found by name or, renamed, by UUID."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import ome_types
import tifffile
from ome_types import model

from ....errors import BadFile
from ..planes import Page, Place, Planes
from ..policy import Tree
from ..source import Source, source
from ..tiffs.bones import complaints
from ..values import listed
from . import metadata, omemodel, omexml

COMPANION = ".companion.ome"
MOST_FILES = 20_000
MOST_IMAGES = 1000
UUID = re.compile(r'<(?:\w+:)?OME\b[^>]*?\sUUID\s*=\s*"([^"]+)"')


def open_set(path: Path) -> list[Source]:
    """Return the images that one file of several belongs to. BadFile names the first one missing.

    `path` is any of the TIFFs, or their companion of metadata; the others lie beside it.
    """
    kin, outline, text = _kin(path)
    for name, uuid in outline.files:
        kin.find(name, uuid)
    ome = omemodel.from_xml(text)
    if len(ome.images) > MOST_IMAGES:
        raise BadFile(f"the files hold {len(ome.images)} images, more than {MOST_IMAGES}")
    if not any(image.pixels.tiff_data_blocks for image in ome.images):
        raise BadFile("its OME-XML names no TIFF files: upload the OME-TIFFs that belong to it")
    return [_image(kin, outline, ome, text, at) for at in range(len(ome.images))]


def members(main: str, tree: Tree) -> set[str] | None:
    """Return the files of the tree that hold the rest of an OME-TIFF; None for metadata alone."""
    folder = main.rpartition("/")[0]
    beside = set(tree.inside(folder))
    found: set[str] = set()
    path = tree.path(main)
    outline, _ = _read(path)
    if not (outline.binary_only or outline.others or path.name.endswith(COMPANION)):
        return found
    try:
        kin, outline, _ = _kin(path)
    except BadFile:  # those that want for the same metadata are refused as one
        return {file for file in beside if _wants(tree.path(file), outline.metadata_file)}
    for name, uuid in outline.files:
        try:
            found.add(kin.find(name, uuid).name)
        except BadFile:
            continue  # opening it will say which one is missing
    if path.name.endswith(COMPANION) and not found:
        return None
    found.add(kin.home.name)
    return {f"{folder}/{name}" if folder else name for name in found} & beside


def _wants(path: Path, metadata_file: tuple[str, str]) -> bool:
    try:
        return _read(path)[0].metadata_file == metadata_file
    except (BadFile, tifffile.TiffFileError):
        return False


def is_companion(path: Path, head: bytes) -> bool:
    """Say whether a file holds the OME-XML of TIFFs that lie beside it."""
    return path.name.lower().endswith(COMPANION) and head.lstrip(b"\xef\xbb\xbf \r\n").startswith(
        b"<"
    )


def outline_of(tiff: tifffile.TiffFile, path: Path) -> tuple[omexml.Outline, str]:
    """Return (outline, OME-XML) of a TIFF; an empty one for another TIFF or XML that is none."""
    text = tiff.pages.first.description if len(tiff.pages) else ""
    if omexml.looks_like_ome(text):
        try:
            outline = omexml.inspect(text, path.name)
            if outline.is_ome:
                return outline, text
        except omexml.Malformed:
            pass
    return omexml.Outline(), ""


def _read(path: Path) -> tuple[omexml.Outline, str]:
    if not path.name.lower().endswith(COMPANION):
        with complaints(), tifffile.TiffFile(path, is_mmstack=False, is_ome=False) as tiff:
            return outline_of(tiff, path)
    if path.stat().st_size > omexml.LARGEST:
        raise BadFile("its OME-XML is larger than 64 MB: no real metadata is")
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    try:
        return omexml.inspect(text, path.name), text
    except omexml.Malformed as error:
        raise BadFile(f"its OME-XML is damaged: {error}. Copy it again") from None


def _kin(path: Path) -> tuple[_Kin, omexml.Outline, str]:
    """Return the files around the one that holds the metadata, its outline, and its OME-XML."""
    outline, text = _read(path)
    kin = _Kin(path, outline.uuid)
    if outline.binary_only:
        path = kin.find(*outline.metadata_file)
        outline, text = _read(path)
        kin = _Kin(path, outline.uuid)
    if outline.binary_only or not outline.is_ome:
        raise BadFile(f"{path.name} is named as holding the metadata, but holds none")
    return kin, outline, text


class _Kin:
    """The files beside the one with the metadata. Nothing is looked for anywhere else."""

    def __init__(self, home: Path, uuid: str) -> None:
        self.home, self.uuid = home, uuid

    def find(self, name: str, uuid: str) -> Path:
        """Return a file by its name, or the one that was renamed and has this UUID."""
        if uuid and uuid == self.uuid:
            return self.home
        if any(sign in name for sign in "/\\\0") or name in {".", ".."}:
            raise BadFile(f"it names a file outside of its own folder: {name[:100]!r}")
        path = self.home.with_name(name) if name else None
        if path and path.is_symlink():
            raise BadFile(f"{name[:100]!r}, which belongs to it, is a link: copy the file itself")
        if path and path.is_file():
            return path
        if uuid in self.renamed:
            return self.renamed[uuid]
        raise BadFile(
            f"the file {(name or uuid)[:100]!r}, which belongs to it, is missing: upload them"
            " together"
        )

    @cached_property
    def renamed(self) -> dict[str, Path]:
        """The OME-TIFFs and companions beside, by the UUID that each has inside."""
        found: dict[str, Path] = {}
        for path in itertools.islice(sorted(self.home.parent.iterdir()), MOST_FILES):
            if path.is_symlink() or not path.is_file():
                continue
            try:
                outline, _ = _read(path)
            except (BadFile, tifffile.TiffFileError):
                continue
            if outline.uuid:
                found.setdefault(outline.uuid, path)
        return found


def _image(kin: _Kin, outline: omexml.Outline, ome: ome_types.OME, text: str, at: int) -> Source:
    image = ome.images[at].pixels
    samples = max((channel.samples_per_pixel or 1 for channel in image.channels), default=1)
    size = (image.size_t, image.size_c // samples or 1, image.size_z)
    found = dict(_pages(kin, image, size))
    planes = Planes(size, found)
    if planes.shape[:2] != (image.size_y, image.size_x):
        raise BadFile(
            f"its OME-XML promises planes of {image.size_y} x {image.size_x} pixels, the files"
            f" hold {planes.shape[0]} x {planes.shape[1]}"
        )
    facts = metadata.from_ome(ome, at, text)
    axes, pixels = planes.pixels()
    made = source(facts, axes, pixels)
    return told_missing(made, planes)


def told_missing(image: Source, planes: Planes) -> Source:
    """Return the image with a tag that says which planes no file holds: they are 0."""
    return name_missing(image, planes.missing)


def name_missing(image: Source, missing: list[Place]) -> Source:
    """Return the image with a tag that names the planes that are missing."""
    if not missing:
        return image
    named = listed(f"t {t + 1} c {c + 1} z {z + 1}" for t, c, z in missing[:20])
    more = f" and {len(missing) - 20} more" if len(missing) > 20 else ""
    tag = ("Missing planes", f"{named}{more}"[:400], float(len(missing)))
    return replace(image, tags=(*image.tags, tag))


def _pages(kin: _Kin, pixels: model.Pixels, size: Place) -> Iterator[tuple[Place, Page]]:
    """Yield where each plane lies, as the TiffData elements tell it."""
    order = pixels.dimension_order.value[2:]
    length = dict(zip("TCZ", size, strict=True))
    for block in pixels.tiff_data_blocks:
        told = block.uuid
        path = kin.find(told.file_name or "", told.value) if told else kin.home
        start = {"T": block.first_t, "C": block.first_c, "Z": block.first_z}
        number = block.ifd or 0
        count = block.plane_count
        if count is None:
            count = 1 if block.ifd is not None else len(range(number, _held(path)))
        for step in range(count):
            at: dict[str, int] = {}
            rest = step
            for axis in order:
                rest, at[axis] = divmod((start[axis] or 0) + rest, length[axis])
            if rest:
                raise BadFile(f"its OME-XML puts more planes into {path.name} than it has room for")
            yield (at["T"], at["C"], at["Z"]), Page(path, number + step)


def _held(path: Path) -> int:
    with tifffile.TiffFile(path, is_mmstack=False, is_ome=False) as tiff:
        return len(tiff.pages)
