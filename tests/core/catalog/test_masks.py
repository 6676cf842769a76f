"""Masks in the catalog: who saves them, what a deposit is held to, what its images then say."""

from __future__ import annotations

from typing import Any

import microscopes
import pytest
import world
from microscopes import STAFF
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import (
    commits,
    completeness,
    deposits,
    images,
    masked,
    masks,
    shown,
    terms,
)
from cid_server_ext.core.life import undo
from cid_server_ext.core.search import find
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, Conflict, NotAllowed, NotFound

SOMEONE = Actor("contributor")
TEXT = r"""# ours
mask: Confocal
instrument: Confocal 1
closed: true
filename: (?P<cell_type>[A-Za-z0-9]+)_.*
machine: [Objective, Lasers]
fields:
  - key: Cell type
    required: true
    choices: [HeLa, U2OS]
  - {key: Exposure, type: number, unit: ms, maximum: 1000}
  - {key: Dish, type: choice, choices: [glass, plastic], default: glass}
  - {key: Room, from: instrument.room}
  - {key: Lasers, default: all off}
"""


@pytest.fixture
def confocal(sessions: Sessions) -> str:
    """A project with a vocabulary, a microscope and its mask, which is named by its uid."""
    with sessions.begin() as session:
        world.make_project(session, "screen")
        microscopes.register(session)
        new = terms.NewTerm("Exposure", type="number", unit="s")
        terms.declare(session, Actor("manager"), "screen", new)
    return save(sessions, TEXT)


def save(sessions: Sessions, text: str, called: str = "", note: str = "") -> str:
    with sessions.begin() as session:
        draft = masks.read(session, text=text)
        if called:
            return masks.save(session, STAFF, called, draft, note).uid
        return masks.add(session, STAFF, draft, note).uid


def last(sessions: Sessions) -> t.Journal:
    with sessions() as session:
        return session.scalars(select(t.Journal).order_by(t.Journal.id.desc())).first()


def opened(session: Session, told: masked.Told, *paths: str, kind: str = "import") -> t.Deposit:
    declared = [{"path": path, "nbytes": 10} for path in paths]
    return deposits.open_import(
        session, SOMEONE, "screen", dataset="", kind=kind, declared=declared, told=told
    )


def came(
    session: Session, deposit: t.Deposit, *paths: str, tags: list[Any] | None = None
) -> list[t.Image]:
    """Commit an image for each path, as an import does it, and return them."""
    deposits.begin(session, SOMEONE, deposit.uid, {})
    files, made = [], []
    for path in paths:
        folder, _, name = path.rpartition("/")
        uid = t.new_uid()
        file = commits.NewFile(uid, name, "original", "files/x", 10, "0" * 64, folder=folder)
        files.append(file)
        made.append(
            commits.NewImage(
                uid=t.new_uid(),
                name=name,
                kind="image",
                axes="yx",
                shape=(64, 64),
                dtype="uint8",
                levels=1,
                scale={"y": 0.5, "x": 0.5},
                units={"y": "micrometer", "x": "micrometer"},
                channels=[],
                tags=tags or [],
                prefix="images/x",
                nbytes=5,
                sha256="0" * 64,
                original=file.uid,
                folder=folder,
            )
        )
    commits.commit(session, deposit.id, commits.Commit(made, files))
    uids = [new.uid for new in made]
    found = {row.uid: row for row in session.query(t.Image).filter(t.Image.uid.in_(uids))}
    return [found[uid] for uid in uids]


def told_of(session: Session, image: t.Image) -> dict[str, tuple[str, str]]:
    return {tag.key: (tag.value, tag.source) for tag in shown.tags(session, [image.id])[image.id]}


def test_versions_stay_and_the_newest_counts(sessions: Sessions, confocal: str) -> None:
    assert last(sessions).action == "add mask"
    assert save(sessions, TEXT, confocal) == confocal
    assert last(sessions).action == "add mask"  # the same again is nothing new
    renamed = TEXT.replace("mask: Confocal", "mask: Our confocal")
    save(sessions, renamed, "confocal", "a better name")
    entry = last(sessions)
    assert (entry.action, entry.subject) == ("save mask", f"mask:{confocal}")
    assert entry.detail == {"name": "Our confocal", "version": 2, "note": "a better name"}
    with sessions() as session:
        row = masks.find(session, "our CONFOCAL")
        assert [(one.number, one.text, one.person) for one in row.versions] == [
            (1, TEXT, "staff"),
            (2, renamed, "staff"),
        ]
        assert masks.meant(masks.version(session, confocal, 1)).mask == "Confocal"
        assert row.instrument is not None
        assert [one.uid for one in masks.of_instrument(session, row.instrument)] == [confocal]
        with pytest.raises(NotFound):
            masks.find(session, "Confocal")
        with pytest.raises(NotFound):
            masks.version(session, confocal, 3)
    with sessions.begin() as session:
        masks.retire(session, STAFF, confocal)
    retired = last(sessions)
    with sessions() as session, pytest.raises(BadInput, match=r"retired: leave it out$"):
        masked.choose(session, masked.Told("Our confocal"))
    with sessions.begin() as session:
        undo.undo(session, STAFF, retired.id)
    with sessions() as session:
        assert not masks.find(session, confocal).retired
    with sessions() as session, pytest.raises(Conflict):
        undo.undo(session, STAFF, entry.id)


def test_staff_saves_masks_that_fit_the_register_and_the_vocabulary(
    sessions: Sessions, confocal: str
) -> None:
    with sessions() as session:
        draft = masks.read(session, text=TEXT)
        for refused in (
            lambda: masks.add(session, SOMEONE, draft),
            lambda: masks.save(session, SOMEONE, confocal, draft),
            lambda: masks.retire(session, SOMEONE, confocal),
        ):
            with pytest.raises(NotAllowed):
                refused()
        with pytest.raises(Conflict, match="there is a mask 'Confocal' already"):
            masks.add(session, STAFF, draft)
    with sessions() as session:
        fields = [{"key": "Acquisition date", "type": "text"}, {"key": "objective", "many": True}]
        wrong = {"mask": "A", "instrument": "Confocal 9", "fields": fields}
        with pytest.raises(BadInput) as error:
            masks.read(session, document=wrong)
        told = {one["field"]: one["message"] for one in error.value.fields}
        assert told["Acquisition date"].endswith("is of type date")
        assert told["objective"].endswith("takes one value")
        assert told[""].endswith("'Confocal 9' is not registered; known: Confocal 1")
        with pytest.raises(BadInput, match="one of them"):
            masks.read(session)


def test_a_violation_refuses_the_deposit_with_a_line_for_each_field_and_file(
    sessions: Sessions, confocal: str
) -> None:
    told = masked.Told("Confocal", "", {"Exposure": "2 s"}, {"b": {"Dish": "wood"}})
    paths = ("a/HeLa_1.tif", "b/HeLa_2.tif", "b/Vero_3.tif", "b/notes.txt")
    before = last(sessions).id
    with sessions() as session, pytest.raises(BadInput) as refused:
        opened(session, told, *paths)
    assert str(refused.value).startswith("mask 'Confocal', version 1: Exposure: 2000 ms is more")
    assert [(one["file"], one["field"]) for one in refused.value.fields] == [
        ("", "Exposure"),
        ("b/HeLa_2.tif", "Dish"),
        ("b/Vero_3.tif", "Cell type"),
        ("b/Vero_3.tif", "Dish"),
    ]
    for wrong, why in (
        (masked.Told("Confokal"), "no mask 'Confokal'; known: Confocal"),
        (masked.Told("Confocal", "Other"), "is of 'Confocal 1', not of 'Other'"),
        (masked.Told(confocal, tags={"Mood": "good"}), "'Confocal', which is closed"),
        (masked.Told(tags={"Exposure": "long"}), "Exposure: a number, not 'long'"),
        (masked.Told("Confocal", tags_of={"c": {"Dish": "glass"}}), "'c' is not among the files"),
    ):
        with sessions() as session, pytest.raises(BadInput, match=why):
            opened(session, wrong, "HeLa_1.tif")
    save(sessions, TEXT.replace("mask: Confocal", "mask: Second"))
    with sessions() as session, pytest.raises(BadInput, match="say which: Confocal, Second"):
        opened(session, masked.Told(instrument="confocal 1"), "HeLa_1.tif")
    assert last(sessions).id == before + 1


def test_images_say_what_was_told_and_what_follows_and_remember_the_version(
    sessions: Sessions, confocal: str
) -> None:
    paths = ("a/hela_1.tif", "b/U2OS_2.tif")
    with sessions.begin() as session:
        told = masked.Told(
            "",
            "Confocal 1",
            {"Exposure": "250 ms"},
            {"b": {"Cell type": ["hela"], "Dish": "glass"}},
        )
        deposit = opened(session, told, *paths)
        file_says = [("Objective", "63x", None), ("Room", "cellar", None)]
        one, two = came(session, deposit, *paths, tags=file_says)
        said = told_of(session, one)
        assert said["Cell type"] == ("HeLa", "file")
        assert said["Exposure"] == ("0.25", "person")
        assert said["Dish"] == ("glass", "mask")
        assert said["Room"] == ("cellar", "file")  # what the file says stays
        assert said["Lasers"] == ("all off", "mask")
        assert told_of(session, two)["Cell type"] == ("HeLa", "person")
        assert told_of(session, two)["Dish"] == ("glass", "person")
        version = images.mask(session, one)
        assert version is not None
        assert (version.mask.name, version.number) == ("Confocal", 1)
        assert one.instrument_id is not None
        assert "Lasers" not in one.unknown
        assert images.complete(session, [one.id]) == {one.id: 1.0}
        dish = session.scalars(select(t.Term).where(t.Term.folded == "dish")).one()
        assert (dish.type, dish.project.name) == ("choice", "screen")
        declared = session.query(t.Value).filter_by(term_id=dish.id, declared=True)
        assert {value.text for value in declared} == {"glass", "plastic"}
    save(sessions, TEXT.replace("  - {key: Lasers", "  - key: Passage\n  - {key: Lasers"), confocal)
    with sessions.begin() as session:
        [three] = came(session, opened(session, told, paths[0], "b/x.txt"), paths[0])
        newer, older = images.mask(session, three), images.mask(session, one)
        assert newer is not None
        assert older is not None
        assert (newer.number, older.number) == (2, 1)
        assert images.unknown(session, three) == {
            "Objective": "the file does not say;"
            " register: 2 objectives, the file does not say which",
            "Passage": completeness.UNSAID,
        }
        found = find.Asked("completeness<0.8", "screen")
        assert find.count(session, SOMEONE, found) == 1


def test_without_a_mask_tags_come_with_images_and_files_as_the_vocabulary_takes_them(
    sessions: Sessions, confocal: str
) -> None:
    with sessions.begin() as session:
        told = masked.Told(tags={"Exposure": "250 ms", "Mood": ["good"], "Plate": 7})
        [image] = came(session, opened(session, told, "x.tif"), "x.tif")
        said = told_of(session, image)
        assert said["Exposure"] == ("0.25", "person")
        assert (said["Mood"][0], said["Plate"][0]) == ("good", "7")
        assert images.mask(session, image) is None
        deposit = opened(session, told, "plan.pdf", kind="files")
        deposits.begin(session, SOMEONE, deposit.uid, {})
        plain = commits.NewFile(t.new_uid(), "plan.pdf", "file", "files/y", 10, "1" * 64)
        commits.commit(session, deposit.id, commits.Commit([], [plain]))
        file = session.query(t.File).filter_by(uid=plain.uid).one()
        assert {tag.term.key for tag in file.tags} == {"Exposure", "Mood", "Plate"}
