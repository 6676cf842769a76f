r"""Paths as the system takes them: on Windows of any length and name, of a disk or a share.

Windows opens `\\?\C:\a\con.tif` and `\\?\UNC\server\share\a. ` as they are written; without the
prefix it takes 260 signs at most, devices for files and other names for some. Nothing here asks the
system, so all of it holds for a PureWindowsPath anywhere.
"""

from __future__ import annotations

import ntpath
import os
from pathlib import PurePath, PureWindowsPath

PREFIX = "\\\\?\\"
BUSY = (32, 33)  # Windows: a program has the file, or a part of it
JUNCTION = 0xA0000003  # a folder of Windows that is another one


def at(path: PurePath) -> str:
    """Return what the system is to be asked for."""
    text = str(path)
    if not isinstance(path, PureWindowsPath) or not path.is_absolute():
        return text
    if text.startswith((PREFIX, "\\\\.\\")):
        return text
    plain = ntpath.normpath(text)  # behind the prefix nothing is worked out
    return f"{PREFIX}UNC{plain[1:]}" if plain.startswith("\\\\") else f"{PREFIX}{plain}"


def is_share(path: PurePath) -> bool:
    """Return whether a path says that it is another computer's."""
    return isinstance(path, PureWindowsPath) and at(path).upper().startswith(f"{PREFIX}UNC\\")


def nested(one: PurePath, other: PurePath) -> bool:
    """Return whether one of two whole paths lies in the other, or both are the same."""
    here, there = (type(path)(at(path)) for path in (one, other))
    return here.is_relative_to(there) or there.is_relative_to(here)


def is_link(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry leads elsewhere: a link, or a junction of Windows."""
    if entry.is_symlink():
        return True
    return getattr(entry.stat(follow_symlinks=False), "st_reparse_tag", 0) == JUNCTION


def why(error: OSError) -> str:
    """Return in words why a file cannot be read; one that is open elsewhere is no fault."""
    if getattr(error, "winerror", None) in BUSY:
        return f"a program has {PurePath(str(error.filename or 'it')).name} still open"
    return str(error)
