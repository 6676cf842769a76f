"""What a child may touch: its input, its output, the libraries. No other file, socket or program.

Landlock (Linux 5.13) holds the files and the rights; from 6.7 on TCP, from 6.12 on signals too. A
seccomp filter holds every kind of socket. Both are for ever, for the process and all it starts.
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import struct
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1]
CREATE, ADD, RESTRICT = 444, 445, 446  # Landlock's system calls, the same on all machines
PATH_BENEATH, VERSION = 1, 1
NO_NEW_PRIVS, SET_SECCOMP, FILTER = 38, 22, 2
# Rights on files, a bit each, in Landlock's order; how many each version of it knows
WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE = 1 << 1, 1 << 2, 1 << 3, 1 << 14
KNOWN = {1: 13, 2: 14, 3: 15, 4: 15}
MOST = 16
EXECUTE, IOCTL = 1 << 0, 1 << 15
SPECIAL = 1 << 6 | 1 << 9 | 1 << 10 | 1 << 11  # devices, sockets and pipes of the file system
READ = READ_FILE | READ_DIR
OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL
NETWORK, SCOPES = 0b11, 0b11  # bind and connect; abstract sockets and signals
# Where code, and what it looks up, may lie. No place of people's files, settings or secrets.
LIBRARIES = (
    *("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d"),
    *("/etc/localtime", "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat"),
    *("/proc/filesystems", "/proc/cgroups", "/proc/sys/vm", "/proc/sys/kernel", "/sys/fs/cgroup"),
    *("/sys/devices/system", "/dev/urandom", "/dev/random", "/dev/zero"),
)
# machine -> (its name in a filter, the numbers of socket and io_uring_setup)
CALLS = {"x86_64": (0xC000003E, (41, 425)), "aarch64": (0xC00000B7, (198, 425))}
X32 = 0x40000000
DENIED, ALLOWED = 0x00050000 | 13, 0x7FFF0000  # EACCES, and go on


@dataclass(frozen=True, slots=True)
class Room:
    """A file or folder that a child may read, and the folder that it may write; "" for none."""

    reads: str = ""
    writes: str = ""


def room_of(job: Mapping[str, Any]) -> Room:
    """Return the room of a job that stands alone."""
    if "source" in job:
        source = Path(job["source"])
        reads = source if source.is_dir() else source.parent  # files that belong to it lie beside
        return Room(str(reads), job["target"])
    names = ("sort", "measure", "describe", "draw", "folder")
    reads = next(job[name] for name in names if name in job)
    return Room(reads, str(Path(job["target"]).parent) if "target" in job else "")


def missing() -> str:
    """Return in words what this system cannot keep from a child; "" where all of it holds."""
    lacks = []
    if version() == 0:
        lacks.append("other files (the kernel has no Landlock)")
    if platform.machine() not in CALLS:
        lacks.append("the network (no filter for this machine)")
    return " and ".join(lacks)


def enter(room: Room, environ: Mapping[str, str] = os.environ) -> None:
    """Close this process in, for ever. Call it while it has one thread. OSError: it is not closed.

    Where the kernel lacks a part, the others hold.
    """
    _prctl(NO_NEW_PRIVS, 1)
    if found := version():
        _close(found, room, environ)
    if told := CALLS.get(platform.machine()):
        _filter(*told)


@functools.cache
def version() -> int:
    """Return the version of Landlock, 0 for none."""
    return max(0, _libc().syscall(CREATE, None, ctypes.c_size_t(0), VERSION))


def _close(found: int, room: Room, environ: Mapping[str, str]) -> None:
    every = (1 << KNOWN.get(found, MOST)) - 1
    told = struct.pack("QQQ", every, NETWORK if found >= 4 else 0, SCOPES if found >= 6 else 0)
    told = told[: 8 if found < 4 else 16 if found < 6 else 24]
    rules = _call(CREATE, told, ctypes.c_size_t(len(told)), 0)
    try:
        for path in (*_libraries(environ), room.reads):
            _allow(rules, path, every & READ)
        _allow(rules, "/dev/null", every & (READ_FILE | WRITE_FILE | TRUNCATE))
        _allow(rules, room.writes, every & ~(EXECUTE | SPECIAL | IOCTL))
        _call(RESTRICT, rules, 0)
    finally:
        os.close(rules)


def _libraries(environ: Mapping[str, str]) -> Iterable[str]:
    """Yield where this Python, its libraries and a configured Java lie."""
    yield from (*LIBRARIES, sys.prefix, sys.base_prefix, str(PACKAGE))
    yield from map(str, Path("/etc").glob("java*"))
    yield environ.get("CID_BIOFORMATS_JAR", "")
    yield environ.get("JAVA_HOME", "")
    if jvm := environ.get("CID_BIOFORMATS_JVM", ""):
        yield str(Path(jvm).resolve().parents[2])  # HOME/lib/server/libjvm.so


def _allow(rules: int, path: str, rights: int) -> None:
    """Allow what is there; what is not needs no right."""
    if not path:
        return
    with suppress(FileNotFoundError, NotADirectoryError):
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            rights &= ~0 if os.path.isdir(path) else OF_FILES
            _call(ADD, rules, PATH_BENEATH, struct.pack("=Qi", rights, handle), 0)
        finally:
            os.close(handle)


def _filter(machine: int, denied: tuple[int, ...]) -> None:
    """Refuse these system calls, and all that are made as on another machine."""
    steps = [
        (0x20, 0, 0, 4),  # load the machine
        (0x15, 0, len(denied) + 2, machine),  # another: refused
        (0x20, 0, 0, 0),  # load the number
        (0x35, len(denied), 0, X32),
    ]
    steps += [(0x15, len(denied) - at - 1, 0, number) for at, number in enumerate(denied)]
    steps[-1] = (0x15, 0, 1, denied[-1])
    steps += [(0x06, 0, 0, DENIED), (0x06, 0, 0, ALLOWED)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
    with suppress(OSError):  # a kernel without filters
        _prctl(SET_SECCOMP, FILTER, ctypes.create_string_buffer(program))


def _prctl(what: int, *words: Any) -> None:
    told = [ctypes.c_ulong(word) if isinstance(word, int) else word for word in words]
    told += [ctypes.c_ulong(0)] * (4 - len(told))
    if _libc().prctl(what, *told) != 0:
        _refused()


def _call(number: int, *words: Any) -> int:
    answer = int(_libc().syscall(number, *words))
    return _refused() if answer < 0 else answer


def _refused() -> int:
    told = ctypes.get_errno()
    raise OSError(told, f"this child could not be closed in: {os.strerror(told)}")


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
