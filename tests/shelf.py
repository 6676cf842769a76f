"""Records of every kind, each with a prefix of its own, as deposits bring them; bytes if asked."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import commits, deposits
from cid_server_ext.db import tables as t
from cid_server_ext.storage.roots import file_prefix, image_prefix

CONTRIBUTOR = Actor("contributor")


def add_images(
    session: Session, project: str, names: list[str], dataset: str = ""
) -> list[t.Image]:
    """Add images of 500 bytes that were all read from one file of 1000."""
    file = new_file(f"{names[0]}.tif", "original", 1000)
    images = [
        commits.NewImage(
            uid=(uid := t.new_uid()),
            name=name,
            kind="image",
            axes="yx",
            shape=(64, 64),
            dtype="uint8",
            levels=1,
            scale={"y": 0.5, "x": 0.5},
            units={"y": "micrometer", "x": "micrometer"},
            channels=[],
            tags=[("Objective", "63x/1.4 oil", None), ("Exposure", "80", 80.0)],
            prefix=image_prefix(uid),
            nbytes=500,
            sha256="0" * 64,
            original=file.uid,
        )
        for name in names
    ]
    _commit(session, project, dataset, "import", commits.Commit(images, [file]))
    return [_called(session, t.Image, image.uid) for image in images]


def add_file(session: Session, project: str, name: str, dataset: str = "") -> t.File:
    """Add a file of 300 bytes."""
    file = new_file(name, "file", 300)
    _commit(session, project, dataset, "files", commits.Commit([], [file]))
    return _called(session, t.File, file.uid)


def new_file(name: str, kind: str, nbytes: int) -> commits.NewFile:
    uid = t.new_uid()
    return commits.NewFile(uid, name, kind, file_prefix(uid), nbytes, "0" * 64)


def write_bytes(root: Path, prefix: str, names: tuple[str, ...] = ("a", "b/c")) -> None:
    """Put something below a prefix."""
    for name in names:
        path = root / prefix / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 100)


def _commit(session: Session, project: str, dataset: str, kind: str, new: commits.Commit) -> None:
    declared = [{"path": "upload", "nbytes": new.nbytes}]
    deposit = deposits.open_import(
        session, CONTRIBUTOR, project, dataset=dataset, kind=kind, declared=declared
    )
    deposits.begin(session, CONTRIBUTOR, deposit.uid, {})
    commits.commit(session, deposit.id, new)


def _called(session: Session, kind: type, uid: str) -> t.Record:
    return session.scalars(select(kind).where(kind.uid == uid)).one()
