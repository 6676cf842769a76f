"""Run by a Python of its own: takes an image in, one way, as often as it is asked.

`python _ways.py WAY` reads lines "SOURCE TARGET", makes the new folder TARGET of the OME-TIFF
SOURCE and answers with the seconds that it took. What a way needs is imported before the first.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

LEVELS = 5
CODEC = {"cname": "zstd", "clevel": 1, "shuffle": "bitshuffle", "typesize": 2, "blocksize": 0}
CHUNK = 512
PIECE = 1 << 20
Way = Callable[[Path, Path], None]


def copy() -> Way:
    """The least that taking a file in can cost: copy, hash, force to disk."""

    def taken(source: Path, target: Path) -> None:
        target.mkdir()
        shutil.copyfile(source, target / "copy")
        with (target / "copy").open("rb") as file:
            hashlib.file_digest(file, "sha256")
            os.fsync(file.fileno())

    return taken


def raw() -> Way:
    """Raw tensorstore as its manual shows it: a whole level at a time, in its own context.

    One shard a plane, and each file forced to disk, which tensorstore does unless it is told not
    to. The writer that our bars were set by had one shard a plane too, and took five times as long
    as `copy`: on a busy machine this one takes three to seven times, `streaming` two to four.
    """

    def taken(source: Path, target: Path) -> None:
        pixels = tifffile.imread(source)
        for at in range(LEVELS):
            level(target, at, pixels.shape, pixels.shape[-1]).write(pixels).result()
            if at + 1 < LEVELS:
                above, pixels = pixels.shape[:-2], pixels.reshape(-1, *pixels.shape[-2:])
                pixels = np.stack([halved(plane) for plane in pixels])
                pixels = pixels.reshape(*above, *pixels.shape[-2:])

    return taken


def streaming() -> Way:
    """Tensorstore as we use it, with nothing beside: plane by plane, nothing forced to disk."""
    import tensorstore as ts

    def taken(source: Path, target: Path) -> None:
        context = ts.Context({"file_io_sync": False})
        with tifffile.TiffFile(source) as tiff:
            shape = tiff.series[0].shape
            sizes = [(*shape[:-2], shape[-2] >> at, shape[-1] >> at) for at in range(LEVELS)]
            arrays = [
                level(target, at, size, min(4 * CHUNK, size[-1]), context=context)
                for at, size in enumerate(sizes)
            ]
            coming: list[list[Any]] = []
            for number, page in enumerate(tiff.series[0].pages):
                place = np.unravel_index(number, shape[:-2])
                pixels = page.asarray()
                coming.append([])
                for array in arrays:
                    coming[-1].append(array[place].write(pixels))
                    pixels = halved(pixels)
                if len(coming) > 2:
                    for future in coming.pop(0):
                        future.result()
        for futures in coming:
            for future in futures:
                future.result()

    return taken


def level(target: Path, at: int, shape: tuple[int, ...], wide: int, **how: Any) -> Any:
    """Create one level of tensorstore's: our codec and chunks, shards of `wide` pixels."""
    import tensorstore as ts

    bytes_ = {"name": "bytes", "configuration": {"endian": "little"}}
    blosc = {"name": "blosc", "configuration": CODEC}
    above, side = (1,) * (len(shape) - 2), min(CHUNK, wide)
    sharding = {
        "chunk_shape": [*above, side, side],
        "codecs": [bytes_, blosc, {"name": "crc32c"}],
        "index_codecs": [bytes_, {"name": "crc32c"}],
        "index_location": "end",
    }
    metadata = {
        "shape": shape,
        "data_type": "uint16",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [*above, wide, wide]}},
        "codecs": [{"name": "sharding_indexed", "configuration": sharding}],
    }
    place = {"driver": "file", "path": f"{target}/{at}/"}
    spec = {"driver": "zarr3", "kvstore": place, "metadata": metadata}
    return ts.open(spec, create=True, **how).result()


def halved(pixels: Any) -> Any:
    """Return a plane at half its size, the mean of four rounded half up."""
    total = np.add(pixels[::2, ::2], pixels[1::2, ::2], dtype=np.uint32)
    total += pixels[::2, 1::2]
    total += pixels[1::2, 1::2]
    total += 2
    total >>= 2
    return total.astype(np.uint16)


def written() -> Way:
    """Our reader and writer alone."""
    from cid_server_ext.storage import omezarr
    from cid_server_ext.storage.readers import open_images

    def taken(source: Path, target: Path) -> None:
        target.mkdir()
        omezarr.write(open_images(source)[0], target)

    return taken


def registered() -> Way:
    """All that we do: copied and hashed, then an import as the service runs it, committed."""
    from _registration import Registration

    place: list[Registration] = []

    def taken(source: Path, target: Path) -> None:
        if not place:
            place.append(Registration(target.parent / "registered"))
        place[0].take(source, target)

    return taken


def bioio() -> Way:
    """The writer of bioio-ome-zarr, given our levels, shards and codec."""
    from bioio_ome_zarr.writers import OMEZarrWriter
    from zarr.codecs import BloscCodec

    def taken(source: Path, target: Path) -> None:
        pixels = lazy(source)
        shape = pixels.shape
        above = (1,) * (len(shape) - 2)
        sizes = [(*shape[:-2], shape[-2] >> at, shape[-1] >> at) for at in range(LEVELS)]
        sides = [(min(CHUNK, size[-1]), min(4 * CHUNK, size[-1])) for size in sizes]
        writer = OMEZarrWriter(
            str(target),
            sizes,
            "uint16",
            chunk_shape=[(*above, side, side) for side, _ in sides],
            shard_shape=[(*above, wide, wide) for _, wide in sides],
            compressor=BloscCodec(cname="zstd", clevel=1, shuffle="bitshuffle"),
            axes_names=list(axes(shape)),
        )
        writer.write_full_volume(pixels)

    return taken


def ngff() -> Way:
    """ngff-zarr as it comes, but for chunks of our size."""
    import ngff_zarr

    def taken(source: Path, target: Path) -> None:
        pixels = lazy(source)
        named = axes(pixels.shape)
        image = ngff_zarr.to_ngff_image(pixels, dims=list(named))
        chunks = {axis: CHUNK if axis in "yx" else 1 for axis in named}
        spatial = named.removeprefix("c")  # it asks for a factor of z too
        factors = [{a: 2**at if a in "yx" else 1 for a in spatial} for at in range(1, LEVELS)]
        scales = ngff_zarr.to_multiscales(image, scale_factors=factors, chunks=chunks)
        ngff_zarr.to_ngff_zarr(str(target), scales, version="0.5")

    return taken


def ome_zarr() -> Way:
    """ome-zarr-py as it comes, but for chunks of our size."""
    import zarr
    from ome_zarr.format import FormatV05
    from ome_zarr.writer import write_image

    def taken(source: Path, target: Path) -> None:
        pixels = lazy(source)
        named = axes(pixels.shape)
        chunks = tuple(CHUNK if axis in "yx" else 1 for axis in named)
        group = zarr.open_group(str(target), mode="w", zarr_format=3)
        how = {"fmt": FormatV05(), "storage_options": {"chunks": chunks}}
        write_image(pixels, group, axes=named, **how)

    return taken


def lazy(source: Path) -> Any:
    """Return a TIFF as the peers like it: dask, a plane a chunk."""
    import dask.array as da

    return da.from_zarr(tifffile.imread(source, aszarr=True, chunkmode="page"))


def axes(shape: tuple[int, ...]) -> str:
    """Return the axes of a stack of the bench."""
    return "czyx"[-len(shape) :] if len(shape) == 4 else "cyx"


WAYS: dict[str, Callable[[], Way]] = {
    way.__name__: way for way in (registered, written, raw, streaming, copy, bioio, ngff, ome_zarr)
}
LEVEL0 = {
    "registered": "0",
    "written": "0",
    "raw": "0",
    "streaming": "0",
    "bioio": "0",
    "ngff": "scale0/image",
    "ome_zarr": "s0",
}


def main(name: str) -> None:
    """Answer as long as somebody asks."""
    taken = WAYS[name]()
    print("ready", flush=True)
    for line in sys.stdin:
        source, target = map(Path, line.split())
        began = time.perf_counter()
        taken(source, target)
        print(time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
