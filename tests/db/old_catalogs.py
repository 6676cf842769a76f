"""A small catalog as each released schema kept it, written by SQL alone."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, text

AT = dt.datetime(2026, 3, 1, 12, 30, 15, tzinfo=dt.UTC)
UIDS = {
    "team": "00000000-0000-4000-8000-0000000000a",
    "project": "00000000-0000-4000-8000-0000000000b",
    "dataset": "00000000-0000-4000-8000-0000000000c",
    "file": "00000000-0000-4000-8000-0000000000d",
    "image": "00000000-0000-4000-8000-0000000000e",
    "run": "00000000-0000-4000-8000-0000000000f",
    "deposit": "00000000-0000-4000-8000-00000000010",
    "template": "00000000-0000-4000-8000-00000000011",
}
MANIFEST = {"template": {"name": "count", "version": "1.0.0", "title": "Count"}, "parameters": {}}


def uid(table: str, number: int) -> str:
    return f"{UIDS[table]}{number}"[:36]


def _add(connection: Connection, table: str, **row: Any) -> None:
    values = {k: json.dumps(v) if isinstance(v, list | dict) else v for k, v in row.items()}
    if connection.dialect.name == "sqlite":
        values = {
            k: f"{v:%Y-%m-%d %H:%M:%S.%f}" if isinstance(v, dt.datetime) else v
            for k, v in values.items()
        }
    names = ", ".join(f'"{name}"' for name in row)
    given = ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({given})"), values)


def _named(connection: Connection, table: str, number: int, **row: Any) -> None:
    at = AT + dt.timedelta(minutes=number)
    _add(connection, table, id=number, uid=uid(table, number), created_at=at, **row)


def fill_0001(connection: Connection) -> None:
    """Two teams, nested datasets, images with originals, every kind of tag, runs, deposits."""

    def add(table: str, **row: Any) -> None:
        _add(connection, table, **row)

    def named(table: str, number: int, **row: Any) -> None:
        _named(connection, table, number, **row)

    for n, team in enumerate(("lab", "other"), 1):
        named("team", n, name=team, title=f"The {team}")
        named("project", n, team_id=n, name=f"{team}-screen", title="é", state="active")
        add("allocation", project_id=n, limit=10**9, used=0, reserved=0)
        add("team_member", team_id=n, person=f"{team}-head", role="leader", ends_at=None)
        named("dataset", n, project_id=n, parent_id=None, path="")
    add("project_member", project_id=1, person="ana", role="contributor", ends_at=None)
    add("project_member", project_id=1, person="ben", role="viewer", ends_at=AT)
    # a parent with a higher number than its child
    named("dataset", 5, project_id=1, parent_id=1, path="Écran")
    named("dataset", 3, project_id=1, parent_id=5, path="Écran/plate 1")
    for n, (project, key, kind, type_) in enumerate(TERMS, 1):
        add("term", id=n, project_id=project, key=key, kind=kind, type=type_, unit="")
    named(
        "template",
        1,
        name="count",
        version="1.0.0",
        digest="0" * 64,
        manifest=MANIFEST,
        notebook="{}",
        published_by="staff",
    )
    for n, state in enumerate(("done", "queued"), 1):
        named(
            "run",
            n,
            batch=uid("run", 9),
            project_id=1,
            template_id=1,
            person="ana",
            parameters={"sigma": 1.5},
            state=state,
            attempt=1,
            reserved=100 * (state == "queued"),
            progress={},
            metrics={"objects": 3},
            environment={},
            cancel_asked=False,
            token_hash=f"{n}" * 64,
            started_at=AT,
            dataset_id=3,
        )
    for n, (dataset, kind, name) in enumerate(FILES, 1):
        named(
            "file",
            n,
            project_id=2 if dataset == 2 else 1,
            dataset_id=dataset,
            name=name,
            kind=kind,
            media_type="text/x",
            prefix=f"files/{n}",
            nbytes=10 * n,
            sha256=f"{n}" * 64,
            created_by="ana",
            run_id=1 if kind in ("table", "notebook") else None,
        )
    for n, (dataset, kind, name, original, source) in enumerate(IMAGES, 1):
        named(
            "image",
            n,
            project_id=2 if dataset == 2 else 1,
            dataset_id=dataset,
            name=name,
            kind=kind,
            axes="zyx",
            shape=[2, 64, 64],
            dtype="uint16",
            levels=1,
            scale={"y": 0.5, "x": 0.5},
            units={"y": "micrometer", "x": "micrometer"},
            channels=[{"name": "DAPI"}],
            prefix=f"images/{n}",
            nbytes=1000 * n,
            sha256=f"{n}" * 64,
            created_by="ana",
            original_id=original,
            source_id=source,
            run_id=1 if kind == "labels" else None,
        )
    for n, (run, position, image) in enumerate(((1, 0, 1), (1, 1, 3), (2, 0, 3)), 1):
        add("run_input", run_id=run, position=position, image_id=image, role=f"role {n}")
    for n, (image, term, value, number) in enumerate(TAGS, 1):
        add(
            "tag",
            id=n,
            image_id=image,
            term_id=term,
            project_id=2 if image == 2 else 1,
            text=value,
            number=number,
            source="file" if n % 2 else "person",
            set_by="ana",
        )
    for n, state in enumerate(("open", "importing", "done"), 1):
        named(
            "deposit",
            n,
            project_id=1,
            dataset_id=3,
            kind="import",
            state=state,
            person="ana",
            run_id=None,
            declared=[{"path": "a.tif", "nbytes": 10}],
            reserved=10 * (state != "done"),
            manifest={},
            progress={"fraction": 0.5},
            results={"images": [uid("image", 1)]},
            expires_at=AT,
        )
    for project, used, reserved in ((1, 8100, 120), (2, 2050, 0)):
        connection.execute(
            text("UPDATE allocation SET used = :u, reserved = :r WHERE project_id = :p"),
            {"u": used, "r": reserved, "p": project},
        )
    for n, action in enumerate(("create project", "create image", "tag"), 1):
        add("journal", id=n, at=AT, person="ana", action=action, subject=f"x:{n}", detail={"n": n})


TERMS = (
    (None, "Objective", "machine", "text"),
    (1, "GFP", "sample", "text"),
    (1, "gfp", "sample", "text"),  # the older release kept these two apart
    (1, "snr", "processing", "number"),
    (2, "GFP", "sample", "text"),
    (1, "fixed on", "sample", "date"),
    (None, "Acquisition date", "machine", "text"),
)
FILES = (
    (3, "original", "one.tif"),
    (3, "original", "two.tif"),
    (3, "table", "objects.parquet"),
    (3, "notebook", "executed.ipynb"),
    (2, "original", "far.tif"),
)
IMAGES = (  # dataset, kind, name, original, source
    (3, "image", "Zellkern Größe", 1, None),
    (2, "image", "far", 5, None),
    (5, "image", "two 細胞 α-β", 2, None),
    (3, "labels", "two things", None, 3),
)
TAGS = (  # image, term, text, number
    (1, 1, "63x/1.4 Öl", None),
    (3, 1, "63x/1.4 Öl", None),
    (2, 1, "63X/1.4 öl", None),
    (1, 2, "weak", None),
    (1, 3, "strong", None),
    (1, 4, "12.5", 12.5),
    (3, 4, "1" + "0" * 90, 1e90),
    (2, 5, "weak", None),
    (3, 6, "yesterday", None),
    (4, 1, "x" * 400, None),
    (1, 7, "2026-02-28T10:20:30.500000+01:00", None),
    (2, 7, "2026-02-28", None),
    (3, 7, "a while ago", None),
)

FILL: dict[str, Callable[[Connection], None]] = {"0001": fill_0001}
