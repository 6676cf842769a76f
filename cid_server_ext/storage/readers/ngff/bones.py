"""What the metadata of an OME-Zarr asks for, looked at before it is read."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ....errors import BadFile
from ..source import AXES

METADATA = frozenset({"zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata"})
LARGEST_METADATA = 16 << 20  # bytes
LARGEST_CHUNK = 1 << 30  # bytes, decoded
MOST_FILES = 2_000_000
# Codecs that turn bytes into numbers and nothing else; pickle and its kind are not among them.
CODECS = frozenset(
    {"bytes", "endian", "transpose", "sharding_indexed", "crc32", "crc32c", "adler32"}
    | {"blosc", "bz2", "gzip", "lz4", "lzma", "zlib", "zstd"}
    | {"delta", "fixedscaleoffset", "packbits", "shuffle"}
)


def attributes_of(folder: Path) -> dict[str, Any]:
    """Return the NGFF attributes of a group, of either version."""
    if (folder / "zarr.json").is_file():
        attributes = json_of(folder / "zarr.json").get("attributes") or {}
        return dict(attributes.get("ome") or attributes)
    return json_of(folder / ".zattrs") if (folder / ".zattrs").is_file() else {}


def json_of(file: Path) -> dict[str, Any]:
    """Return a metadata document; BadFile: it is none."""
    if file.stat().st_size > LARGEST_METADATA:
        raise BadFile(f"{file.name} is larger than 16 MB: no real metadata is")
    try:
        found = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        raise BadFile(f"{file.name} is not JSON: the Zarr is damaged") from None
    if not isinstance(found, dict):
        raise BadFile(f"{file.name} holds no metadata: the Zarr is damaged")
    return found


def plain(place: Any, depth: int = 1) -> str:
    """Return a path inside the store, or raise BadFile for one that could lead out of it."""
    parts = place.split("/") if isinstance(place, str) else []
    if not 1 <= len(parts) <= depth or any(part in {"", ".", ".."} for part in parts):
        raise BadFile(f"its metadata names a path that is not plain: {place!r:.80}")
    return str(place)


def is_zarr(path: Path) -> bool:
    """Say whether a folder is a Zarr group or array."""
    return any((path / name).is_file() for name in ("zarr.json", ".zgroup", ".zarray"))


def check_tree(path: Path) -> None:
    """Refuse links, devices, endless trees and arrays that we do not decode."""
    count = 0
    for folder, folders, names in os.walk(path, followlinks=False):
        for name in (*folders, *names):
            entry = Path(folder, name)
            if entry.is_symlink():
                raise BadFile("the Zarr holds a link to somewhere else: copy the files instead")
            if not entry.is_dir() and not entry.is_file():
                raise BadFile("the Zarr holds something that is neither a file nor a folder")
        count += len(names)
        if count > MOST_FILES:
            raise BadFile(f"the Zarr has more than {MOST_FILES} files: write it sharded")
        for name in METADATA.intersection(names):
            check_document(json_of(Path(folder, name)), name)


def check_document(document: dict[str, Any], name: str) -> None:
    """Refuse arrays that we do not decode, in a metadata document that is called `name`."""
    if name == ".zmetadata":
        for key, inner in (document.get("metadata") or {}).items():
            if key.endswith(".zarray"):
                _check_array(inner, inner.get("chunks"), inner.get("dtype"))
    elif name == ".zarray":
        _check_array(document, document.get("chunks"), document.get("dtype"))
    elif name == "zarr.json":
        if document.get("storage_transformers"):
            raise BadFile("the Zarr uses storage transformers, which CID does not read")
        if document.get("node_type") == "array":
            grid = document.get("chunk_grid") or {}
            chunks = (grid.get("configuration") or {}).get("chunk_shape")
            _check_array(document, chunks, document.get("data_type"))
        inner = (document.get("consolidated_metadata") or {}).get("metadata") or {}
        for node in inner.values():
            check_document(node, name)


def _check_array(document: dict[str, Any], chunks: Any, dtype: Any) -> None:
    shape = document.get("shape")
    try:
        kind = np.dtype(dtype)
    except TypeError:
        kind = np.dtype(object)
    if kind.kind not in "biuf":
        raise BadFile(f"the Zarr holds values of type {dtype!r:.40}, not pixels")
    if not _sizes(shape, 0) or not _sizes(chunks, 1) or len(shape) != len(chunks):
        raise BadFile(f"the Zarr has an impossible shape {shape!r:.60} or chunk {chunks!r:.60}")
    sharded = any(
        isinstance(codec, dict) and codec.get("name") == "sharding_indexed"
        for codec in document.get("codecs") or []
    )
    if not sharded and math.prod(chunks) * kind.itemsize > LARGEST_CHUNK:
        raise BadFile("the Zarr has chunks larger than 1 GiB: write it with smaller ones")
    for codec in _codecs(document):
        if codec.removeprefix("numcodecs.") not in CODECS:
            raise BadFile(f"the Zarr is written with {codec[:40]!r}, which CID does not decode")


def _codecs(node: Any) -> Iterator[str]:
    """Yield the name of every codec of an array, those inside a shard included."""
    if isinstance(node, list):
        for item in node:
            yield from _codecs(item)
    elif isinstance(node, dict):
        for key in ("codecs", "index_codecs", "filters", "compressor", "configuration"):
            for item in _listed(node.get(key)):
                if key != "configuration":
                    yield str(item.get("id") or item.get("name"))
                yield from _codecs(item)


def _listed(value: Any) -> list[dict[str, Any]]:
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, dict)]


def _sizes(shape: Any, least: int) -> bool:
    return isinstance(shape, list) and all(
        isinstance(size, int) and not isinstance(size, bool) and least <= size < 1 << 48
        for size in shape
    )


def is_old(multiscale: dict[str, Any]) -> bool:
    """Say whether metadata is of a version before 0.4: axes are names, or not told at all."""
    told = multiscale.get("axes")
    return not told or isinstance(told[0], str)


def with_axes(multiscale: dict[str, Any]) -> dict[str, Any]:
    """Return metadata with axes as 0.4 tells them; 0.1 and 0.2 have always all five."""
    if not is_old(multiscale):
        return multiscale
    axes = [{"name": name} for name in multiscale.get("axes") or AXES]
    return {**multiscale, "axes": axes}


def check_multiscale(folder: Path, multiscale: dict[str, Any]) -> None:
    """Refuse axes that CID does not know and levels that are not there."""
    told = multiscale["axes"]
    axes = [axis["name"] for axis in told]
    if any(axis not in tuple(AXES) for axis in axes) or len(set(axes)) != len(axes):
        raise BadFile(f"the OME-Zarr has axes {axes!r:.60}; CID knows t, c, z, y and x")
    first = plain(multiscale["datasets"][0]["path"], depth=4)
    place = folder / first
    document = json_of(place / ("zarr.json" if (place / "zarr.json").is_file() else ".zarray"))
    if len(document.get("shape") or []) != len(axes):
        raise BadFile(f"the OME-Zarr has the axes {axes!r:.60}, its pixels another number of them")
