"""What a tree holds and where the rules put it. Nothing is changed, no pixel and no chunk is read.

A limited child sorts the tree, as at an import; names, sizes and times are looked at here.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from sqlalchemy.orm import Session

from ...core.catalog import adoptions, references
from ...core.catalog.goals import Goal
from ...db.session import Sessions, reading
from ...errors import CidError, NotFound
from ...storage.inplace import Roots, fault
from ..limits import Limits
from ..workers import Sorted, Worker
from .fitting import fitted
from .found import NEW, QUARANTINE, THERE, TREE, Found

PLANNING = 3600.0  # seconds that sorting a whole tree may take

# folder and name of something below the tree -> where it goes, or why nowhere
Judge = Callable[[str, str], tuple[Goal | None, str]]


def survey(
    sessions: Sessions,
    roots: Roots,
    top: tuple[str, str],
    judge: Judge,
    limits: Limits,
    should_stop: Callable[[], bool] = lambda: False,
) -> list[Found]:
    """Return all that lies below `top` (root and path), sorted by path, each with its fate."""
    root, inside = top
    folder = roots.path(root, inside)
    if not folder.is_dir():
        raise NotFound(f"{folder}: no such folder")
    with Worker(replace(limits, planning_seconds=PLANNING), should_stop) as worker:
        sorted_ = worker.sort(folder)
    found = sorted(_things(folder, inside, sorted_), key=lambda one: one.path)
    judged = [_judged(one, inside, judge) for one in found]
    with reading(sessions) as session:
        return fitted(session, _known(session, root, judged))


def _things(folder: Path, inside: str, told: Sorted) -> Iterator[Found]:
    """Yield each thing with its sizes; the child that sorts is not believed."""
    for group in told.groups:
        yield _thing(folder, inside, group.main, tuple(group.members), group.reader)
    for path in told.others:
        yield _thing(folder, inside, path, (), "")
    for path, why in told.refused.items():
        yield Found(_below(inside, path), "", "file", why=why)


def _thing(folder: Path, inside: str, main: str, members: tuple[str, ...], reader: str) -> Found:
    path = _below(inside, main)
    one = Found(path, reader, "file", why="")
    if why := fault(path) or next(filter(None, map(fault, members)), ""):
        return replace(one, why=why)
    try:
        state = os.lstat(folder / main)
        if stat.S_ISDIR(state.st_mode) and reader == TREE:
            return replace(one, form="tree", mtime_ns=state.st_mtime_ns)
        if stat.S_ISDIR(state.st_mode):
            files = tuple(sorted(_files(folder / main)))
            return _several(one, folder / main, files)
        if not stat.S_ISREG(state.st_mode):
            return replace(one, why="is neither a file nor a folder")
        if not os.access(folder / main, os.R_OK):
            return replace(one, why="cannot be read: ask its owner")
        if not members:
            return replace(one, nbytes=state.st_size, mtime_ns=state.st_mtime_ns)
        home = main.rpartition("/")[0]
        start = f"{home}/" if home else ""
        if not all(name.startswith(start) for name in members):
            return replace(one, why="has files above its own folder: bring them together first")
        names = (main.removeprefix(start), *(name.removeprefix(start) for name in members))
        return _several(one, folder / home, names)
    except OSError as error:
        return replace(one, why=f"cannot be read: {error.strerror}")


def _several(one: Found, base: Path, files: tuple[str, ...]) -> Found:
    states = [os.lstat(base / name) for name in files]
    return replace(
        one,
        form="set",
        members=files,
        nbytes=sum(state.st_size for state in states),
        mtime_ns=max((state.st_mtime_ns for state in states), default=0),
    )


def _files(folder: Path) -> Iterator[str]:
    for here, _, names in os.walk(folder):
        for name in names:
            file = Path(here, name)
            if not file.is_symlink():
                yield file.relative_to(folder).as_posix()


def _below(inside: str, path: str) -> str:
    return f"{inside}/{path}" if inside else path


def _judged(one: Found, inside: str, judge: Judge) -> Found:
    if one.why:
        return one
    path = one.path.removeprefix(f"{inside}/") if inside else one.path
    folder, _, name = path.rpartition("/")
    goal, why = judge(folder, name)
    return replace(one, goal=goal, why=why)


def _known(session: Session, root: str, found: list[Found]) -> list[Found]:
    """Return all with their fate: projects are looked up, and what is there already."""
    there = references.known(session, root, [one.path for one in found if one.goal])
    asked: dict[tuple[str, str, str], str] = {}
    told = []
    for one in found:
        if one.goal is None:
            told.append(one)
            continue
        if one.path in there:
            told.append(replace(one, fate=THERE, why=f"already there as {there[one.path]}"))
            continue
        key = (one.goal.project, one.goal.team, one.goal.dataset)
        if key not in asked:
            try:
                adoptions.project_of(session, one.goal)
                asked[key] = ""
            except CidError as error:
                asked[key] = str(error)
        why = asked[key]
        told.append(replace(one, fate=QUARANTINE if why else NEW, why=why))
    return told
