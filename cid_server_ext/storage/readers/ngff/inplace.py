"""What an OME-Zarr holds, from its metadata alone: no chunk is listed, read or counted.

For stores that stay where they are. Only documents that the metadata itself names are opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np

from ....errors import BadFile
from ..sidecar import complete
from ..source import AXES, Source, source
from .bones import METADATA, attributes_of, check_document, check_multiscale, is_old, json_of, plain
from .images import MOST_IMAGES, Place, facts_of, labels_of, places

NOT_KEPT = "<OME/>"  # nothing is written beside a store in place: no OME-XML is made for it


@dataclass(frozen=True, slots=True)
class InPlace:
    """One image of a store: where in it, and the documents that say all of this."""

    source: Source
    inside: str
    levels: int
    documents: tuple[str, ...]


def described(path: Path) -> Iterator[InPlace]:
    """Yield the images of an OME-Zarr, each followed by its labels.

    BadFile: it cannot be shown where it is, with the way out.
    """
    count = 0
    for place in places(path):
        at = count
        yield _one(path, place, "image")
        count += 1
        for label in labels_of(path, place.path):
            found = _one(path, Place(label), "labels")
            name = label.rpartition("/")[2]
            yield replace(found, source=replace(found.source, of=at, name=name))
            count += 1
        if count > MOST_IMAGES:
            raise BadFile(f"the Zarr holds more than {MOST_IMAGES} images")
    if not count:
        raise BadFile("the Zarr holds no OME-Zarr image (no multiscales in its metadata)")


def documents(path: Path, inside: str) -> Iterator[str]:
    """Yield the documents of the groups that an image lies in, the store's own first."""
    parts = inside.split("/") if inside else []
    for depth in range(len(parts)):
        yield from _of(path, "/".join(parts[:depth]))


def _one(path: Path, place: Place, kind: str) -> InPlace:
    folder = path / place.path
    attributes = attributes_of(folder)
    try:
        multiscale, *others = attributes["multiscales"]
        if others:
            raise BadFile("a group in it holds several images: import it, so that each has its own")
        if is_old(multiscale):
            raise BadFile("it is an OME-Zarr of version 0.3 or older: import it, which renews it")
        check_multiscale(folder, multiscale)
        axes = "".join(axis["name"] for axis in multiscale["axes"])
        levels = [plain(level["path"], depth=4) for level in multiscale["datasets"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadFile(f"its OME-Zarr metadata is not valid: {error!r:.120}") from None
    if axes != "".join(axis for axis in AXES if axis in axes):
        raise BadFile(f"its axes are in the order {axes}: import it, which puts them in order")
    named = [*_of(path, place.path)]
    for level in levels:
        named += _of(path, f"{place.path}/{level}".strip("/"))
    shape, dtype = _array(folder / levels[0])
    facts = facts_of(path, place, multiscale, attributes, 0)
    whole = tuple((length,) for length in shape)
    pixels = da.Array({}, "in place", whole, dtype=dtype)  # of the right size, never computed
    made = source(facts, axes, pixels, keep=AXES)
    made = complete(replace(made, ome_xml=made.ome_xml or NOT_KEPT), "OME-Zarr")
    is_labels = kind == "labels" or "image-label" in attributes
    made = replace(made, kind="labels" if is_labels else "image")
    return InPlace(made, place.path, len(levels), tuple(named))


def _array(folder: Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    new = folder / "zarr.json"
    document = json_of(new if new.is_file() else folder / ".zarray")
    dtype = np.dtype(document.get("data_type") or document.get("dtype"))
    return tuple(document["shape"]), dtype


def _of(path: Path, inside: str) -> Iterator[str]:
    """Yield the documents in one folder of the store, each looked at."""
    folder = path / inside
    for here in (folder, *folder.parents):
        if here == path:
            break
        if here.is_symlink():
            raise BadFile("the Zarr holds a link to somewhere else: copy the files instead")
    for name in sorted(METADATA):
        file = folder / name
        if file.is_symlink():
            raise BadFile("the Zarr holds a link to somewhere else: copy the files instead")
        if file.is_file():
            check_document(json_of(file), name)
            yield f"{inside}/{name}".lstrip("/")
