"""The mask of an upload that named none: that of the microscope which its files name.

It is known once the files are read. What it asks for and nobody said is told then; the deposit
waits for it, and nothing is sent again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Deposit, Instrument, Mask
from . import machine, masked, masks
from .masked import Chosen, Told

if TYPE_CHECKING:
    from .commits import Commit

SEVERAL = "{} has several masks, say which: {}"


@dataclass(slots=True)
class Asked:
    """The masks of the microscopes that took these files, and what they have against them."""

    masks: list[str] = field(default_factory=list)
    wrong: list[dict[str, Any]] = field(default_factory=list)


def asked(session: Session, deposit: Deposit, new: Commit) -> Asked:
    """Return what is still to be said of what was read, before it is committed."""
    found = Asked()
    if deposit.kind != "import" or deposit.run_id is not None or deposit.told.get("mask"):
        return found
    if session.scalar(select(Mask.id).where(_in_use()).limit(1)) is None:
        return found
    said = Told(tags=deposit.told.get("tags", {}), tags_of=deposit.told.get("tags_of", {}))
    declared = str(deposit.manifest.get("instrument") or deposit.told.get("instrument") or "")
    whole = len({image.original for image in new.images})
    for instrument, paths in _taken_by(session, new, declared):
        rows = masks.of_instrument(session, instrument)
        where = [""] if len(paths) == whole else paths
        if len(rows) > 1:
            names = ", ".join(row.name for row in rows)
            message = SEVERAL.format(repr(instrument.name), names)
            found.wrong += [_line("mask", path, message) for path in where]
        for row in rows if len(rows) == 1 else ():
            found.masks.append(row.name)
            told = replace(said, tags_of=_above(said, paths))
            judged = masked.judge(session, deposit.project, of_row(row), told, paths)
            found.wrong += _spread(judged.wrong, where)
    found.wrong = found.wrong[: masked.SHOWN]
    return found


def of(session: Session, instrument: Instrument | None) -> Chosen | None:
    """Return the only mask in use of a microscope, with it; None where there is none or more."""
    rows = masks.of_instrument(session, instrument) if instrument else []
    return of_row(rows[0]) if len(rows) == 1 else None


def of_row(row: Mask) -> Chosen:
    """Return a mask as it is now, with its microscope."""
    version = masks.current(row)
    return Chosen(version, row.instrument, masks.meant(version))


def _taken_by(
    session: Session, new: Commit, declared: str
) -> Iterator[tuple[Instrument, list[str]]]:
    """Yield each microscope that the files name, with the paths of what it took."""
    paths = {file.uid: "/".join(p for p in (file.folder, file.name) if p) for file in new.files}
    by_names: dict[tuple[str, ...], dict[str, None]] = {}
    for image in new.images:
        if image.kind == "image":
            said = dict.fromkeys(text for key, text, _ in image.tags if key in machine.NAMED_BY)
            path = paths.get(image.original or "", image.name)
            by_names.setdefault(tuple(said), {})[path] = None
    found: dict[int, tuple[Instrument, dict[str, None]]] = {}
    for names, of_names in by_names.items():
        one = machine.match(session, names, declared).instrument
        if one is not None:
            found.setdefault(one.id, (one, {}))[1].update(of_names)
    for instrument, of_it in found.values():
        yield instrument, list(of_it)


def _above(said: Told, paths: Sequence[str]) -> dict[str, Any]:
    """Return what is said of these paths, or of folders they lie in."""
    return {
        named: tags
        for named, tags in said.tags_of.items()
        if any(f"{path}/".startswith(f"{named}/") for path in paths)
    }


def _spread(wrong: list[dict[str, Any]], where: list[str]) -> Iterator[dict[str, Any]]:
    """Yield what is wrong with all files of a microscope for each of them, unless they are all."""
    for one in wrong:
        for path in [one["file"]] if one["file"] else where:
            yield {**one, "file": path}


def _line(name: str, path: str, message: str) -> dict[str, Any]:
    return {"field": name, "file": path, "line": None, "message": message}


def _in_use() -> Any:
    return Mask.instrument_id.is_not(None) & Mask.retired.is_(False)
