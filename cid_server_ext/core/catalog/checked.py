"""What a deposit would become, told before it does: its commit is tried, read and undone.

So the report says what would be, with all that the register, the mask and the vocabulary add.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import File, Image
from .. import policy
from ..actor import Actor
from . import commits, images, learned
from .judged import judged, poor

BATCH = 500
GOOD, LOOK, KEPT, UNREADABLE, THERE = "good", "look", "file", "unreadable", "there"
ORDER = (UNREADABLE, LOOK, GOOD, KEPT, THERE)  # in which they are told
SHOWN = 5000  # files
OTHER = "one of this name and size is there with other bytes: one of the two may be damaged"
R = TypeVar("R", Image, File)


def report(session: Session, deposit_id: int, new: commits.Commit) -> dict[str, Any]:
    """Return what this commit would bring, file by file. The caller rolls the session back."""
    deposit = commits.commit(session, deposit_id, new)
    session.flush()
    told = [*_files(session, Actor(deposit.person), new), *_there(new)]
    told.sort(key=lambda one: str(one["path"]))
    ranked = sorted(told, key=lambda one: ORDER.index(one["verdict"]))
    return {
        "files": ranked[:SHOWN],
        "counts": {verdict: n for verdict in ORDER if (n := _count(told, verdict))},
        "nbytes": new.nbytes,
        **asdict(learned.asked(session, deposit, new)),
    }


def hopeless(report: Mapping[str, Any]) -> bool:
    """Say whether nothing of it could be read: an import would be refused."""
    return set(report["counts"]) == {UNREADABLE}


def _count(told: list[dict[str, Any]], verdict: str) -> int:
    return sum(one["verdict"] == verdict for one in told)


def _there(new: commits.Commit) -> Iterator[dict[str, Any]]:
    for one in new.there:
        yield _told(one.path, THERE, record=one.record)


def _files(session: Session, person: Actor, new: commits.Commit) -> Iterator[dict[str, Any]]:
    """Yield what is to be said of each file, or of files that belong together."""
    rows = {row.uid: row for row in _rows(session, Image, [image.uid for image in new.images])}
    complete = images.complete(session, [row.id for row in rows.values()])
    images_of: dict[str, list[dict[str, Any]]] = {}
    for image in new.images:
        row = rows[image.uid]
        one = _image(session, row, complete.get(row.id))
        images_of.setdefault(image.original or "", []).append(one)
    reasons = {problem.file: problem.message for problem in new.problems}
    other = _other_bytes(session, person, _rows(session, File, [file.uid for file in new.files]))
    for file in new.files:
        path = "/".join(part for part in (file.folder, file.name) if part)
        found = images_of.get(file.uid, [])
        findings = [line for one in found for line in _named(one, len(found))]
        if file.note:
            findings.append(file.note)
        if not file.nbytes:
            findings.append("it is empty")
        if file.uid in other:
            findings.append(OTHER)
        verdict = LOOK if findings else GOOD if found else KEPT
        if file.uid in reasons:
            verdict, findings = UNREADABLE, [reasons[file.uid]]
        yield _told(path, verdict, nbytes=file.nbytes, findings=findings, images=found)


def _told(path: str, verdict: str, **more: Any) -> dict[str, Any]:
    nothing = {"nbytes": 0, "findings": [], "images": [], "record": None}
    return {"path": path, "verdict": verdict, **nothing, **more}


def _named(image: dict[str, Any], several: int) -> list[str]:
    name = f"{image['name']}: " if several > 1 else ""
    return [name + finding for finding in image["findings"]]


def _image(session: Session, row: Image, complete: float | None) -> dict[str, Any]:
    """Return an image as it would be, with what somebody should look at."""
    quality = judged(row.quality)
    return {
        "name": row.name,
        "kind": row.kind,
        "axes": row.axes,
        "shape": row.shape,
        "dtype": row.dtype,
        "scale": row.scale,
        "units": row.units,
        "nbytes": row.nbytes,
        "quality": quality,
        "completeness": complete,
        "missing": images.unknown(session, row) if complete is not None else {},
        "findings": [*_unscaled(row), *poor(quality)],
    }


def _unscaled(row: Image) -> Iterator[str]:
    if row.kind == "image" and any(axis in row.axes and not row.scale.get(axis) for axis in "yx"):
        yield "the size of a pixel is missing"


def _rows(session: Session, kind: type[R], uids: list[str]) -> Iterator[R]:
    for at in range(0, len(uids), BATCH):
        yield from session.scalars(select(kind).where(kind.uid.in_(uids[at : at + BATCH])))


def _other_bytes(session: Session, person: Actor, came: Iterator[File]) -> set[str]:
    """Return the files that are like one in the same dataset in all but their bytes."""
    new = {(row.dataset_id, row.name, row.nbytes): row for row in came if row.nbytes}
    names = sorted({name for _, name, _ in new})
    places = {place for place, _, _ in new}
    mine = {row.uid for row in new.values()}
    found = set()
    for at in range(0, len(names), BATCH):
        alike = policy.visible(person, File).where(
            File.dataset_id.in_(places), File.name.in_(names[at : at + BATCH])
        )
        for row in session.scalars(alike):
            one = new.get((row.dataset_id, row.name, row.nbytes))
            if one is not None and row.uid not in mine and row.sha256 != one.sha256:
                found.add(one.uid)
    return found
