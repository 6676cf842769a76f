"""Where requests are worked on, so that a quick one never waits behind a costly one.

What changes something may wait for a lock, so it has threads of its own and holds no reader up.
A search begins among all other requests with little time. When that is not enough it begins again
in a lane of its own, where few go at once and the time is longer but ends too.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ..errors import TooCostly

T = TypeVar("T")

# Fewer threads than the database has connections: a request waits for one, never for a pool.
WORKERS = ThreadPoolExecutor(8, thread_name_prefix="request")
CHANGERS = ThreadPoolExecutor(6, thread_name_prefix="change")
QUICK = 0.1  # of the time of a search is spent among the others
# half of the cores at most: the others are for those who ask little
AT_ONCE = max(1, min(2, (os.cpu_count() or 1) // 2))
COSTLY = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="costly")
WAITING = 16  # searches in the lane and before it

_inside: set[object] = set()


async def quick(work: Callable[[], T]) -> T:
    """Do the work in a thread, beside others."""
    return await asyncio.get_running_loop().run_in_executor(WORKERS, work)


async def change(work: Callable[[], T]) -> T:
    """Do the work in a thread, beside other changes."""
    return await asyncio.get_running_loop().run_in_executor(CHANGERS, work)


async def costly(work: Callable[[float], T], seconds: float) -> T:
    """Do the work, which is told how many seconds it has, and raise TooCostly in the end."""
    try:
        return await quick(lambda: work(QUICK * seconds))
    except TooCostly:
        if len(_inside) >= WAITING:
            raise
    place = object()
    _inside.add(place)
    try:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(COSTLY, lambda: work(seconds))
    finally:
        _inside.discard(place)
