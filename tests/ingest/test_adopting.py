"""Old data becomes records where it lies: no copy, by rules, as one unit that can be taken back."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import microscopes
import numpy as np
import old_data
import pytest
import world
from old_data import Old
from sqlalchemy import select

from cid_server_ext import measuring
from cid_server_ext.background import fixity
from cid_server_ext.core import journal
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import images, masks, tags, terms
from cid_server_ext.core.catalog.goals import Goal
from cid_server_ext.core.life import purge, trash
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import Busy, Conflict, NotFound, OverQuota
from cid_server_ext.ingest.adopting import bring
from cid_server_ext.storage.readers import POLICIES, sorting
from cid_server_ext.storage.roots import Folder

STAFF = Actor("staff", staff=True)


@pytest.fixture
def old(sessions: Sessions, tmp_path: Path) -> Old:
    """An empty tree, and a project for what will be in it."""
    with sessions.begin() as session:
        world.make_project(session, "screen")
    (tmp_path / "old").mkdir()
    (tmp_path / "storage").mkdir()
    return Old(sessions, Folder(tmp_path / "storage"), tmp_path / "old")


def fates(old: Old) -> dict[str, str]:
    return {one.path: one.fate for one in old.survey()}


def test_a_tree_becomes_records_once_and_stays_as_it_is(old: Old) -> None:
    old_data.tif(old.tree / "ana/exp/cell.tif")
    old_data.image(old.tree / "ana/new.ome.zarr")
    old_data.plate(old.tree / "ana/plate.zarr")
    (old.tree / "ana/notes.txt").write_text("hello")
    (old.tree / "ana/cut.tif").write_bytes(b"II*\0cut")
    (old.tree / "stray.tif").write_bytes(b"?")
    before, tree = old.export(), old_data.state(old.tree)

    assert fates(old)["stray.tif"] == "quarantine"
    assert old.export() == before
    brought = old.adopt()
    assert (brought.things, brought.records, brought.refused) == (5, 9, {})
    assert "damaged" in brought.unread["ana/cut.tif"]  # it is a record, without an image
    assert set(fates(old).values()) == {"there", "quarantine"}
    assert old.adopt().things == 0
    assert old_data.state(old.tree) == tree

    cell = old.record(t.Image, "cell")
    assert old.used() == cell.nbytes > 0  # of all this only the view of the TIFF is stored
    well = old.record(t.Image, "plate [A/1/0]")
    assert (well.nbytes, well.inside, well.axes, well.shape) == (0, "A/1/0", "cyx", [2, 40, 48])
    with old.sessions() as session:
        told = session.scalars(select(t.Tag).where(t.Tag.record_id == well.id)).all()
        assert {"HeLa", "A01"} <= {tag.shown for tag in told}
    assert old.adopting().pictures() == 3
    assert old.storage.path(f"{well.prefix}/thumbnail.png").exists()
    measured = measuring.measure_again(old.sessions, old.storage, roots=old.roots)
    assert (measured.measured, measured.failed) == (3, {})  # the view's were when it was made
    quality = old.record(t.Image, "plate [A/1/0]").quality
    assert quality is not None
    pixels = np.random.default_rng(0).integers(0, 4000, (2, 40, 48), dtype=np.uint16)
    assert quality["channels"][1]["highest"] == pixels[1].max()  # of those that lie there
    assert fixity.look(old.sessions, old.storage, old.roots, part=1.0).faults == {}
    (old.tree / "ana/notes.txt").write_text("other")
    assert fixity.look(old.sessions, old.storage, old.roots).faults.keys() == {"old:ana/notes.txt"}
    (old.tree / "ana/notes.txt").write_text("hello")
    tree = old_data.state(old.tree)

    old.take_back(brought.unit)
    assert old.export() == before
    assert old_data.state(old.tree) == tree
    left = [path for top in ("images", "files") for path in old.storage.root.glob(f"{top}/*/*")]
    assert left == []
    with pytest.raises(NotFound, match="taken back"):
        old.take_back(brought.unit)
    assert old.adopt().things == 5  # and it can be adopted again, as another unit
    assert old.unit() != brought.unit


def test_what_others_use_by_now_stays_and_what_they_worked_on_is_named(old: Old) -> None:
    old_data.image(old.tree / "one.zarr")
    unit = old.adopt().unit
    one = old.record(t.Image, "one")
    with old.sessions.begin() as session:
        tags.put(session, STAFF, one.uid, "Staining", "DAPI")
    before = old.export()
    with pytest.raises(Conflict, match=r"tag.* needs this record"):
        old.take_back(unit)
    assert old.export() == before
    with old.sessions.begin() as session:
        tags.remove(session, STAFF, one.uid, "Staining")
    with old.sessions.begin() as session:
        other = world.add_image(session, "screen", "other").uid
        tags.put(session, STAFF, other, "Cell type", "HeLa")  # a word that came with the adoption
    old.take_back(unit)
    with old.sessions() as session:
        assert "HeLa" in {tag.shown for tag in session.scalars(select(t.Tag))}


def test_rules_put_nothing_where_it_may_not_go(old: Old) -> None:
    old_data.image(old.tree / "one.zarr")
    for goal, why in (
        (replace(old.goal, project="absent"), "there is no project"),
        (replace(old.goal, team="other"), "is not of team"),
    ):
        old.goal = goal
        [found] = old.survey()
        assert found.fate == "quarantine"
        assert why in found.why
    assert old.adopt().things == 0


def test_no_room_for_a_view_ends_it_and_what_came_before_stays(
    old: Old, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bring, "BATCH", 1)
    old_data.image(old.tree / "a.zarr")
    old_data.tif(old.tree / "b.tif")
    with old.sessions.begin() as session:
        row = session.scalars(select(t.Allocation)).one()
        row.limit = 10
        journal.record(session, "staff", "set limit", "project:screen")
    with pytest.raises(OverQuota, match="1 things came before"):
        old.adopt()
    with old.sessions() as session:
        allocation = session.scalars(select(t.Allocation)).one()
        assert (allocation.used, allocation.reserved) == (0, 0)
    assert fates(old) == {"a.zarr": "there", "b.tif": "new"}


def test_a_view_is_not_made_where_the_rule_wants_none(old: Old) -> None:
    old_data.tif(old.tree / "cell.tif")
    old.goal = replace(old.goal, view="none")
    assert old.adopt().records == 1
    file = old.record(t.File, "cell.tif")
    assert (file.kind, file.nbytes, old.used()) == ("file", 0, 0)
    assert old.reference("cell.tif").nbytes == (old.tree / "cell.tif").stat().st_size


MASK = """
mask: Confocal
instrument: Confocal 1
fields:
  - {key: Cell type, required: true, choices: [HeLa, U2OS]}
  - {key: Dish, type: choice, choices: [glass, plastic], default: glass}
  - {key: Passage, type: number, required: true}
"""


def test_a_rule_holds_what_it_brings_to_a_mask(old: Old) -> None:
    old_data.tif(old.tree / "cell.tif")
    (old.tree / "notes.txt").write_text("no image, so no mask holds it")
    with old.sessions.begin() as session:
        microscopes.register(session)
        masks.add(session, STAFF, masks.read(session, text=MASK), "")
    before = old.export()

    old.goal = replace(old.goal, mask="Confocal", tags={"Cell type": "mouse"})
    found = {one.path: one for one in old.survey()}
    kept_out, notes = found["cell.tif"], found["notes.txt"]
    assert (kept_out.fate, notes.fate) == ("quarantine", "new")
    assert [line.partition(":")[0] for line in kept_out.unfit] == ["Cell type", "Passage"]
    assert "Passage: is required" in kept_out.why
    old.goal = replace(old.goal, mask="Other")
    assert "known: Confocal" in {one.path: one.why for one in old.survey()}["cell.tif"]

    old.goal = replace(old.goal, mask="Confocal", unfit="take")
    found = {one.path: one for one in old.survey()}
    taken = found["cell.tif"]
    assert (taken.fate, len(taken.unfit), taken.why) == ("new", 2, "")
    unit = old.adopt().unit
    cell = old.record(t.Image, "cell")
    with old.sessions() as session:
        told = session.scalars(select(t.Tag).where(t.Tag.record_id == cell.id)).all()
        said = {tag.term.key: (tag.shown, tag.source) for tag in told}
        assert said["Dish"] == ("glass", "mask")
        assert "Cell type" not in said  # what its mask does not take is left out
        version = images.mask(session, session.get_one(t.Image, cell.id))
        assert version is not None
        assert version.mask.name == "Confocal"
        [part] = images.complete(session, [cell.id]).values()
        assert part is not None
        assert part < 1
    old.take_back(unit)
    assert old.export() == before


def test_what_the_words_of_a_project_do_not_take_is_told_and_ends_nothing(
    old: Old, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_data.tif(old.tree / "a.tif", 1)
    old_data.tif(old.tree / "b/b.tif", 2)
    with old.sessions.begin() as session:
        new = terms.NewTerm("Passage", type="number")
        terms.declare(session, STAFF, "screen", new)

    def judge(folder: str, name: str) -> tuple[Goal | None, str]:
        return replace(old.goal, tags={"Passage": folder or "12"}), ""

    monkeypatch.setattr(old, "judge", judge)
    found = {one.path: one for one in old.survey()}
    assert (found["a.tif"].fate, found["b/b.tif"].fate) == ("new", "quarantine")
    assert "Passage: " in found["b/b.tif"].why
    late = replace(found["b/b.tif"], fate="new", goal=replace(old.goal, project="renamed"))
    brought = old.adopting().bring([found["a.tif"], late])  # it was another when it was looked at
    assert (brought.things, brought.refused.keys()) == (1, {"b/b.tif"})
    assert len(list(old.storage.root.glob("images/*/*"))) == 1
    assert old.used() == old.record(t.Image, "a").nbytes


def test_hostile_trees_are_told_and_harm_nothing(old: Old, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = old.tree.parent / "outside.zarr"
    old_data.image(outside)
    old_data.image(old.tree / "linked.zarr")
    os.rename(old.tree / "linked.zarr/0", old.tree.parent / "level")
    (old.tree / "linked.zarr/0").symlink_to(old.tree.parent / "level")
    (old.tree / "loop").symlink_to(old.tree)
    (old.tree / "out.zarr").symlink_to(outside)
    (old.tree / "new\nline.tif").write_bytes(b"x")
    with open(os.fsencode(old.tree) + b"/\xff.tif", "wb") as file:
        file.write(b"x")
    os.mkfifo(old.tree / "pipe.tif")
    old_data.image(old.tree / "order.zarr")
    bones = old.tree / "order.zarr/zarr.json"
    bones.write_text(bones.read_text().replace('"c"', '"y"', 1).replace('"y"', '"c"', 2))
    why = {one.path: one.why for one in old.survey() if one.fate == "quarantine"}
    assert "link" in why["loop"]
    assert "link" in why["out.zarr"]
    assert "control character" in why["new\nline.tif"]
    assert "not Unicode" in next(told for path, told in why.items() if "\udcff" in path)
    assert "neither" in why["pipe.tif"]
    brought = old.adopt()
    assert "led out of its own folder (zarr.json)" in brought.refused["linked.zarr"]
    assert brought.refused.keys() == {"linked.zarr", "order.zarr"}
    assert (brought.things, old.used()) == (0, 0)

    scan = os.scandir

    def shut(path: Path) -> object:
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return scan(path)

    (old.tree / "shut").mkdir()
    monkeypatch.setattr(os, "scandir", shut)
    found = sorting.sort(old.tree, POLICIES)
    assert found.refused["shut"] == "it cannot be read: Permission denied"


def test_what_is_purged_is_let_go_of_and_stays_where_it_lies(old: Old) -> None:
    old_data.image(old.tree / "one.zarr")
    old.adopt()
    tree = old_data.state(old.tree)
    one = old.record(t.Image, "one")
    with old.sessions.begin() as session:
        thrown = trash.throw(session, STAFF, [one.uid], [])
        uid = thrown.uid
    with old.sessions.begin() as session:
        purge.now(session, STAFF, uid)
    purge.bury(old.sessions, old.storage.remove)
    assert old_data.state(old.tree) == tree
    assert fates(old) == {"one.zarr": "new"}


def test_one_adoption_at_a_time(old: Old) -> None:
    old_data.image(old.tree / "one.zarr")
    with bring.alone(old.storage), pytest.raises(Busy, match="under way"):
        old.adopt()
    assert old.adopt().things == 1


def test_what_a_kill_left_without_rows_is_replaced(
    old: Old, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_data.tif(old.tree / "a.tif", 1)
    old_data.tif(old.tree / "b.tif", 2)
    monkeypatch.setattr(bring, "BATCH", 1)
    commit, dies = bring.adoptions.commit, [True, False]

    def die(*args: object) -> int:
        if dies.pop():
            raise SystemExit("killed")
        return commit(*args)

    monkeypatch.setattr(bring.adoptions, "commit", die)
    with pytest.raises(SystemExit):
        old.adopt()
    assert len(list(old.storage.root.glob("images/*/*"))) == 2  # moved, one of them without a row
    monkeypatch.setattr(bring.adoptions, "commit", commit)
    assert old.adopt().things == 1
    assert sorted(fates(old).values()) == ["there", "there"]
    with old.sessions() as session:
        assert len(session.scalars(select(t.Reference.adoption).distinct()).all()) == 1
        assert len(session.scalars(select(t.Image)).all()) == 2
