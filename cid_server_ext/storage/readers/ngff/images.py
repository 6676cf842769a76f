"""Reading OME-Zarr 0.1 to 0.5 through bioio: images, their labels, series and plates."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bioio_ome_zarr
import dask.array as da
import zarr

from ....errors import BadFile
from ... import stores
from ..ome import metadata, omemodel, omexml
from ..source import AXES, Facts, MachineTag, Source, source
from ..values import clean, text
from .bones import (
    METADATA,
    attributes_of,
    check_multiscale,
    check_tree,
    is_old,
    is_zarr,
    json_of,
    plain,
    with_axes,
)
from .facts import from_ngff

MOST_IMAGES = 10_000
SIDECAR = "OME/METADATA.ome.xml"


@dataclass(frozen=True, slots=True)
class Place:
    """A group of the store that holds multiscales, and where on a plate it was.

    described: the number of its image in the OME-XML of the whole store, where there is one.
    """

    path: str
    tags: tuple[MachineTag, ...] = ()
    described: int | None = None


def open_ngff(path: Path) -> list[Source]:
    """Return the images of an OME-Zarr, each followed by its labels: one, a series, or a plate."""
    check_tree(path)
    found: list[Source] = []
    for place in places(path):
        at = len(found)
        found += _open_group(path, place)
        for label in labels_of(path, place.path):
            name = label.rpartition("/")[2]
            for one in _open_group(path, Place(label), "labels"):
                found.append(replace(one, of=at, name=name))
        if len(found) > MOST_IMAGES:
            raise BadFile(f"the Zarr holds more than {MOST_IMAGES} images")
    if not found:
        raise BadFile("the Zarr holds no OME-Zarr image (no multiscales in its metadata)")
    return found


def _open_group(path: Path, place: Place, kind: str = "image") -> list[Source]:
    folder = path / place.path
    attributes = attributes_of(folder)
    if "image-label" in attributes:
        kind = "labels"
    try:
        reader = bioio_ome_zarr.Reader(folder)
        found = []
        for at, told in enumerate(attributes["multiscales"]):
            multiscale = with_axes(told)
            check_multiscale(folder, multiscale)
            _check_chunks(folder / multiscale["datasets"][0]["path"])
            dims = "".join(axis["name"] for axis in multiscale["axes"])
            if is_old(told):  # which bioio does not read
                level = zarr.open_array(folder / multiscale["datasets"][0]["path"], mode="r")
                pixels = da.from_array(level, chunks=level.chunks)
            else:
                reader.set_scene(at)
                pixels = reader.xarray_dask_data.data
            facts = facts_of(path, place, multiscale, attributes, at)
            keep = AXES if kind == "image" else "tzyx"  # labels have no channels
            made = replace(source(facts, dims, pixels, keep=keep), kind=kind)
            if kind == "image":
                empty = _empty(folder / plain(multiscale["datasets"][0]["path"], depth=4))
                made = replace(made, tags=(*made.tags, *empty))
            found.append(made)
        return found
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise BadFile(f"its OME-Zarr metadata is not valid: {error!r:.120}") from None


def _check_chunks(level: Path) -> None:
    """Refuse chunks in folders where nothing says so: all of them would be read as 0."""
    document = json_of(level / ".zarray") if (level / ".zarray").is_file() else None
    if document is None or "dimension_separator" in document:
        return
    with os.scandir(level) as entries:
        nested = any(one.name.isdecimal() and one.is_dir() for one in entries)
    if nested:
        raise BadFile(
            "its chunks lie in folders, and its .zarray does not say so: write"
            ' "dimension_separator": "/" into it'
        )


def _empty(level: Path) -> Iterator[MachineTag]:
    """Tell of chunks that no file holds: left out where all is 0, or lost; who knows?"""
    try:
        array = stores.Array.of(level)
    except (ValueError, KeyError, TypeError):
        return  # opening it says what is wrong
    grid = math.prod(
        -(-length // width) for length, width in zip(array.shape, array.file, strict=True)
    )
    held = sum(file.name not in METADATA for file in level.rglob("*") if file.is_file())
    if held < grid:
        said = f"{grid - held} of {grid} are not in the store: read as its fill value"
        yield "Empty chunks", said, float(grid - held)


def facts_of(
    path: Path, place: Place, multiscale: dict[str, Any], attributes: dict[str, Any], at: int
) -> Facts:
    """Return what the metadata says of one image, with the OME-XML beside it."""
    facts = from_ngff(multiscale, attributes.get("omero") or {})
    name = " ".join(part for part in (place.path, facts.name) if part)
    facts = replace(facts, name=name, tags=place.tags)
    told = _sidecar(path / place.path, at)
    if told is None and place.described is not None:
        told = _sidecar(path, place.described)
    if told is None:
        return facts
    channels = facts.channels or told.channels
    if len(facts.channels) == len(told.channels):
        both = zip(told.channels, facts.channels, strict=True)
        channels = tuple({**one, **other} for one, other in both)
    return replace(
        told,
        name=name,
        scale={**told.scale, **facts.scale},
        units={**told.units, **facts.units},
        channels=channels,
        tags=(*told.tags, *place.tags),
    )


def _sidecar(folder: Path, at: int) -> Facts | None:
    """Return what the OME-XML kept beside the pixels says of one image."""
    beside = folder / SIDECAR
    if not beside.is_file() or beside.stat().st_size > omexml.LARGEST:
        return None
    xml = beside.read_text(encoding="utf-8", errors="replace")
    try:
        omexml.inspect(xml, folder.name)
        ome = omemodel.from_xml(xml)
        return metadata.from_ome(ome, min(at, len(ome.images) - 1), xml)
    except (omexml.Malformed, ValueError, TypeError, IndexError):
        return None


def places(path: Path) -> Iterator[Place]:
    """Yield the places that hold multiscales: the store, its series, or the fields of a plate."""
    attributes = attributes_of(path)
    if attributes.get("multiscales"):
        yield Place("")
    elif plate := attributes.get("plate"):
        yield from _fields(path, plate)
    elif "bioformats2raw.layout" in attributes:
        for number in range(MOST_IMAGES + 1):
            if not is_zarr(path / str(number)):
                return
            yield Place(str(number), described=number)


def _fields(path: Path, plate: dict[str, Any]) -> Iterator[Place]:
    for well in plate.get("wells") or []:
        inside = plain(well.get("path"), depth=2)
        row, _, column = inside.partition("/")
        number = f"{int(column):02d}" if column.isdecimal() else column
        for field in (attributes_of(path / inside).get("well") or {}).get("images", []):
            name = plain(field.get("path"))
            tags = (
                ("Plate", clean(text(plate.get("name")))),
                ("Well", f"{row}{number}"),
                ("Row", row),
                ("Column", column),
                ("Field", name),
            )
            told = tuple((key, said, _number(said)) for key, said in tags if said)
            yield Place(f"{inside}/{name}", told)


def labels_of(path: Path, place: str) -> Iterator[str]:
    """Yield the places of the labels of an image."""
    below = f"{place}/labels".strip("/")
    for name in attributes_of(path / below).get("labels") or []:
        label = f"{below}/{plain(name, depth=4)}"
        if attributes_of(path / label).get("multiscales"):
            yield label


def _number(said: str) -> float | None:
    return float(said) if said.isdecimal() else None
