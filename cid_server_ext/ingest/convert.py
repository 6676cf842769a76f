"""Turning one foreign file into images of ours, in a child that cannot harm the service."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BadFile, BadInput, CidError, Conflict, Unavailable
from ..storage.roots import files_below
from .children import Child, job, warm_up
from .limits import Limits

__all__ = ["Converted", "Limits", "convert", "warm_up"]

POLL = 0.1  # seconds between two looks at the clock and at `should_stop`
REFUSALS = {error.__name__: error for error in (BadFile, Unavailable)}


@dataclass(frozen=True, slots=True)
class Converted:
    """One image that was written and verified. Axes, shape, scale and units as in the catalog.

    folder: `<target>/<n>`, holding image.ome.zarr/ and thumbnail.png, `nbytes` in all.
    objects: the number of different labels other than 0; None for an image.
    """

    name: str
    axes: str
    shape: tuple[int, ...]
    dtype: str
    levels: int
    scale: dict[str, float]
    units: dict[str, str]
    channels: list[dict[str, str]]
    tags: list[tuple[str, str, float | None]]
    folder: Path
    nbytes: int
    objects: int | None


def convert(
    source: Path,
    target: Path,
    *,
    kind: str = "image",
    limits: Limits | None = None,
    on_plan: Callable[[int], None] = lambda nbytes: None,
    on_progress: Callable[[float, str], None] = lambda fraction, text: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[Converted]:
    """Write every image of `source` below the new folder `target`, or raise and leave nothing.

    on_plan is told how many bytes the images can take at most before one is written; what it
    raises ends the conversion. BadFile: the file cannot be read, in one line that says why.
    Conflict: `should_stop` said so, or `target` exists. Unavailable: it is not the file's fault.
    """
    if kind not in {"image", "labels"}:
        raise BadInput(f"an image is of kind image or labels, not {kind[:40]!r}")
    bounds = limits or Limits()
    try:
        target.mkdir(parents=True)
    except FileExistsError:
        raise Conflict("the folder to import to exists already") from None
    try:
        child = Child(job(str(source.absolute()), str(target.absolute()), kind, bounds))
        try:
            told = _Talk(child, bounds, on_plan, on_progress, should_stop).run()
        finally:
            child.close()
        return [_converted(one, target / str(at)) for at, one in enumerate(told)]
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


@dataclass
class _Talk:
    """The parent's side of one conversion."""

    child: Child
    limits: Limits
    on_plan: Callable[[int], None]
    on_progress: Callable[[float, str], None]
    should_stop: Callable[[], bool]

    def run(self) -> list[dict[str, Any]]:
        """Return what the child tells of each image, or raise what it tells instead."""
        start = time.monotonic()
        planned = False
        images: list[dict[str, Any]] = []
        while True:
            try:
                message = self.child.hear(POLL)
            except ValueError:
                raise BadFile("reading it led the import astray: it may be hostile") from None
            if message is None:
                raise self._died()
            if self.should_stop():
                raise Conflict("the import was stopped")
            self._check_clock(time.monotonic() - start, planned)
            if "error" in message:
                raise _refusal(message["error"])
            if "plan" in message and not planned:
                planned = True
                self.on_plan(_whole(message["plan"]))
                self.child.go()
            elif "progress" in message and planned:
                fraction, text = message["progress"]
                self.on_progress(min(1.0, max(0.0, float(fraction))), str(text)[:200])
            elif "image" in message and planned:
                images.append(message["image"])
            elif "done" in message and planned and images:
                return images

    def _check_clock(self, seconds: float, planned: bool) -> None:
        if not planned and seconds > self.limits.planning_seconds:
            limit = self.limits.planning_seconds
            raise BadFile(f"its headers could not be read in {limit:g} s: it may be damaged")
        if seconds > self.limits.wall_seconds:
            raise BadFile(f"its import took longer than {self.limits.wall_seconds:g} s")

    def _died(self) -> CidError:
        """Say what an exit without a word means."""
        code = self.child.ended()
        if code is None:
            return Unavailable("the import helper has ended: try again")
        if code == -signal.SIGXCPU:
            return BadFile(f"reading it took more than {self.limits.cpu_seconds} s of computing")
        if code == -signal.SIGKILL:
            return BadFile(
                "reading it was ended by the system, for want of memory: make it smaller"
            )
        if code == -signal.SIGABRT:
            return BadFile("reading it crashed the reader (SIGABRT), most often for want of memory")
        if code < 0:
            name = signal.Signals(-code).name
            return BadFile(f"reading it crashed the reader ({name}): it is damaged or hostile")
        return BadFile("reading it ended without a result: it is damaged or hostile")


def _refusal(told: Any) -> CidError:
    """Return the child's own error; it may only name one of two."""
    name, message = (str(part) for part in told)
    return REFUSALS.get(name, BadFile)(" ".join(message.split())[:500])


def _converted(told: dict[str, Any], folder: Path) -> Converted:
    """Take what the child tells value by value; sizes are looked at, not believed."""
    entries = list(folder.rglob("*"))
    if any(entry.is_symlink() or not (entry.is_file() or entry.is_dir()) for entry in entries):
        raise BadFile("reading it made the import write links: it is hostile")
    try:
        return Converted(
            name=str(told["name"])[:255],
            axes=str(told["axes"]),
            shape=tuple(_whole(size) for size in told["shape"]),
            dtype=str(told["dtype"]),
            levels=_whole(told["levels"]),
            scale={str(axis): float(size) for axis, size in told["scale"].items()},
            units={str(axis): str(unit) for axis, unit in told["units"].items()},
            channels=[
                {str(key): str(value) for key, value in channel.items()}
                for channel in told["channels"]
            ],
            tags=[
                (str(key), str(text), None if number is None else float(number))
                for key, text, number in told["tags"]
            ],
            folder=folder,
            nbytes=sum(path.stat().st_size for _, path in files_below(folder)),
            objects=None if told["objects"] is None else _whole(told["objects"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BadFile("reading it led the import astray: it may be hostile") from None


def _whole(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise BadFile("reading it led the import astray: it may be hostile")
    return value
