"""The register: who may change it, what a version is, what is refused, what is taken back."""

from __future__ import annotations

import datetime as dt
from typing import Any

import microscopes
import pytest
from microscopes import HARDWARE, MICROSCOPE, OME, SINCE, STAFF
from sqlalchemy import select

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import descriptions, hardware, instruments, micrometa
from cid_server_ext.core.life import undo
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, Conflict, NotAllowed, NotFound

LATER = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def last(sessions: Sessions) -> t.Journal:
    with sessions() as session:
        return session.scalars(select(t.Journal).order_by(t.Journal.id.desc())).first()


def test_a_microscope_is_what_it_was_made_of_at_each_time(sessions: Sessions) -> None:
    with sessions.begin() as session:
        uid = microscopes.register(session).uid
    with sessions.begin() as session:
        other = {**HARDWARE, "detectors": ["NewTube"]}
        instruments.put_version(
            session, STAFF, uid, valid_from=LATER, made_of=other, why="the tube died"
        )
    with sessions() as session:
        row = instruments.find(session, uid)
        before, after = (instruments.valid(row.versions, at) for at in (SINCE, LATER))
        assert before is not None
        assert after is not None
        assert before.hardware["detectors"] == [{"name": "AcmeTube GaAsP"}]
        assert (after.hardware["detectors"], after.why) == ([{"name": "NewTube"}], "the tube died")
        assert instruments.valid(row.versions, SINCE - dt.timedelta(seconds=1)) is None
        assert instruments.version(session, uid, after.uid) is after
    entry = last(sessions)
    assert (entry.action, entry.subject) == ("update instrument", f"instrument:{uid}")
    with sessions.begin() as session:
        undo.undo(session, STAFF, entry.id)
    with sessions() as session:
        assert [one.valid_from for one in instruments.find(session, uid).versions] == [SINCE]


def test_a_version_is_corrected_in_its_place_and_a_retirement_is_taken_back(
    sessions: Sessions,
) -> None:
    with sessions.begin() as session:
        uid = microscopes.register(session).uid
    with sessions.begin() as session:
        instruments.put_version(session, STAFF, uid, valid_from=SINCE, made_of={"lasers": ["none"]})
    with sessions() as session:
        [one] = instruments.find(session, uid).versions
        assert one.hardware == {"lasers": [{"name": "none"}]}
    assert last(sessions).action == "correct instrument"
    with sessions.begin() as session:
        changed = {"retired": True, "room": "", "names": ["A", "a ", "B"]}
        row = instruments.change(session, STAFF, uid, changed)
        assert (row.retired, row.room, row.names) == (True, "", ["a", "B"])
    assert last(sessions).action == "retire instrument"
    with sessions.begin() as session:
        undo.undo(session, STAFF, last(sessions).id)
    with sessions.begin() as session:
        row = instruments.find(session, uid)
        assert (row.retired, row.room, row.names) == (False, "B 12", ["Acme Confocal 9"])
        instruments.change(session, STAFF, uid, {"room": "B 12"})
    assert last(sessions).action == "undo"  # what changes nothing is not noted


def test_only_staff_changes_the_register_and_names_are_unique(sessions: Sessions) -> None:
    with sessions.begin() as session:
        uid = microscopes.register(session).uid
    someone = Actor("manager")
    for refused in (
        lambda s: instruments.add(s, someone, "Mine"),
        lambda s: instruments.change(s, someone, uid, {"room": "C"}),
        lambda s: instruments.put_version(s, someone, uid, valid_from=SINCE, made_of={}),
    ):
        with sessions() as session, pytest.raises(NotAllowed):
            refused(session)
    with sessions() as session, pytest.raises(Conflict, match="'CONFOCAL 1' already"):
        instruments.add(session, STAFF, "CONFOCAL 1")
    with sessions() as session:
        other = instruments.add(session, STAFF, "Confocal 2").uid
        with pytest.raises(Conflict, match="'confocal 1' already"):
            instruments.change(session, STAFF, other, {"name": "confocal 1"})
    with sessions() as session, pytest.raises(NotFound):
        instruments.find(session, "nothing")
    with sessions() as session, pytest.raises(NotFound):
        instruments.version(session, uid, "nothing")
    with sessions() as session:
        made = session.scalars(select(t.Journal).where(t.Journal.action == "add instrument")).one()
    with sessions() as session, pytest.raises(Conflict):  # it is retired, never unmade
        undo.undo(session, STAFF, made.id)


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"mirrors": []}, "hardware.mirrors"),
        ({"lasers": "488"}, "hardware.lasers"),
        ({"lasers": [{"wavelength": 488}]}, r"hardware.lasers\[0\].name"),
        ({"objectives": [{"name": "x", "magnification": "63"}]}, "magnification"),
        ({"objectives": [{"name": "x", "na": float("nan")}]}, "na"),
        ({"filters": [{"name": "x", "colour": "red"}]}, "colour"),
        ({"software": [3]}, r"hardware.software\[0\]"),
        ({"microscope": "a\nb"}, "hardware.microscope"),
    ],
)
def test_hardware_that_is_not_in_our_form_names_the_field(told: dict[str, Any], named: str) -> None:
    with pytest.raises(BadInput, match=named):
        hardware.check(told)


def test_a_micro_meta_document_becomes_hardware_and_tells_its_tier() -> None:
    found = hardware.check(descriptions.hardware(None, MICROSCOPE))
    assert found["microscope"] == "Acme Eclipse-like 7"
    assert [one["name"] for one in found["objectives"]] == [
        "Acme 100x NA 1.45",
        "Acme 20x NA 0.8",
    ]
    assert [one["magnification"] for one in found["objectives"]] == [100.0, 20.0]
    assert found["lasers"] == [{"name": "none"}]  # a lamp is listed, and no laser
    assert [one["name"] for one in found["filters"]] == ["Chromatic"]  # the cube, not what it holds
    assert [one["name"] for one in found["detectors"]] == ["Acme Flash"]
    told = descriptions.tier(MICROSCOPE)
    assert told is not None
    assert told.reached == 1
    assert "100x oil: Correction" in told.missing[2]
    assert "Lamp: NominalPower" in told.missing[3]
    whole = micrometa.tier({"Schema_ID": "Microscope.json", "Name": "x", "components": []})
    assert (whole.reached, whole.missing[1]) == (
        0,
        ["an objective", "a light source", "x: Manufacturer"],
    )


def test_ome_xml_becomes_hardware_and_a_bomb_is_refused() -> None:
    found = hardware.check(descriptions.hardware(None, {"xml": OME}))
    assert found["microscope"] == "Acme Upright 1"
    assert found["objectives"] == [
        {"name": "Fluar 40x NA 1.3", "magnification": 40.0, "na": 1.3, "immersion": "Oil"}
        | {"model": "Fluar"}
    ]
    assert [one["name"] for one in found["lasers"]] == ["Acme Sapphire 488 nm"]
    assert descriptions.tier({"xml": OME}) is None
    bomb = OME.replace("?>", '?><!DOCTYPE OME [<!ENTITY a "b">]>', 1)
    for text, why in ((bomb, "DTD"), ("<OME/>", "one Instrument"), ("no xml", "no XML")):
        with pytest.raises(BadInput, match=why):
            descriptions.hardware(None, {"xml": text})


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"components": []},
        {"Schema_ID": "Instrument.json", "components": "x"},
        {"Schema_ID": 4, "components": []},
        {"xml": 4},
    ],
)
def test_a_document_of_another_kind_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="document"):
        descriptions.hardware(None, document)


def test_odd_values_in_a_document_never_break_the_reading() -> None:
    odd: list[Any] = [None, 3, [], {"Schema_ID": "Objective.json", "LensNA": [1], "Name": 7}]
    odd += [{"Schema_ID": "Laser.json", "Wavelength": "1e999", "Manufacturer": {"a": 1}}]
    document = {"Schema_ID": "Instrument.json", "Name": None, "components": odd}
    found = hardware.check(micrometa.hardware(document))
    assert found == {"objectives": [{"name": "objective"}], "lasers": [{"name": "laser"}]}
    assert micrometa.tier(document).reached == 0
