"""What a row of the table of readers says: which files it knows, and which others go with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .source import Source

HEAD = 64  # bytes of a file that its reader is chosen by


@dataclass(frozen=True)
class Tree:
    """What lies below a folder, by name; nothing is opened. Paths are "a/b.tif", sorted."""

    root: Path
    files: tuple[str, ...]
    _by_folder: dict[str, list[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found: dict[str, list[str]] = {}
        for file in self.files:
            found.setdefault(file.rpartition("/")[0], []).append(file)
        object.__setattr__(self, "_by_folder", found)

    def path(self, file: str) -> Path:
        """Return where a file of the tree is."""
        return self.root / file

    def beside(self, file: str) -> list[str]:
        """Return the files in the same folder as `file`, itself included."""
        return self.inside(file.rpartition("/")[0])

    def inside(self, folder: str) -> list[str]:
        """Return the files in a folder ("" is the root), not those of its folders."""
        return list(self._by_folder.get(folder, ()))

    def below(self, folder: str) -> list[str]:
        """Return the files in a folder and in all folders below it."""
        start = f"{folder}/" if folder else ""
        return [
            file
            for place, files in self._by_folder.items()
            if f"{place}/".startswith(start) or not start
            for file in files
        ]


def alone(main: str, tree: Tree) -> set[str] | None:
    """Return the other files of an image that is one file: none."""
    return set()


@dataclass(frozen=True, slots=True)
class Policy:
    """One row: files that begin like this, or look like this inside, are opened so.

    recognises: asked with (path, first bytes) after `magic` did not fit; a folder has no bytes.
    It is cheap, and says no rather than raise.
    members: the other files of the tree that belong to this main file, or None when the file
    itself only belongs to another that is not there.
    """

    name: str
    open: Callable[[Path], list[Source]]
    magic: tuple[bytes, ...] = ()
    recognises: Callable[[Path, bytes], bool] = lambda path, head: False
    members: Callable[[str, Tree], set[str] | None] = alone

    def knows(self, path: Path, head: bytes) -> bool:
        """Say whether this reader is the one for a file or folder."""
        if head and self.magic and head.startswith(self.magic):
            return True
        try:
            return self.recognises(path, head)
        except Exception:  # what cannot be looked at is not known; opening it will say why
            return False


def head_of(path: Path) -> bytes:
    """Return the first bytes of a file."""
    with path.open("rb") as file:
        return file.read(HEAD)
