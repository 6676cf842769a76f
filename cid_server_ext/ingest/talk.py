"""What is made of a child's words about one file: its plan, its progress, its images, in time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..errors import BadFile
from .converted import astray, whole
from .endings import Hands
from .limits import Limits


class Clock:
    """The time that one file may take."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.planned = limits, False

    def start(self) -> None:
        """Begin now: the time until there is a child is nobody's."""
        self.began = time.monotonic()

    def check(self) -> None:
        """Raise BadFile when its time is over."""
        seconds, limits = time.monotonic() - self.began, self.limits
        if not self.planned and seconds > limits.planning_seconds:
            limit = limits.planning_seconds
            raise BadFile(f"its headers could not be read in {limit:g} s: it may be damaged")
        if seconds > limits.wall_seconds:
            raise BadFile(f"its import took longer than {limits.wall_seconds:g} s")


@dataclass
class Talk:
    """What the parent makes of a child's messages about one file."""

    on_plan: Callable[[int], None]
    on_progress: Callable[[float, str], None]
    images: list[dict[str, Any]] = field(default_factory=list)
    planned: int = 0

    def begin(self, clock: Clock, child: Callable[[], Hands]) -> None:
        """Forget an earlier try."""
        self.clock, self.child = clock, child
        self.images.clear()

    def hear(self, message: dict[str, Any]) -> None:
        """Take one message; what comes before the plan counts for nothing."""
        if "plan" in message and not self.clock.planned:
            self.clock.planned = True
            nbytes = whole(message["plan"])
            self.on_plan(max(0, nbytes - self.planned))
            self.planned = max(nbytes, self.planned)
            self.child().go()
        elif "progress" in message and self.clock.planned:
            try:
                fraction, text = message["progress"]
                done = min(1.0, max(0.0, float(fraction)))
            except (TypeError, ValueError):
                raise astray() from None
            self.on_progress(done, str(text)[:200])
        elif "image" in message and self.clock.planned:
            self.images.append(message["image"])
