"""Bytes that stay where they are: the trees that may be adopted, and opening a file in one.

A tree is named by the operator and only read. No link is followed below it, and what is not as it
was registered is not given out.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import unicodedata
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from ..errors import BadInput, BytesChanged, NotFound

Form = Literal["file", "set", "tree"]
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
LONGEST = 600  # characters of a path below a root
SUSPECTS = "state/suspects"
READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
FOLDER = READING | os.O_DIRECTORY


@dataclass(frozen=True, slots=True)
class Place:
    """Where bytes lie below a root, and what they were when they were registered.

    Of a file, size and time must be these. Of a tree nothing may be newer than `mtime_ns`: no
    file, and no folder, whose time changes when a file comes or goes.
    """

    root: str
    path: str
    form: Form
    nbytes: int
    mtime_ns: int

    def below(self, inside: str) -> Place:
        """Return a part of a tree."""
        return replace(self, path=f"{self.path}/{inside}".rstrip("/"))


@dataclass(frozen=True, slots=True)
class Roots:
    """The trees that may be adopted, by name. None by default."""

    folders: Mapping[str, Path] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def read(cls, told: str) -> Roots:
        """Return what a setting says, `name=/folder:other=/folder`, or raise BadInput."""
        folders: dict[str, Path] = {}
        for one in filter(None, (part.strip() for part in told.split(os.pathsep))):
            name, equals, folder = one.partition("=")
            if not equals or not NAME.fullmatch(name) or name in folders:
                raise BadInput(f"CID_ADOPT_ROOTS: {one!r} is not NAME=/FOLDER, each name once")
            if not os.path.isabs(folder) or ".." in folder.split("/"):
                raise BadInput(f"CID_ADOPT_ROOTS: {folder!r} is no whole path")
            folders[name] = Path(folder)
        return cls(MappingProxyType(folders))

    def folder(self, name: str) -> Path:
        """Return where a root is mounted; NotFound: the operator names none that is called so."""
        if name not in self.folders:
            raise NotFound(f"CID_ADOPT_ROOTS names no tree {name!r}: its files cannot be read now")
        return self.folders[name]

    def refuse_within(self, storage: Path) -> None:
        """Raise BadInput for a tree that holds the storage, or lies in it."""
        for name, folder in self.folders.items():
            real = folder.resolve()
            if real.is_relative_to(storage) or storage.is_relative_to(real):
                raise BadInput(
                    f"CID_ADOPT_ROOTS: {name}={folder} and the storage lie in each other"
                )

    def locate(self, path: Path, *, there: bool = True) -> tuple[str, str]:
        """Return root and path of a folder or file that may be adopted, or raise BadInput."""
        if ".." in path.parts:
            raise BadInput(f"{path}: write the path without '..'")
        given = Path(os.path.abspath(path))
        for name, folder in self.folders.items():
            if given == folder or given.is_relative_to(folder):
                inside = given.relative_to(folder).as_posix()
                inside = "" if inside == "." else inside
                if there:
                    self.path(name, inside)
                return name, inside
        known = ", ".join(f"{name}={folder}" for name, folder in self.folders.items()) or "none"
        raise BadInput(
            f"{path} lies in no tree that may be adopted; known in CID_ADOPT_ROOTS: {known}."
            f" Name its tree there, such as old=/mnt/old, for the service and this command"
        )

    def path(self, name: str, inside: str) -> Path:
        """Return where this is, for a reader in a child; BadInput: a link is on the way."""
        here = self.folder(name)
        for part in checked(inside) if inside else ():
            here = here / part
            if here.is_symlink():
                raise BadInput(f"{here}: it is a link, which may lead out of the tree")
        return here

    def open(self, name: str, inside: str, flags: int = READING) -> int:
        """Return a descriptor of what lies there; NotFound: nothing does, or a link."""
        return self._opened(name, inside, flags)[0]

    def read_place(self, place: Place, inside: str = "") -> int:
        """Return a descriptor of a file of `place`, or raise NotFound or BytesChanged."""
        whole = place.below(inside) if inside else place
        try:
            handle, newest = self._opened(whole.root, whole.path, READING)
        except NotFound:
            if place.form == "tree":
                self._refuse_gaps(place, inside)
            raise
        try:
            now = os.fstat(handle)
            if not stat.S_ISREG(now.st_mode):
                raise NotFound("nothing lies here")
            if place.form == "tree":
                _refuse_newer(max(now.st_mtime_ns, newest), place)
            elif (now.st_size, now.st_mtime_ns) != (place.nbytes, place.mtime_ns):
                raise changed("it has another size or time than when it was registered")
        except BaseException:
            os.close(handle)
            raise
        return handle

    def _opened(self, name: str, inside: str, flags: int) -> tuple[int, int]:
        """Return a descriptor, and the time of the folder that it lies in."""
        *way, last = checked(inside) if inside else ["."]
        try:
            here = os.open(self.folder(name), FOLDER & ~os.O_NOFOLLOW)
            try:
                for part in way:
                    deeper = os.open(part, FOLDER, dir_fd=here)
                    os.close(here)
                    here = deeper
                return os.open(last, flags, dir_fd=here), os.fstat(here).st_mtime_ns
            finally:
                os.close(here)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
                raise NotFound("nothing lies here") from None
            raise

    def _refuse_gaps(self, place: Place, inside: str) -> None:
        """Raise BytesChanged when a file that is not there may have been: its folder is newer."""
        way = inside.split("/")
        for depth in range(len(way) - 1, -1, -1):
            try:
                part = "/".join(way[:depth])
                handle = self.open(place.root, place.below(part).path, FOLDER)
            except NotFound:
                continue
            try:
                return _refuse_newer(os.fstat(handle).st_mtime_ns, place)
            finally:
                os.close(handle)
        raise changed("it is no longer where it was registered")


def checked(inside: str) -> Sequence[str]:
    """Return the parts of a path below a root, or raise BadInput."""
    if why := fault(inside):
        raise BadInput(f"{inside[:80]!r} {why}")
    return inside.split("/")


def fault(inside: str) -> str:
    """Return what is wrong with a path below a root; nothing is fine."""
    try:
        inside.encode()
    except UnicodeEncodeError:
        return "has a name that is not Unicode: rename it"
    if len(inside) > LONGEST:
        return f"has a path of more than {LONGEST} characters: move it up"
    if any(part in {"", ".", ".."} for part in inside.split("/")):
        return "leads out of its folder"
    if any(unicodedata.category(sign) == "Cc" for sign in inside):
        return "has a control character in its name: rename it"
    return ""


def changed(why: str) -> BytesChanged:
    """Return the refusal to give out what is not what was registered."""
    return BytesChanged(f"{why}: it is not given out until staff has looked at it")


def suspect(storage: Path, uid: str, inside: str = "") -> None:
    """Note that a record's bytes, here or there, are others, for `fixity` to look at it soon."""
    place = storage / SUSPECTS
    place.mkdir(parents=True, exist_ok=True)
    (place / uid).write_text(inside, encoding="utf-8")


def suspects(storage: Path) -> dict[str, str]:
    """Return by uid what is noted, and forget it."""
    found: dict[str, str] = {}
    place = storage / SUSPECTS
    for name in os.listdir(place) if place.is_dir() else ():
        with suppress(FileNotFoundError):
            found[name] = (place / name).read_text(encoding="utf-8")
            (place / name).unlink()
    return found


def _refuse_newer(newest: int, place: Place) -> None:
    if newest > place.mtime_ns:
        raise changed("something in it was changed, came or went since it was registered")
