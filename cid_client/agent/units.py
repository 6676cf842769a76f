"""Units: what is uploaded as one, a file, files that belong together, or a folder as a whole."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from ..uploads.items import Part
from .companions import families, is_acquisition
from .config import Watch
from .listing import Listing, State, below, listing
from .places import at

SHOWN = 3  # missing files that are named


@dataclass(frozen=True, slots=True)
class Unit:
    """One acquisition as it is now; signature: its names, lengths and times in one word.

    missing: in words what it waits for. files: below its folder; none of a folder as a whole.
    """

    path: Path
    watch: Watch
    nbytes: int
    mtime: int
    count: int
    signature: str
    missing: str = ""
    files: tuple[tuple[str, int], ...] = ()

    @property
    def folder(self) -> str:
        """The folder that it lies in, below the watched one, with "/"."""
        place = self.path.parent.relative_to(self.watch.folder).as_posix()
        return "" if place == "." else place

    def parts(self) -> list[Part]:
        """Return its files as a deposit declares them."""
        home = self.path.parent
        if self.files:
            return [Part(Path(at(home / name)), name, nbytes) for name, nbytes in self.files]
        inside = sorted(below(self.path))
        name = self.path.name
        return [
            Part(Path(at(self.path / path)), f"{name}/{path}", state.nbytes)
            for path, state in inside
        ]

    def paths(self) -> Iterator[Path]:
        """Yield where its files lie."""
        if self.files:
            yield from (self.path.parent / name for name, _ in self.files)
        else:
            yield from (self.path / path for path, _ in below(self.path))


def of_folder(here: Listing, watch: Watch) -> tuple[list[Unit], list[str]]:
    """Return the units of a folder, and its folders that are to be looked into."""
    units, folders = [], []
    taken: set[str] = set()
    for family in families(here):
        taken |= family.files.keys() | family.folders
        units.append(_several(here, watch, family.main, family.files, family.missing))
    units += [
        _several(here, watch, name, {name: state}, ())
        for name, state in sorted(here.files.items())
        if name not in taken
    ]
    for name in here.folders:
        if name in taken:
            continue
        if _is_whole(here.folder / name, watch):
            units.append(_whole(here.folder / name, watch))
        else:
            folders.append(name)
    return units, folders


def look_again(path: Path, watch: Watch) -> Unit | None:
    """Return the unit of this path as it is now, or None; raises OSError."""
    units, _ = of_folder(listing(path.parent, watch.ignore), watch)
    return next((unit for unit in units if unit.path == path), None)


def _is_whole(folder: Path, watch: Watch) -> bool:
    """OME-Zarr, a plate, an acquisition of Micro-Manager, or what the configuration says."""
    if folder.name.lower().endswith(".zarr"):
        return True
    if any(fnmatch(folder.name, pattern) for pattern in watch.acquisitions):
        return True
    return is_acquisition(listing(folder, watch.ignore))


def _whole(folder: Path, watch: Watch) -> Unit:
    found = sorted(below(folder))
    missing = "" if found else "a file in it"
    return _unit(folder, watch, found, missing, ())


def _several(
    here: Listing, watch: Watch, main: str, files: dict[str, State], missing: Iterable[str]
) -> Unit:
    found = sorted(files.items())
    lacking = list(missing)
    said = ", ".join(lacking[:SHOWN])
    more = f" and {len(lacking) - SHOWN} more" if len(lacking) > SHOWN else ""
    sizes = tuple((name, state.nbytes) for name, state in found)
    return _unit(here.folder / main, watch, found, f"{said}{more}", sizes)


def _unit(
    path: Path,
    watch: Watch,
    found: list[tuple[str, State]],
    missing: str,
    files: tuple[tuple[str, int], ...],
) -> Unit:
    told = hashlib.sha256()
    for name, state in found:
        told.update(f"{name}\0{state.nbytes}\0{state.mtime}\n".encode("utf-8", "surrogateescape"))
    return Unit(
        path,
        watch,
        sum(state.nbytes for _, state in found),
        max((state.mtime for _, state in found), default=0),
        len(found),
        told.hexdigest(),
        missing,
        files,
    )
