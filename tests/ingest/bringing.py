"""Deposits of trees without a network: staged, begun and imported in this process."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import numpy as np
import tifffile
from sqlalchemy import select

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import deposits
from cid_server_ext.db import tables as t
from cid_server_ext.ingest.importer import Importer

WHO = Actor("contributor")


def tif(seed: int = 1, size: int = 40) -> bytes:
    """A small image; another seed gives other pixels."""
    out = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 4000, (size, size), dtype=np.uint16)
    tifffile.imwrite(out, pixels)
    return out.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def opened(
    importer: Importer,
    files: dict[str, bytes],
    *,
    dataset: str = "",
    kind: str = "import",
    digests: bool = False,
    again: bool = False,
    who: Actor = WHO,
    project: str = "screen",
) -> str:
    """Open a deposit, stage all that is not there already, and return its uid, begun."""
    declared: list[dict[str, Any]] = [
        {"path": path, "nbytes": len(body)} | ({"sha256": sha256(body)} if digests else {})
        for path, body in files.items()
    ]
    with importer.sessions.begin() as session:
        new = deposits.open_import(
            session, who, project, dataset=dataset, kind=kind, declared=declared, again=again
        )
        uid = new.uid
        here = {file["path"] for file in new.declared if "held" in file}
    for path, body in files.items():
        if path not in here:
            place = importer.root.path(f"staging/{uid}/in/{path}")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(body)
    with importer.sessions.begin() as session:
        deposits.begin(session, who, uid, {})
    return uid


def brought(importer: Importer, files: dict[str, bytes], **how: Any) -> t.Deposit:
    """Import a tree and return the deposit as it ended."""
    uid = opened(importer, files, **how)
    importer._import(uid)
    return ended(importer, uid)


def ended(importer: Importer, uid: str) -> t.Deposit:
    with importer.sessions() as session:
        return session.scalars(select(t.Deposit).where(t.Deposit.uid == uid)).one()


def placed(importer: Importer, kind: type[t.Record], uids: list[str]) -> dict[str, str]:
    """Return "dataset/name" -> kind of these records."""
    with importer.sessions() as session:
        rows = session.scalars(select(kind).where(kind.uid.in_(uids)))
        return {f"{row.dataset.path}/{row.name}": row.kind for row in rows}


def counters(importer: Importer) -> tuple[int, int, int]:
    """Return (bytes of all records, used, reserved)."""
    with importer.sessions() as session:
        allocation = session.query(t.Allocation).one()
        held = sum(session.scalars(select(t.Record.nbytes)))
        return held, allocation.used, allocation.reserved


def staged(importer: Importer) -> list[str]:
    folder = importer.root.path("staging")
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def originals(importer: Importer) -> dict[str, str]:
    """Return the sha256 of every original and file on disk by its path below the prefix."""
    folder = importer.root.path("files")
    found = (path for path in folder.rglob("*") if path.is_file())
    return {
        "/".join(path.relative_to(folder).parts[2:]): sha256(path.read_bytes()) for path in found
    }


def staged_files(importer: Importer, uid: str) -> list[str]:
    """Return what lies in a deposit."""
    base = importer.root.path(f"staging/{uid}/in")
    found = (path for path in base.rglob("*") if path.is_file())
    return sorted(path.relative_to(base).as_posix() for path in found)
