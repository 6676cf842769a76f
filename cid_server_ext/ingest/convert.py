"""Turning one foreign file into images of ours, in a child that cannot harm the service."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .children import warm_up
from .converted import Converted
from .limits import Limits
from .workers import Worker

__all__ = ["Converted", "Limits", "convert", "warm_up"]


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
    with Worker(limits or Limits(), should_stop) as worker:
        return worker.convert(source, target, kind=kind, on_plan=on_plan, on_progress=on_progress)
