"""A seeded facility with odd names, links, trash and live datasets, as rows of plain Python.

The same rows are written to each database, with the same ids, and read by the oracle.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from cid_server_ext.core.search import index
from cid_server_ext.core.search.words import fold
from cid_server_ext.db import tables as t

RECORDS = 260
BEGUN = dt.datetime.now(dt.UTC).replace(microsecond=0)
WORDS = [
    "cell", "Cells", "HeLa", "hela-2", "Nuclei", "Größe", "GROSSE", "straße", "Müller", "mueller",
    "日本語", "日本", "ﬁxed", "fixed", "plate_1", "plate 1", "100%", "a_b", "x", "GFP", "gfp-2",
    "63x/1.4", "🔬", "نواة", "Ωmega", "o'brien", "c:d", "(wt)", 'say "hi"', "back\\slash", "NEAR",
    "AND", "or", "İstanbul", "e\u0301clair", "éclair", "Ⅻ", "u4e", "-dash", "*star*", "2026",
    "2026-03", "5um", "10..20", "a,b",
]  # fmt: skip
PERSONS = ["anna", "bela", "chen", "leader", "outsider", "ended"]
PROJECTS = ["alpha", "beta", "gamma", "delta"]
MEMBERS = {
    "anna": ["alpha", "beta"],
    "bela": ["gamma"],
    "chen": ["alpha", "beta", "gamma", "delta"],
}
PATHS = ["", "screen", "screen/plate 1", "screen/plate 2", "screening", "Größe", "old", "alpha"]
LIVE = {"bright": "snr>10", "mine": 'by:anna OR in:"screen"', "both": "in:bright -kind:labels"}
TERMS = [  # key, type, unit, project
    ("Objective", "text", "", None),
    ("Cell type", "choice", "", None),
    ("kind", "text", "", None),
    ("SNR", "number", "", None),
    ("Exposure time", "number", "ms", None),
    ("Acquired on", "date", "", None),
    ("Protein", "text", "", "alpha"),
    ("Protein", "text", "", "beta"),
    ("Protein", "text", "", "gamma"),
    ("Depth", "number", "µm", "alpha"),
    ("Depth", "number", "mm", "gamma"),
    ("Größe", "text", "", "delta"),
]
CHANNELS = ["DAPI", "EGFP 488", "Größe", "gfp", "", "mCherry/2"]
UNITS = ["micrometer", "nanometer", "millimeter", "parsec"]


@dataclass
class Facility:
    """Rows by table; `shown` is filled by the oracle."""

    rows: dict[type[Any], list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, model: type[Any], **columns: Any) -> int:
        made = self.rows.setdefault(model, [])
        made.append({"id": len(made) + 1, **columns} if hasattr(model, "id") else columns)
        return len(made)


def make(seed: int) -> Facility:
    """Return the same facility for the same seed."""
    pick = random.Random(seed)
    made = Facility()
    team = made.add(t.Team, uid=_uid(pick), name="lab-a", title="")
    other = made.add(t.Team, uid=_uid(pick), name="lab-b", title="")
    made.add(t.TeamMember, team_id=other, person="leader", role="leader", ends_at=None)
    for name in PROJECTS:
        lab = other if name in ("gamma", "delta") else team
        made.add(t.Project, uid=_uid(pick), name=name, title="", state="active", team_id=lab)
    for person, names in [*MEMBERS.items(), ("ended", PROJECTS)]:
        for name in names:
            ends = BEGUN - dt.timedelta(days=1) if person == "ended" else None
            member = {"project_id": PROJECTS.index(name) + 1, "person": person, "role": "viewer"}
            made.add(t.ProjectMember, **member, ends_at=ends)
    trash = made.add(
        t.Trash, uid=_uid(pick), project_id=1, person="anna", what="x", nbytes=0, state="kept",
        purge_at=BEGUN,
    )  # fmt: skip
    for project in range(1, len(PROJECTS) + 1):
        for path in PATHS:
            gone = trash if path == "old" else None
            _dataset(made, pick, project, path, None, gone)
    for path, query in LIVE.items():
        for project in (1, 3):
            _dataset(made, pick, project, path, query, None)
    for key, kind, unit, owner in TERMS:
        project_id = PROJECTS.index(owner) + 1 if owner else None
        made.add(
            t.Term, uid=_uid(pick), project_id=project_id, key=key, folded=fold(key),
            kind="sample", type=kind, unit=unit, many=True,
        )  # fmt: skip
    for term, (_, kind, _, _) in enumerate(TERMS, 1):
        for text in pick.sample(WORDS, 14) if kind in ("text", "choice") else ():
            shown = pick.choice([text, f"{text} {pick.choice(WORDS)}", text.upper()])
            if not any(v["term_id"] == term and v["text"] == shown for v in _of(made, t.Value)):
                made.add(t.Value, uid=_uid(pick), term_id=term, text=shown, folded=fold(shown))
    runs = _run(made, pick)
    for _ in range(RECORDS):
        _record(made, pick, trash, runs)
    return made


def write(session: Session, made: Facility) -> None:
    """Write all rows, and the postings as the product makes them."""
    models = {model.__table__.name: model for model in made.rows}
    for table in t.Base.metadata.sorted_tables:
        if table.name in models:
            session.connection().execute(table.insert(), made.rows[models[table.name]])
    session.flush()
    index.refresh(session, [row["id"] for row in made.rows[t.Record]])


def _of(made: Facility, model: type[Any]) -> list[dict[str, Any]]:
    return made.rows.get(model, [])


def _uid(pick: random.Random) -> str:
    return str(uuid.UUID(int=pick.getrandbits(128), version=4))


def _dataset(
    made: Facility, pick: random.Random, project: int, path: str, query: str | None,
    trash: int | None,
) -> None:  # fmt: skip
    made.add(
        t.Dataset, uid=_uid(pick), project_id=project, parent_id=None, path=path, query=query,
        trash_id=trash,
    )  # fmt: skip


def _run(made: Facility, pick: random.Random) -> list[int]:
    template = made.add(
        t.Template, uid=_uid(pick), name="count", version="1.0.0", digest="0" * 64, manifest={},
        notebook="{}", published_by="staff",
    )  # fmt: skip
    return [
        made.add(
            t.Run, uid=_uid(pick), batch="b", project_id=1, template_id=template, person="anna",
            parameters={}, state="running",
        )
        for _ in range(2)
    ]  # fmt: skip


def _record(made: Facility, pick: random.Random, trash: int, runs: list[int]) -> None:
    kind = pick.choice(["image"] * 6 + ["labels"] * 2 + ["table", "notebook", "figure", "original"])
    pixels = kind in ("image", "labels")
    folders = [d for d in _of(made, t.Dataset) if d["query"] is None]
    home = pick.choice([d for d in folders if d["trash_id"] is None])
    name = " ".join(pick.choices(WORDS, k=pick.randint(1, 3)))
    originals = [r for r in _of(made, t.Record) if r["kind"] == "original"]
    record = made.add(
        t.Record,
        uid=_uid(pick),
        type="image" if pixels else "file",
        kind=kind,
        project_id=home["project_id"],
        dataset_id=home["id"],
        name=name.replace("/", "_"),
        prefix="x",
        nbytes=pick.choice([0, 999, 1000, 10**6, 10**9, 3 * 10**9, pick.randrange(10**10)]),
        sha256=f"{pick.getrandbits(256):064x}",
        created_by=pick.choice(PERSONS[:3]),
        created_at=BEGUN - dt.timedelta(days=pick.randrange(400), hours=12),
        run_id=pick.choice([None, None, *runs]),
        trash_id=trash if pick.random() < 0.06 else None,
        purged_at=BEGUN if pick.random() < 0.03 else None,
        axes=pick.choice(["yx", "zyx", "cyx", "tczyx"]) if pixels else None,
        shape=[1] if pixels else None,
        dtype=pick.choice(["uint8", "uint16", "float32"]) if pixels else None,
        levels=1 if pixels else None,
        scale=pick.choice([{}, {"x": 0.1}, {"x": 0.5, "y": 1}, {"x": 65.0}]) if pixels else None,
        units={"x": pick.choice(UNITS)} if pixels else None,
        channels=[{"name": c} for c in pick.sample(CHANNELS, pick.randint(0, 3))]
        if pixels
        else None,
        acquired_at=_moment(pick) if pixels and pick.random() < 0.7 else None,
        original_id=pick.choice(originals)["id"] if pixels and originals else None,
    )
    for project in {home["project_id"]} | ({pick.randint(1, 4)} if pick.random() < 0.3 else set()):
        within = [d for d in folders if d["project_id"] == project and d["id"] != home["id"]]
        if project != home["project_id"] or pick.random() < 0.1:
            made.add(
                t.Link, dataset_id=pick.choice(within)["id"], record_id=record, project_id=project,
                linked_by="anna",
            )  # fmt: skip
    _tags(made, pick, record, home["project_id"])
    if pick.random() < 0.2:
        made.add(
            t.Note, uid=_uid(pick), project_id=home["project_id"], dataset_id=None,
            record_id=record, person="anna", text=" ".join(pick.choices(WORDS, k=4)),
        )  # fmt: skip
    if len(_of(made, t.RunInput)) < 8 and kind == "image" and pick.random() < 0.2:
        place = len(_of(made, t.RunInput))
        made.add(t.RunInput, run_id=runs[0], position=place, image_id=record, role="image")


def _tags(made: Facility, pick: random.Random, record: int, project: int) -> None:
    for term in _of(made, t.Term):
        if pick.random() < 0.45 or term["project_id"] not in (None, project):
            continue
        row = {"record_id": record, "term_id": term["id"], "source": "person", "set_by": "anna"}
        if term["type"] == "number":
            number = pick.choice([0.0, 0.5, 10.0, 12.5, 1000.0, -3.0, round(pick.random() * 30, 2)])
            made.add(t.Tag, **row, value_id=None, number=number, text=f"{number:g}")
        elif term["type"] == "date":
            at = _moment(pick)
            text = at.isoformat()[:10]
            made.add(t.Tag, **row, value_id=None, number=at.timestamp(), text=text)
        else:
            values = [v for v in _of(made, t.Value) if v["term_id"] == term["id"]]
            for value in pick.sample(values, pick.choice([1, 1, 1, 2])):
                made.add(t.Tag, **row, value_id=value["id"], number=None, text=None)


def _moment(pick: random.Random) -> dt.datetime:
    start = dt.datetime(2025, 11, 1, tzinfo=dt.UTC)
    return start + dt.timedelta(days=pick.randrange(200), hours=pick.choice([0, 7]))
