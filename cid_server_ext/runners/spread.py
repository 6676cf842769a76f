"""Lets a run that waits behind another go to a worker that is idle; it works inside the scheduler.

Dask moves tasks by how long those of a worker will take, and a run that seceded counts for nothing:
the only one that waits behind it would stay there, beside a worker that came later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

EVERY = 0.5  # seconds


def spreading(slot: str) -> Callable[..., None]:
    """Return what a scheduler is to run once: runs are the tasks that need a `slot`.

    All of it is defined inside, so that it travels by value: a scheduler need not have us.
    """
    every, name = EVERY, "cid-spread"

    def start(dask_scheduler: Any) -> None:
        """Look now and then, as long as the scheduler lives."""
        from tornado.ioloop import PeriodicCallback

        if name not in dask_scheduler.periodic_callbacks:
            callback = PeriodicCallback(lambda: spread(dask_scheduler), every * 1000)
            dask_scheduler.periodic_callbacks[name] = callback  # it ends them with itself
            callback.start()

    def spread(scheduler: Any) -> None:
        """Ask for what waits behind runs; a worker keeps what has begun meanwhile."""
        stealing = scheduler.extensions.get("stealing")
        if stealing is None:
            return
        coming = {told["thief"] for told in stealing.in_flight.values()}
        workers = [ws for ws in scheduler.workers.values() if ws.status.name == "running"]
        able = [ws for ws in workers if slot in ws.resources and ws not in coming]
        idle = [ws for ws in able if not ws.processing]
        waiting = [
            (task, ws)
            for ws in workers
            if any(map(is_run, ws.long_running))
            for task in ws.processing
            if is_run(task) and task not in ws.long_running and task not in stealing.in_flight
        ]
        waiting.sort(key=lambda one: one[0].priority)  # what was submitted first goes first
        for (task, victim), thief in zip(waiting, idle, strict=False):
            stealing.move_task_request(task, victim, thief)

    def is_run(task: Any) -> bool:
        return slot in (task.resource_restrictions or {})

    return start
