"""What is wrong with the bytes of one image or file, told file by file. Reads only.

*incomplete*: a file is missing, or is there and belongs to nothing. *invalid*: it is there and is
not what was stored.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import PIL.Image
import tensorstore as ts

from . import manifests, stores
from .roots import files_below, sha256

INCOMPLETE, INVALID = "incomplete", "invalid"
STORE = "image.ome.zarr"
THUMBNAIL = "thumbnail.png"
PICTURE = 512  # pixels; a thumbnail is smaller


@dataclass(frozen=True, slots=True)
class Fault:
    """One object that is not as it should be. notion: incomplete or invalid."""

    key: str
    notion: str
    reason: str


@dataclass(frozen=True, slots=True)
class Promise:
    """What the catalog says of the bytes at a prefix."""

    prefix: str
    name: str
    nbytes: int
    sha256: str


def image_faults(folder: Path, promise: Promise, *, deep: bool) -> Iterator[Fault]:
    """Yield what is wrong with an image's folder; `deep` reads every byte."""
    if not folder.is_dir():
        yield Fault(promise.prefix, INCOMPLETE, "the image has no bytes here")
        return
    said = manifests.promised(folder, promise.sha256)
    found = {name: path for name, path in files_below(folder) if name != manifests.NAME}
    if said is None:
        faults = _by_digest(folder, found, promise, deep)
    else:
        faults = _by_manifest(folder, found, said, deep)
    told = set()
    for name, notion, reason in itertools.chain(faults, _unreadable(found)):
        if name not in told:
            told.add(name)
            yield Fault(f"{promise.prefix}/{name}".rstrip("/"), notion, reason)


def file_faults(folder: Path, promise: Promise, *, deep: bool) -> Iterator[Fault]:
    """Yield what is wrong with the folder of one deposited file, which may be a folder itself."""
    entries = sorted(os.listdir(folder)) if folder.is_dir() else []
    if not entries:
        yield Fault(promise.prefix, INCOMPLETE, "the file has no bytes here")
        return
    # a record may have been renamed since: one entry is the file, whatever its name
    kept = promise.name if promise.name in entries else entries[0]
    for name in entries:
        if name != kept:
            yield Fault(f"{promise.prefix}/{name}", INCOMPLETE, "it belongs to nothing")
    key, path = f"{promise.prefix}/{kept}", folder / kept
    nbytes = sum(file.stat().st_size for _, file in files_below(path))
    if nbytes != promise.nbytes:
        reason = f"it has {nbytes} bytes instead of {promise.nbytes}"
        yield Fault(key, INVALID if path.is_file() else INCOMPLETE, reason)
    elif deep and _digest(path) != promise.sha256:
        yield Fault(key, INVALID, "its bytes changed (sha256)")


Told = tuple[str, str, str]  # name below the folder, notion, reason


def _by_manifest(
    folder: Path, found: dict[str, Path], said: dict[str, str], deep: bool
) -> Iterator[Told]:
    for name in sorted(said.keys() - found.keys()):
        yield name, INCOMPLETE, "it is missing"
    for name in sorted({*_entries(folder)} - said.keys() - {manifests.NAME}):
        yield name, INCOMPLETE, "it belongs to nothing"
    if deep:
        for name in sorted(said.keys() & found.keys()):
            if sha256(found[name]) != said[name]:
                yield name, INVALID, "its bytes changed (sha256)"


def _by_digest(
    folder: Path, found: dict[str, Path], promise: Promise, deep: bool
) -> Iterator[Told]:
    """Without a good manifest only the whole is known, and what its own checksums tell."""
    damaged = (folder / manifests.NAME).exists()
    if deep and manifests.digest(manifests.lines(folder)) == promise.sha256:
        if damaged:
            yield manifests.NAME, INVALID, "its bytes changed; the files that it names are whole"
        return
    if damaged:
        yield manifests.NAME, INVALID, "its bytes changed (sha256)"
    nbytes = sum(path.stat().st_size for path in found.values())
    if nbytes != promise.nbytes:
        yield "", INCOMPLETE, f"its files have {nbytes} bytes instead of {promise.nbytes}"
    elif deep:
        yield "", INVALID, "its files do not have their digest (sha256)"
    if deep:
        yield from _undecodable(folder / STORE)


def _entries(folder: Path) -> Iterator[str]:
    """Yield everything below the folder that is no folder, links included."""
    for here, folders, names in os.walk(folder):
        links = [name for name in folders if Path(here, name).is_symlink()]
        for name in (*names, *links):
            yield Path(here, name).relative_to(folder).as_posix()


def _unreadable(found: dict[str, Path]) -> Iterator[Told]:
    """Yield metadata that is no JSON, and a thumbnail that is no picture."""
    for name, path in sorted(found.items()):
        if path.name == "zarr.json":
            try:
                if json.loads(path.read_bytes()).get("zarr_format") != 3:
                    yield name, INVALID, "it is no zarr metadata"
            except (ValueError, AttributeError):
                yield name, INVALID, "it is no zarr metadata"
    if not any(name == f"{STORE}/zarr.json" for name in found):
        yield f"{STORE}/zarr.json", INCOMPLETE, "it is missing"
    if THUMBNAIL not in found:
        yield THUMBNAIL, INCOMPLETE, "it is missing"
    elif not _is_picture(found[THUMBNAIL]):
        yield THUMBNAIL, INVALID, "it is no picture"


def _is_picture(path: Path) -> bool:
    try:
        with PIL.Image.open(path, formats=["PNG"]) as picture:
            if max(picture.size) > PICTURE:
                return False
            picture.verify()
    except (OSError, SyntaxError, ValueError):
        return False
    return True


def _undecodable(store: Path) -> Iterator[Told]:
    """Yield the shards whose index or chunks fail their own crc32c."""
    try:
        levels = stores.group(store)["multiscales"][0]["datasets"]
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return  # its metadata was told already
    for level in range(len(levels)):
        name = f"{STORE}/{level}"
        try:
            array = stores.open_level(store, level)
            shard = [s or n for s, n in zip(_shard(array), array.shape, strict=True)]
        except ValueError:
            yield f"{name}/zarr.json", INVALID, "it is no zarr metadata"
            continue
        counts = [range(-(-size // s)) for size, s in zip(array.shape, shard, strict=True)]
        for at in itertools.product(*counts):
            where = tuple(
                slice(n * s, min((n + 1) * s, size))
                for n, s, size in zip(at, shard, array.shape, strict=True)
            )
            try:
                array[where].read().result()
            except ValueError:
                yield f"{name}/c/{'/'.join(map(str, at))}", INVALID, "a checksum in it fails"


def _shard(array: ts.TensorStore) -> tuple[int | None, ...]:
    return array.chunk_layout.write_chunk.shape or array.shape


def _digest(path: Path) -> str:
    return sha256(path) if path.is_file() else manifests.digest(_lines(path))


def _lines(folder: Path) -> str:
    return "".join(sorted(f"{name} {sha256(file)}\n" for name, file in files_below(folder)))
