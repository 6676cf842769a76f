"""Opening the arrays of OME-Zarr stores with tensorstore: our own, and those that stay in place."""

from __future__ import annotations

import functools
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorstore as ts

from .layout import Block, Layout, Shape

MOST_WORKERS = 8  # of one image: on a large machine it is the imports that run side by side
BYTES = {"name": "bytes", "configuration": {"endian": "little"}}
CRC = {"name": "crc32c"}  # a flipped bit, in a chunk or in a shard's index, is noticed when read


def codecs(itemsize: int) -> list[dict[str, Any]]:
    """Return the codecs of one chunk: zstd after bit shuffling, the quickest for its size here."""
    blosc = {
        "cname": "zstd",
        "clevel": 1,
        "shuffle": "bitshuffle",
        "typesize": itemsize,
        "blocksize": 0,
    }
    return [BYTES, {"name": "blosc", "configuration": blosc}, CRC]


def array_metadata(axes: str, cut: Layout, dtype: np.dtype[Any]) -> dict[str, Any]:
    """Return the zarr v3 metadata of one level, sharded."""
    sharding = {
        "chunk_shape": cut.chunk,
        "codecs": codecs(dtype.itemsize),
        "index_codecs": [BYTES, CRC],
        "index_location": "end",
    }
    return {
        "shape": cut.shape,
        "data_type": dtype.name,
        "dimension_names": list(axes),
        "fill_value": 0,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": cut.shard}},
        "codecs": [{"name": "sharding_indexed", "configuration": sharding}],
    }


def create_level(
    store: Path, level: int, axes: str, cut: Layout, dtype: np.dtype[Any]
) -> ts.TensorStore:
    """Create one empty level of a store."""
    metadata = array_metadata(axes, cut, dtype)
    return ts.open(
        {**_spec(store, level), "metadata": metadata}, create=True, context=_context()
    ).result()


def open_level(store: Path, level: int) -> ts.TensorStore:
    """Open one level of a store for reading; nothing is cached."""
    return ts.open(_spec(store, level), read=True, context=_context()).result()


def shard(store: Path, level: int, part: Block, cut: Shape) -> Path:
    """Return the file that holds a part of a level; `cut` is the shape of a shard."""
    index = (str(place.start // width) for place, width in zip(part, cut, strict=True))
    return Path(store, str(level), "c", *index)


def group(store: Path) -> dict[str, Any]:
    """Return the `ome` attributes of a store; of one in place, of version 0.4 too."""
    if not (store / "zarr.json").is_file() and (store / ".zattrs").is_file():
        return dict(json.loads((store / ".zattrs").read_bytes()))
    attributes = json.loads((store / "zarr.json").read_bytes())["attributes"]["ome"]
    return dict(attributes)


def write_group(store: Path, ome: dict[str, Any]) -> None:
    """Write the store's group metadata: until this is there, the store is no image."""
    document = {"zarr_format": 3, "node_type": "group", "attributes": {"ome": ome}}
    (store / "zarr.json").write_text(json.dumps(document, indent=1, allow_nan=False))


def _spec(store: Path, level: int) -> dict[str, Any]:
    return {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{store}/{level}/"}}


def open_in_place(store: Path, level: int) -> ts.TensorStore:
    """Open one level of a store that others wrote, where its metadata says that it is."""
    return open_array(store / group(store)["multiscales"][0]["datasets"][level]["path"])


def open_array(folder: Path) -> ts.TensorStore:
    """Open an array of either version of zarr for reading; nothing is cached."""
    driver = "zarr3" if (folder / "zarr.json").is_file() else "zarr"
    spec = {"driver": driver, "kvstore": {"driver": "file", "path": f"{folder}/"}}
    return ts.open(spec, read=True, context=_context()).result()


@dataclass(frozen=True, slots=True)
class Array:
    """What the metadata of an array of either version says.

    piece: what is decoded at once; file: what lies in one file, a chunk or a shard.
    """

    shape: Shape
    dtype: np.dtype[Any]
    piece: Shape
    file: Shape
    start: str
    between: str

    @classmethod
    def of(cls, folder: Path) -> Array:
        """Read it; ValueError, KeyError or TypeError: it is none."""
        new = folder / "zarr.json"
        told = json.loads((new if new.is_file() else folder / ".zarray").read_bytes())
        if "chunks" in told:
            chunk, separator = _lengths(told["chunks"]), told.get("dimension_separator", ".")
            dtype = np.dtype(told["dtype"]).newbyteorder("=")
            return cls(_lengths(told["shape"]), dtype, chunk, chunk, "", separator)
        file = piece = _lengths(told["chunk_grid"]["configuration"]["chunk_shape"])
        if told["codecs"][0]["name"] == "sharding_indexed":
            piece = _lengths(told["codecs"][0]["configuration"]["chunk_shape"])
        keys = told["chunk_key_encoding"]
        plain = keys["name"] == "v2"
        between = (keys.get("configuration") or {}).get("separator", "." if plain else "/")
        dtype = np.dtype(told["data_type"])
        return cls(
            _lengths(told["shape"]), dtype, piece, file, "" if plain else f"c{between}", between
        )

    def files(self, box: Sequence[tuple[int, int]]) -> Iterator[str]:
        """Yield the files below the array's folder that hold a part of it, if they are there."""
        counts = (
            range(first // width, -(-last // width))
            for (first, last), width in zip(box, self.file, strict=True)
        )
        for index in itertools.product(*counts):
            yield self.start + self.between.join(map(str, index))


def _lengths(told: Iterable[Any]) -> Shape:
    return tuple(int(length) for length in told)


@functools.cache
def _context() -> ts.Context:
    """Return the one context of this process.

    It lives as long as the process: tensorstore's pool of threads may look for work in a context
    that has just gone, and then the process crashes, once in some thousand arrays.
    """
    workers = {"limit": min(MOST_WORKERS, os.cpu_count() or 1)}
    return ts.Context(
        {
            "cache_pool": {"total_bytes_limit": 0},
            "data_copy_concurrency": workers,
            "file_io_concurrency": workers,
            "file_io_sync": False,  # publishing flushes the whole folder, once
        }
    )
