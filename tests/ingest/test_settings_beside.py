"""Settings of the Micro-Meta App that come beside an image: whose they are, and what they fill."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bringing
import microscopes
import pytest
import world
from bringing import brought, tif
from microscopes import MICROSCOPE, SETTINGS, SINCE, STAFF
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core.catalog import instruments, shown
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput
from cid_server_ext.ingest import settings
from cid_server_ext.ingest.importer import Importer
from cid_server_ext.storage.roots import Folder

TOLD = json.dumps(SETTINGS).encode()


@pytest.fixture
def importer(sessions: Sessions, tmp_path: Path) -> Iterator[Importer]:
    with sessions.begin() as session:
        world.make_project(session, "screen")
        scope = instruments.add(session, STAFF, "Widefield 2")
        instruments.put_version(
            session, STAFF, scope.uid, valid_from=SINCE, made_of={}, document=MICROSCOPE
        )
    made = Importer(sessions, Folder(tmp_path / "root"))
    yield made
    made.close()


def tags(session: Session, name: str) -> dict[str, tuple[str, str]]:
    image = session.scalars(select(t.Image).where(t.Image.name == name)).one()
    rows = shown.tags(session, [image.id])[image.id]
    return {tag.key: (tag.value, tag.source) for tag in rows if tag.kind == "machine"}


def notes(session: Session) -> dict[str, str]:
    rows = session.execute(
        select(t.File.name, t.Note.text).join(t.Note, t.Note.record_id == t.File.id)
    )
    return dict(rows.all())


def test_settings_belong_to_the_image_that_is_called_so_or_to_all_of_their_folder(
    importer: Importer,
) -> None:
    bare = json.dumps({**SETTINGS, "InstrumentName": "Elsewhere", "Channels": None}).encode()
    tree = {
        "one/cell.ome.tif": tif(1),
        "one/cell.Settings.JSON": TOLD,
        "one/cell.settings.json": bare,  # one too many
        "one/other.tif": tif(2),
        "one/other.tif.settings.json": bare,
        "all/a.tif": tif(3),
        "all/b.tif": tif(4),
        "all/Settings.json": TOLD,
        "alone/c.tif": tif(5),
        "alone/monday_settings.json": TOLD,
        "none/d.tif": tif(6),
        "none/x.settings.json": TOLD,
        "none/y.settings.json": TOLD,
        "bad/e.tif": tif(7),
        "bad/e.settings.json": b'{"InstrumentName": NaN}',
        "bad/settings.json": b"[" * 5000,
    }
    done = brought(importer, tree)
    assert (done.state, done.results["problems"]) == ("done", [])
    with importer.sessions() as session:
        assert tags(session, "cell")["Objective"] == ("Acme 100x NA 1.45", "settings")
        assert tags(session, "cell")["Tube/Detector"] == ("Acme Flash", "settings")
        assert tags(session, "other")["Microscope"] == ("Elsewhere", "settings")
        for name in "abc":
            assert tags(session, name)["Objective"] == ("Acme 100x NA 1.45", "settings")
        assert "Objective" not in {**tags(session, "d"), **tags(session, "e")}
        taken = session.scalars(select(t.Image).where(t.Image.name == "a")).one()
        assert taken.acquired_at is not None
        assert taken.instrument_id is not None
        assert "Objective" not in taken.unknown
        told = notes(session)
        assert told.pop("cell.settings.json") == settings.LONELY
        assert told.pop("x.settings.json") == told.pop("y.settings.json") == settings.LONELY
        assert "NaN is no number" in told.pop("e.settings.json")
        assert "no JSON" in told.pop("settings.json")
        assert told == {}
    kept = bringing.placed(importer, t.File, done.results["files"])
    assert {path for path, kind in kept.items() if kind == "file"} == {
        "all/Settings.json",
        "one/cell.settings.json",
        "none/x.settings.json",
        "none/y.settings.json",
        "bad/e.settings.json",
        "bad/settings.json",
    }
    found = bringing.originals(importer)
    assert found["cell.ome.tif/cell.Settings.JSON"] == bringing.sha256(TOLD)
    assert found["cell.ome.tif/cell.ome.tif"] == bringing.sha256(tree["one/cell.ome.tif"])
    assert found["c.tif/monday_settings.json"] == bringing.sha256(TOLD)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"Channels": []}', r"no Settings\.JSON of the Micro-Meta App"),
        (b'{"InstrumentName": "a", "Channels": {}}', r"no Settings\.JSON"),
        (b"[]", r"no Settings\.JSON"),
        (b"\xff\xfe", "no JSON"),
        (b'{"a": ' * 70 + b"1" + b"}" * 70, "more than 64 levels"),
        (b" " * (settings.LARGEST + 1), "at most 2 MiB"),
    ],
)
def test_what_is_no_settings_is_refused_by_name(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=why):
        settings.read(path)


def test_settings_with_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(b"\xef\xbb\xbf" + TOLD)
    told: dict[str, Any] = settings.read(path)
    assert told == microscopes.SETTINGS
