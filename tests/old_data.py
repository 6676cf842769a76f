"""Old data where it lies, and what a test does with it: look, adopt, take back."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import tifffile
import zarr
from sqlalchemy import select

from cid_server_ext.core.catalog import adoptions
from cid_server_ext.core.catalog.goals import Goal
from cid_server_ext.core.memory.export import canonical
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions, reading
from cid_server_ext.ingest.adopting import bring, survey
from cid_server_ext.ingest.adopting.found import Found
from cid_server_ext.ingest.limits import Limits
from cid_server_ext.storage.inplace import Roots
from cid_server_ext.storage.roots import Folder


@dataclass
class Old:
    """A tree that may be adopted into the project `screen`, by one rule: a dataset for a folder."""

    sessions: Sessions
    storage: Folder
    tree: Path
    goal: Goal = field(default_factory=lambda: Goal("all", "screen", tags={"Cell type": "HeLa"}))

    @property
    def roots(self) -> Roots:
        return Roots({"old": self.tree})

    def judge(self, folder: str, name: str) -> tuple[Goal | None, str]:
        if name.startswith("stray"):
            return None, "no rule matches"
        return replace(self.goal, dataset=folder), ""

    def survey(self) -> list[Found]:
        return survey.survey(self.sessions, self.roots, ("old", ""), self.judge, Limits())

    def unit(self) -> str:
        with self.sessions() as session:
            return adoptions.unit(session, "old", "", "the rule")

    def adopting(self, unit: str = "") -> bring.Adopting:
        named = unit or self.unit()
        return bring.Adopting(self.sessions, self.storage, self.roots, "old", named, "cid")

    def adopt(self) -> bring.Brought:
        return self.adopting().bring(self.survey())

    def take_back(self, unit: str) -> None:
        bring.take_back(self.sessions, self.storage, unit, "staff")

    def export(self) -> bytes:
        with reading(self.sessions) as session:
            return b"".join(canonical(session))

    def reference(self, path: str) -> t.Reference:
        with self.sessions() as session:
            return session.scalars(select(t.Reference).where(t.Reference.path == path)).one()

    def record(self, kind: type[t.Record], name: str) -> t.Record:
        with self.sessions() as session:
            return session.scalars(select(kind).where(kind.name == name)).one()

    def count(self, kind: type[t.Record] = t.Record) -> int:
        with self.sessions() as session:
            return len(session.scalars(select(kind.id).where(kind.prefix.like("%-%"))).all())

    def used(self) -> int:
        with self.sessions() as session:
            return session.scalars(select(t.Allocation.used)).first() or 0


def tif(path: Path, seed: int = 1) -> None:
    """Write a small image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 4000, (40, 48), dtype=np.uint16)
    tifffile.imwrite(path, pixels)


def metamorph(folder: Path) -> None:
    """Write a .nd with its one file: two that belong together."""
    tif(folder / "s_w1A.tif", 3)
    lines = ['"NDInfoFile", Version 1.0', '"DoWave", TRUE', '"NWavelengths", 1', '"WaveName1", "A"']
    text = "\r\n".join([*lines, '"WaveInFileName", TRUE', '"EndFile"'])
    (folder / "s.nd").write_text(text, encoding="latin-1")


def image(path: Path, seed: int = 1, version: str = "0.5") -> np.ndarray:
    """Write an OME-Zarr of two channels and return its pixels."""
    pixels = np.random.default_rng(seed).integers(0, 4000, (2, 40, 48), dtype=np.uint16)
    written = 3 if version == "0.5" else 2
    axes = [{"name": "c", "type": "channel"}]
    axes += [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "yx"]
    scale = {"type": "scale", "scale": [1.0, 0.5, 0.5]}
    level = {"path": "0", "coordinateTransformations": [scale]}
    told = {"multiscales": [{"version": version, "axes": axes, "datasets": [level]}]}
    attributes = {"ome": {**told, "version": version}} if written == 3 else told
    group = zarr.open_group(path, mode="w", zarr_format=written, attributes=attributes)
    keys = {"chunk_key_encoding": {"name": "v2", "separator": "/"}} if written == 2 else {}
    array = group.create_array("0", shape=pixels.shape, chunks=(1, 20, 24), dtype="uint16", **keys)
    array[...] = pixels
    return pixels


def plate(path: Path) -> None:
    """Write a plate of two wells with one field each, of OME-Zarr 0.4."""
    wells = [{"path": f"A/{n}", "rowIndex": 0, "columnIndex": n - 1} for n in (1, 2)]
    told = {"version": "0.4", "name": "P", "wells": wells, "rows": [{"name": "A"}]}
    told |= {"columns": [{"name": "1"}, {"name": "2"}]}
    _group(path, {"plate": told})
    _group(path / "A", {})
    for well in wells:
        _group(path / well["path"], {"well": {"version": "0.4", "images": [{"path": "0"}]}})
        image(path / well["path"] / "0", well["columnIndex"], "0.4")


def _group(path: Path, attributes: dict) -> None:
    path.mkdir(parents=True, exist_ok=True)
    (path / ".zgroup").write_text('{"zarr_format": 2}')
    (path / ".zattrs").write_text(json.dumps(attributes))


def state(tree: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return what every file of a tree is: length, time and bytes."""
    found = {}
    for here, _, names in os.walk(tree):
        for name in names:
            path = Path(here, name)
            if not path.is_symlink():
                now = path.lstat()
                found[str(path)] = (now.st_size, now.st_mtime_ns, path.read_bytes())
    return found
