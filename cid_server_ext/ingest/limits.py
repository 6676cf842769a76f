"""What reading one foreign file may cost, and how a process binds itself to it."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one conversion. `planning_seconds` is for the headers, before a pixel is read.

    formats: names of the readers that may open a file; none: all. Others are kept as files.
    """

    memory: int = 4 << 30  # bytes of address space
    cpu_seconds: int = 4 * 3600
    wall_seconds: float = 4 * 3600
    planning_seconds: float = 300
    file_bytes: int = 2 << 30  # of one written file; a shard is far smaller
    open_files: int = 512
    formats: tuple[str, ...] = ()


def bind(limits: Limits) -> None:
    """Bind this process, for ever, to `limits`; make it the first that a full machine ends."""
    for what, soft, hard in (
        (resource.RLIMIT_AS, limits.memory, limits.memory),
        (resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 5),  # SIGXCPU, then SIGKILL
        (resource.RLIMIT_FSIZE, limits.file_bytes, limits.file_bytes),
        (resource.RLIMIT_NOFILE, limits.open_files, limits.open_files),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        _, most = resource.getrlimit(what)
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(what, (soft, hard))
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:
        pass  # not on this system: the limits above hold all the same
    os.umask(0o027)
