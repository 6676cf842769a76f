"""Names of files as every computer can write them, Windows too, and no two of them alike."""

from __future__ import annotations

import re
import sys
import unicodedata

from .names import DISGUISE, RESERVED

LONGEST = 100  # characters of one name
DEEPEST = 140  # characters of a folder's path: with a name they stay below the 260 of Windows
SUFFIX = 20  # characters that are kept of a name's end when it is shortened
UNFIT = re.compile(r'[<>:"/\\|?*]')


def portable(name: str) -> str:
    """Return a name that can be written anywhere, as like to this one as can be."""
    plain = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
    kept = (
        "_" if unicodedata.category(c) == "Cc" or c in DISGUISE or UNFIT.match(c) else c
        for c in plain
    )
    shown = _shortened("".join(kept).strip()).rstrip(". ")
    if RESERVED.fullmatch(shown):
        return f"_{shown}"
    return shown or "_"


class Tree:
    """The paths of one download: portable, and told apart where capitals count for nothing."""

    def __init__(self) -> None:
        self._folders: dict[tuple[str, ...], str] = {(): ""}
        self._taken: dict[str, int] = {}  # a path -> how many asked for it

    def folder(self, way: tuple[str, ...], deepest: int = DEEPEST) -> str:
        """Return the path of the folder that is reached so; it is one for all who ask.

        What would lie too deep for Windows lies below the first folder of its way.
        """
        if way not in self._folders:
            above = self.folder(way[:-1], deepest)
            if len(way) > 2 and len(above) + len(way[-1]) > deepest:
                above = self.folder(way[:1])
            self._folders[way] = self.add(above, way[-1])
        return self._folders[way]

    def group(self, folder: str, name: str) -> str:
        """Return the path of a folder whose files belong together: what is in it stays so."""
        path = self.add(folder, name)
        self._folders[path,] = path
        return path

    def within(self, group: str, inside: str) -> str:
        """Return the path of a file of a group, given how it is reached there."""
        *way, name = inside.split("/")
        return self.add(self.folder((group, *way), sys.maxsize), name)

    def add(self, folder: str, name: str) -> str:
        """Return a path in `folder` that nothing else has; a twin is numbered."""
        safe = portable(name)
        path = wanted = f"{folder}/{safe}" if folder else safe
        while (key := path.casefold()) in self._taken:
            self._taken[wanted.casefold()] += 1
            stem, suffix = _split(wanted)
            path = f"{stem} ({self._taken[wanted.casefold()]}){suffix}"
        self._taken[key] = 1
        return path


def _shortened(name: str) -> str:
    if len(name) <= LONGEST:
        return name
    stem, suffix = _split(name)
    return stem[: LONGEST - len(suffix)] + suffix


def _split(path: str) -> tuple[str, str]:
    """Return what stands before and in a suffix, of two parts as in "a.ome.tif"."""
    above, slash, name = path.rpartition("/")
    found = re.search(r"(?<=.)(\.[A-Za-z0-9]{1,5})?\.[A-Za-z0-9]{1,12}$", name)
    suffix = found.group() if found and len(found.group()) <= SUFFIX else ""
    return above + slash + name[: len(name) - len(suffix)], suffix
