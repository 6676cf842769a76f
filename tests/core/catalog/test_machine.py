"""The eight machine tags at the commit, completeness, and what of it searches find."""

from __future__ import annotations

import datetime as dt
from typing import Any

import microscopes
import pytest
import world
from microscopes import HARDWARE, MICROSCOPE, SETTINGS, SINCE, STAFF
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from cid_server_ext.core import journal
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import (
    annotate,
    completeness,
    images,
    instruments,
    machine,
    settings,
    shown,
    tags,
    vocabulary,
)
from cid_server_ext.core.catalog.tagging import By
from cid_server_ext.core.life import undo
from cid_server_ext.core.search import find, index
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, NotAllowed

ANNOTATOR = Actor("annotator")


@pytest.fixture
def made(sessions: Sessions) -> world.World:
    with sessions.begin() as session:
        return world.make(session, "screen")


def came(
    session: Session, made: world.World, said: dict[str, Any], declared: str = "", **unknown: str
) -> t.Image:
    """Add an image whose file says this, as a deposit's commit does it."""
    image = world.add_image(session, made.project, f"came {session.query(t.Image).count()}")
    for tag in list(image.tags):
        session.delete(tag)
    session.flush()
    session.expire(image)
    image.unknown = dict(unknown)
    image.channels = [{"name": "DAPI"}]
    tags.write(session, image, said, kind="machine", by=By("file", "contributor"))
    machine.complete(session, image, declared=declared)
    index.refresh(session, [image.id])
    journal.record(session, "contributor", "came", f"image:{image.uid}")
    return image


def told(session: Session, image: t.Image) -> dict[str, tuple[str, str]]:
    return {tag.key: (tag.value, tag.source) for tag in shown.tags(session, [image.id])[image.id]}


def count(session: Session, q: str, actor: Actor = ANNOTATOR) -> int:
    return find.count(session, actor, find.Asked(q, "screen"))


def test_what_the_file_lacks_comes_from_the_register_where_only_one_answer_is_possible(
    sessions: Sessions, made: world.World
) -> None:
    with sessions.begin() as session:
        microscope = microscopes.register(session)
        image = came(
            session,
            made,
            {"Microscope": "ACME confocal 9", "Objective": "63x", "Acquisition date": "2026-02-03"},
            Lasers="the file does not say which line was on",
        )
        assert image.instrument_id == microscope.id
        assert told(session, image) == {
            "Microscope": ("ACME confocal 9", "file"),
            "Objective": ("Acme Plan-Apo 63x/1.4 Oil", "instrument"),
            "Acquisition date": ("2026-02-03", "file"),
            "Acquisition software": ("AcmeCapture 3.1", "instrument"),
            "Tube/Detector": ("AcmeTube GaAsP", "instrument"),
        }
        assert image.acquired_at == dt.datetime(2026, 2, 3, tzinfo=dt.UTC)
        assert images.unknown(session, image) == image.unknown
        assert image.unknown == {
            "Lasers": "the file does not say which line was on; register: 2 lasers, "
            "the file does not say which",
            "Filters": "the file does not say; register: no filters are listed",
            "User": "the file does not say; contributor brought it",
        }


@pytest.mark.parametrize(
    ("taken", "told"),
    [("2026-02-03T10:00:00", True), ("2026-02-03T10:00:00+01:00", False), ("2026-02-03", False)],
)
def test_a_date_without_a_time_zone_is_told(
    sessions: Sessions, made: world.World, taken: str, told: bool
) -> None:
    with sessions.begin() as session:
        image = came(session, made, {"Acquisition date": taken})
        machine.complete(session, image, taken=taken)
        zone = images.unknown(session, image).get("Time zone")
        assert zone == ("the file says none: its date is taken as UTC" if told else None)


def test_an_instrument_is_never_guessed(sessions: Sessions, made: world.World) -> None:
    with sessions.begin() as session:
        one = microscopes.register(session, "Confocal 1", serial="SN-1")
        two = microscopes.register(session, "Confocal 2", names=["Acme Confocal 9", "hall B"])
        both = came(session, made, {"Microscope": "Acme Confocal 9"})
        assert both.instrument_id is None
        assert "fits 2 instruments: Confocal 1, Confocal 2" in both.unknown["Objective"]
        said = came(session, made, {"Microscope": "Acme Confocal 9"}, declared="hall b")
        assert said.instrument_id == two.id
        by_uid = came(session, made, {"Objective": "10x"}, declared=one.uid)
        assert by_uid.instrument_id == one.id
        assert told(session, by_uid)["Microscope"] == ("Confocal 1", "instrument")
        assert told(session, by_uid)["Objective"] == ("Acme Plan 10x/0.3", "instrument")
        other = came(session, made, {"Objective": "Other lens 63x"}, declared="Confocal 1")
        assert told(session, other)["Objective"] == ("Other lens 63x", "file")
        nobody = came(session, made, {}, declared="Confocal 7")
        assert nobody.unknown["Microscope"] == (
            "the file does not say; the register has no instrument 'Confocal 7'"
        )
        assert set(nobody.unknown) == set(vocabulary.MACHINE)
        serial = machine.match(session, ["sn-1"])
        assert serial.instrument is one


def test_many_images_ask_the_database_no_more_than_few(
    sessions: Sessions, made: world.World
) -> None:
    with sessions.begin() as session:
        microscopes.register(session)
        several = [came(session, made, {"Microscope": "ACME confocal 9"}) for _ in range(14)]
        statements: list[str] = []
        event.listen(
            session.connection(),
            "before_cursor_execute",
            lambda *said: statements.append(str(said[2])),
        )

        def cost(images: list[t.Image]) -> int:
            for image in images:
                for tag in session.scalars(select(t.Tag).where(t.Tag.record_id == image.id)):
                    if tag.source == "instrument":
                        session.delete(tag)
                image.unknown, image.instrument_id = {}, None
            session.flush()
            session.expire_all()
            [image.axes for image in images]
            before = len(statements)
            machine.complete_all(session, [(image, "") for image in images])
            session.flush()
            return sum(one.startswith(("SELECT", "UPDATE")) for one in statements[before:])

        few = cost(several[:2])
        for n in range(20):
            microscopes.register(session, f"Confocal {n + 2}", names=[f"other {n}"])
        many = cost(several[2:])
        assert (few > 0, many) == (True, few)
        asked = [one.partition(" FROM ")[0] for one in statements[-many:]]
        assert not any("instrument_version.document" in one for one in asked)
        assert len({str(told(session, image)) for image in several}) == 1
        assert "Tube/Detector" in told(session, several[-1])
        journal.record(session, "contributor", "came", "project:screen")


def test_the_version_of_the_day_counts(sessions: Sessions, made: world.World) -> None:
    with sessions.begin() as session:
        row = microscopes.register(session)
        later = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
        new = {**HARDWARE, "detectors": ["NewTube"]}
        instruments.put_version(session, STAFF, row.uid, valid_from=later, made_of=new)
        for day, tube in (("2026-05-31T23:59:59", "AcmeTube GaAsP"), ("2026-06-01", "NewTube")):
            said = {"Microscope": "Confocal 1", "Acquisition date": day}
            assert told(session, came(session, made, said))["Tube/Detector"][0] == tube
        before = came(session, made, {"Microscope": "Confocal 1", "Acquisition date": "2025-12-31"})
        assert before.unknown["Objective"] == (
            "the file does not say; register: nothing is known of Confocal 1 on 2025-12-31"
        )
        today = came(session, made, {"Microscope": "Confocal 1"})
        assert "the register was read as of " in today.unknown["Acquisition date"]


def test_completeness_follows_the_tags_of_500_images_in_one_step_and_back(
    sessions: Sessions, made: world.World
) -> None:
    with sessions.begin() as session:
        session.query(t.Image).filter_by(uid=made.image).one().channels = [{"name": "Channel 1"}]
        uids = [came(session, made, {}).uid for _ in range(3)] + [made.image]
        index.refresh(session, [row.id for row in session.query(t.Image)])
        journal.record(session, "staff", "set up", "project:screen")
    with sessions() as session:
        image = images.get(session, ANNOTATOR, made.image)
        assert images.complete(session, [image.id]) == {image.id: pytest.approx(3 / 11)}
        assert list(images.unknown(session, image)) == [
            *(key for key in vocabulary.MACHINE if key != "Objective"),
            "Channel names",
        ]
        result = images.get(session, ANNOTATOR, made.result)
        assert images.complete(session, [result.id]) == {result.id: None}  # a run made it
        assert images.unknown(session, result) == {}
        assert count(session, "completeness<0.3") == 4
        assert count(session, "unknown:Objective") == 3
        assert count(session, "unknown:tube/detector -unknown:objective") == 1
        assert count(session, 'unknown:"Channel names"') == count(session, "unknown:channel_names")
        assert count(session, "unknown:calibration_x") == 0
    with sessions.begin() as session:
        said = annotate.Wanted(set={"Lasers": "488 nm", "User": "somebody"})
        annotate.annotate(session, ANNOTATOR, uids, said)
    with sessions() as session:
        assert count(session, "completeness<0.3") == 0
        assert count(session, "completeness:0.4..0.6") == 4
        assert count(session, "unknown:lasers") == 0
        sort = find.Asked("kind:image", "screen", sort="-completeness")
        best = find.find(session, ANNOTATOR, sort).ids
        scores = images.complete(session, best)
        assert [scores[one] for one in best] == sorted(
            scores.values(), key=lambda n: -1 if n is None else n, reverse=True
        )
        entry = session.scalars(select(t.Journal).order_by(t.Journal.id.desc())).first()
    with sessions.begin() as session:
        undo.undo(session, ANNOTATOR, entry.id)
    with sessions() as session:
        assert count(session, "completeness<0.3") == 4
        assert count(session, "unknown:lasers") == 4


def test_a_mask_says_what_is_asked(sessions: Sessions, made: world.World) -> None:
    with sessions.begin() as session:
        mask = t.Mask(name="Confocal", folded="confocal")
        asked = {"machine": ["Objective", "Calibration z", "Calibration y"]}
        body = {**asked, "fields": [{"key": "Cell type"}]}
        version = t.MaskVersion(mask=mask, number=1, text="", body=body, person="staff")
        session.add(version)
        image = session.query(t.Image).filter_by(uid=made.image).one()
        session.flush()
        image.mask_version_id = version.id
        index.refresh(session, [image.id])
        journal.record(session, "staff", "mask", "project:screen")
        assert images.complete(session, [image.id]) == {image.id: pytest.approx(2 / 3)}
        assert images.unknown(session, image) == {"Cell type": completeness.UNSAID}
        assert count(session, "unknown:cell_type") == 1


def test_settings_fill_what_the_image_lacks(sessions: Sessions, made: world.World) -> None:
    with sessions.begin() as session:
        row = instruments.add(session, STAFF, "Widefield 2", names=[MICROSCOPE["ID"]])
        instruments.put_version(
            session, STAFF, row.uid, valid_from=SINCE, made_of={}, document=MICROSCOPE
        )
        image = came(session, made, {"User": "somebody"})
        uid = image.uid
        assert "Objective" in image.unknown
    with sessions() as session, pytest.raises(NotAllowed):
        settings.apply(session, Actor("viewer"), uid, SETTINGS)
    with sessions() as session, pytest.raises(BadInput, match=r"no Settings\.JSON"):
        settings.apply(session, ANNOTATOR, uid, {"Channels": []})
    with sessions.begin() as session:
        image = settings.apply(session, ANNOTATOR, uid, SETTINGS)
        assert told(session, image) == {
            "User": ("somebody", "file"),
            "Microscope": ("Widefield 2", "settings"),
            "Acquisition date": ("2026-03-04T10:00:00Z", "settings"),
            "Objective": ("Acme 100x NA 1.45", "settings"),
            "Tube/Detector": ("Acme Flash", "settings"),
            "Filters": ("In the cube", "settings"),
        }
        assert image.instrument_id == row.id
        assert set(image.unknown) == {"Acquisition software", "Lasers"}
        assert set(images.unknown(session, image)) == {"Acquisition software", "Lasers"}
    with sessions() as session:
        entry = session.scalars(select(t.Journal).order_by(t.Journal.id.desc())).first()
        assert entry.action == "apply settings"
    with sessions.begin() as session:
        undo.undo(session, ANNOTATOR, entry.id)
    with sessions() as session:
        image = images.get(session, ANNOTATOR, uid)
        assert set(told(session, image)) == {"User"}
        assert "Objective" in image.unknown
