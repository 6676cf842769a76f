"""What lies in one folder, seen without opening a file: names, lengths and times."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from .places import at, is_link


class State(NamedTuple):
    """How long a file is, and when it was changed, in nanoseconds."""

    nbytes: int
    mtime: int


@dataclass
class Listing:
    """The files of a folder by name with their states, and the names of its folders."""

    folder: Path
    files: dict[str, State] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)


def listing(folder: Path, ignore: Sequence[str] = ()) -> Listing:
    """Return what lies in a folder, or raise OSError. Links are passed by."""
    found = Listing(folder)
    with os.scandir(at(folder)) as entries:
        for entry in entries:
            if any(fnmatch(entry.name, pattern) for pattern in ignore):
                continue
            with suppress(FileNotFoundError):  # it has just gone
                if is_link(entry):
                    continue
                if entry.is_dir():
                    found.folders.append(entry.name)
                elif entry.is_file():
                    # not entry.stat(): on Windows that is what the folder knows, which lags behind
                    told = os.stat(entry.path)
                    found.files[entry.name] = State(told.st_size, told.st_mtime_ns)
    found.folders.sort()
    return found


def below(folder: Path) -> Iterator[tuple[str, State]]:
    """Yield all files below a folder, by path with "/", or raise OSError."""
    waiting = [""]
    while waiting:
        place = waiting.pop()
        here = listing(folder / place)
        yield from ((f"{place}{name}", state) for name, state in here.files.items())
        waiting += [f"{place}{name}/" for name in here.folders]
