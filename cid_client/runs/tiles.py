"""A function on an image tile by tile, on all workers of the run's cluster, in little memory."""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInput
from ..wire import counted

if TYPE_CHECKING:
    import numpy as np

TILES = ".tiles"  # in the scratch folder: how many are done, of how many
AHEAD = 2  # tiles that wait at each thread of a worker

Region = tuple[slice, ...]


@dataclass(frozen=True, slots=True)
class Tile:
    """One piece of an array: what the function is given, and what of its result is kept."""

    given: Region  # of the array, with what overlaps
    kept: Region  # of the array
    inner: Region  # of the function's result


def tiles(shape: Sequence[int], size: int, overlap: int = 0) -> list[Tile]:
    """Cut the last two axes into tiles of `size`, each given `overlap` more on every side."""
    if size < 1 or overlap < 0:
        raise BadInput(f"tiles of {size} that overlap by {overlap}: size 1 or more, overlap 0 or")
    whole = [slice(0, n) for n in shape[:-2]]
    axes = [[slice(a, min(a + size, n)) for a in range(0, n, size)] for n in shape[-2:]]
    cut = []
    for kept in itertools.product(*axes):
        given = [
            slice(max(0, one.start - overlap), min(n, one.stop + overlap))
            for one, n in zip(kept, shape[-2:], strict=True)
        ]
        inner = [
            slice(one.start - more.start, one.stop - more.start)
            for one, more in zip(kept, given, strict=True)
        ]
        cut.append(Tile((*whole, *given), (*whole, *kept), (*whole, *inner)))
    return cut


def map_tiles(
    client: Any,  # of distributed, which is not typed
    run: str,
    scratch: Path,
    function: Callable[..., Any],
    array: Any,
    *,
    size: int,
    overlap: int,
    keywords: dict[str, Any],
) -> np.ndarray[Any, Any]:
    """See `CurrentRun.map_tiles`. The result lies in a file that goes with the last use of it."""
    data = getattr(array, "data", array) if hasattr(array, "dims") else array
    if getattr(data, "ndim", 0) < 2:
        raise BadInput("map_tiles takes an array whose last two axes are y and x")
    todo = tiles(data.shape, size, overlap)
    result: np.ndarray[Any, Any] | None = None
    with _progress(scratch / TILES, len(todo)) as told:
        for tile, made in _computed(client, function, data, todo, keywords):
            if result is None:
                result = _file(scratch, data.shape, made.dtype)
            result[tile.kept] = made
            told()
    _count(client, run)
    assert result is not None
    return result


def _computed(
    client: Any,
    function: Callable[..., Any],
    data: Any,
    todo: list[Tile],
    keywords: dict[str, Any],
) -> Iterator[tuple[Tile, Any]]:
    """Yield tiles and what became of them as they are done; few are under way at a time."""
    import distributed

    completed: Any = distributed.as_completed
    waiting, of = iter(todo), {}
    done = completed(loop=client.loop)

    def start() -> None:
        tile = next(waiting, None)
        if tile is not None:
            future = _submit(client, function, data[tile.given], tile.inner, keywords)
            of[future.key] = tile
            done.add(future)

    try:
        for _ in range(AHEAD * max(1, sum(client.nthreads().values()))):
            start()
        for future in done:
            made = future.result()
            yield of.pop(future.key), made
            future.release()
            start()
    finally:
        client.cancel(list(done.futures), force=True)  # of an error, or of an interrupt


def _submit(
    client: Any,
    function: Callable[..., Any],
    piece: Any,
    inner: Region,
    keywords: dict[str, Any],
) -> Any:
    from dask.delayed import delayed

    if hasattr(piece, "dask"):  # it is read and computed where the function is
        return client.compute(delayed(_apply, pure=False)(function, piece, inner, keywords))
    return client.submit(_apply, function, client.scatter(piece), inner, keywords, pure=False)


def _apply(
    function: Callable[..., Any], piece: Any, inner: Region, keywords: dict[str, Any]
) -> Any:
    import numpy as np

    made = np.asarray(function(piece, **keywords))
    if made.shape != piece.shape:
        raise ValueError(f"the function made {made.shape} of a tile of {piece.shape}: it keeps it")
    return np.ascontiguousarray(made[inner])


def _file(scratch: Path, shape: Sequence[int], dtype: Any) -> np.ndarray[Any, Any]:
    """Return an array in a file without a name: it takes no memory and leaves nothing."""
    import numpy as np

    with tempfile.TemporaryFile(dir=scratch if scratch.is_dir() else None) as file:
        return np.memmap(file, dtype=dtype, mode="w+", shape=tuple(shape))


@contextlib.contextmanager
def _progress(path: Path, total: int) -> Iterator[Callable[[], None]]:
    """Say in a file how many are done, for the worker that reports it; the file goes at the end."""
    done = 0

    def told(more: int = 1) -> None:
        nonlocal done
        done += more
        with contextlib.suppress(OSError):
            part = path.with_suffix(".part")
            part.write_text(f"{done} {total}")
            os.replace(part, path)

    told(0)
    try:
        yield told
    finally:
        path.unlink(missing_ok=True)


def _count(client: Any, run: str) -> None:
    """Count what the workers read; one that does not answer is not waited for."""
    with contextlib.suppress(Exception):
        counted.tell(run, dict(client.run(counted.read_here, run, on_error="ignore")))
