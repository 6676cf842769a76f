"""A table names further inputs in columns called like a role, one for each row or for all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import world
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.queue import limits
from cid_server_ext.core.queue.turns import Turn
from cid_server_ext.core.runs import table
from cid_server_ext.core.templates import templates
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, NotAllowed, NotFound, OverQuota

WHO = Actor("contributor")
BOTH = Actor("contributor", staff=True)
ALSO = [
    {"role": "beads", "help": "a bead image", "dtypes": ["uint8"]},
    {"role": "dark", "many": True, "optional": True},
]
RAW = {**world.MANIFEST, "inputs": {"also": ALSO}}


@pytest.fixture
def session(sessions: Sessions) -> Iterator[Session]:
    """Project `plates` with images and beads, `lent` with beads that the contributor sees."""
    with sessions.begin() as session:
        world.make_project(session, "plates", limit=10**9)
        world.make_project(session, "lent", limit=10**9)
        for name in ("one", "two", "bead a", "bead b", "dark 1", "dark 2"):
            world.add_image(session, "plates", name)
        world.add_image(session, "lent", "far beads")
        templates.publish(session, world.STAFF, RAW, world.NOTEBOOK)
        session.flush()
        yield session


def uid(session: Session, name: str) -> str:
    return session.scalars(select(t.Image.uid).where(t.Image.name == name)).one()


def given(csv: str, project: str | None = "plates", **more: Any) -> table.Given:
    return table.Given("count-things", csv, project, **more)


def further(runs: list[t.Run]) -> list[list[tuple[str, str]]]:
    return [[(one.role, one.image.name) for one in run.inputs[1:]] for run in runs]


def test_each_row_names_its_own_and_what_it_leaves_open_is_that_of_all(session: Session) -> None:
    far = uid(session, "far beads")
    csv = f"name,sigma,beads,dark\none,2,bead a,dark 2; dark 1;\ntwo,,{far},\n"
    runs = table.queue(session, WHO, given(csv))
    session.expire_all()
    assert further(runs) == [
        [("beads", "bead a"), ("dark", "dark 2"), ("dark", "dark 1")],
        [("beads", "far beads")],
    ]
    assert [run.parameters["sigma"] for run in runs] == [2.0, 1.0]
    csv = "path,beads\n/one,bead b\ntwo,\n"
    runs = table.queue(session, WHO, given(csv, inputs={"beads": [far]}, turn=Turn(-3)))
    session.expire_all()
    assert further(runs) == [[("beads", "bead b")], [("beads", "far beads")]]
    assert [run.priority for run in runs] == [-3, -3]
    csv = f"uid,beads\n{uid(session, 'one')},{uid(session, 'bead a')}\n"
    runs = table.queue(session, WHO, given(csv, project=None))
    session.expire_all()
    assert further(runs) == [[("beads", "bead a")]]


def test_every_wrong_cell_of_a_role_is_told_and_nothing_is_queued(session: Session) -> None:
    for image in session.scalars(select(t.Image).where(t.Image.name.in_(("dark 1", "bead b")))):
        image.tier, image.dtype = ("archive" if image.name == "dark 1" else "online"), "uint16"
    session.flush()
    csv = "name,beads,dark\none,nothing,dark 1\ntwo,bead b,dark 2;nobody\nbead a,,\n"
    found = table.read(session, WHO, given(csv))
    assert [(cell.row, cell.column, cell.message) for cell in found.wrong] == [
        (2, "beads", "no image 'nothing' that you can see"),
        (2, "dark", "'dark 1' is archived; ask for it back first"),
        (3, "beads", "'bead b': it takes uint8, this is uint16; convert it to uint8 with a"
         " template that does"),
        (3, "dark", "no image 'nobody' that you can see"),
        (4, "beads", "it needs a bead image in the role 'beads'; give inputs={'beads': […]}"),
    ]  # fmt: skip
    assert (found.rows, found.lines) == (3, [])
    with pytest.raises(BadInput, match=r"csv: row 2, beads: .*\(and 4 more\)"):
        table.queue(session, WHO, given(csv))
    assert session.scalars(select(t.Run)).all() == []


def test_what_is_wrong_for_all_rows_is_told_once(session: Session) -> None:
    (missing,) = table.read(session, WHO, given("name\none\ntwo\n")).wrong
    assert (missing.row, missing.column) == (1, "beads")
    assert missing.message == "it needs a bead image: add a column 'beads'"
    beads = [uid(session, "bead a")]
    for inputs, error, said in (
        ({"beads": ["absent"]}, NotFound, "beads: there is no image 'absent', or you may not"),
        ({"beads": beads, "baeds": beads}, BadInput, "no role 'baeds'; it takes beads, dark"),
        ({"beads": [*beads, uid(session, "bead b")]}, BadInput, "it takes one image, not 2"),
    ):
        with pytest.raises(error, match=said):
            table.queue(session, WHO, given("name\none\n", inputs=inputs))
    visitor = Actor("visitor")
    home = session.scalars(select(t.Project.id).where(t.Project.name == "plates")).one()
    session.add(t.ProjectMember(project_id=home, person="visitor", role="contributor"))
    session.flush()
    far = uid(session, "far beads")
    (hidden,) = table.read(session, visitor, given(f"name,beads\none,{far}\n")).wrong
    (absent,) = table.read(session, visitor, given("name,beads\none,absent\n")).wrong
    assert hidden.message.replace(far, "absent") == absent.message


def test_many_rows_are_looked_up_in_as_few_questions_as_one(session: Session) -> None:
    asked: list[str] = []
    listen = session.connection()
    event.listen(listen, "before_cursor_execute", lambda *how: asked.append(how[2]))
    counts = []
    for csv in ("name,beads\none,bead a\n", "name,beads\none,bead a\ntwo,bead b\n"):
        session.expire_all()
        asked.clear()
        assert table.read(session, WHO, given(csv)).wrong == []
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_turn_and_gpu_minutes_are_held_to_as_in_a_plain_submit(session: Session) -> None:
    csv = "name,beads\none,bead a\n"
    with pytest.raises(NotAllowed):
        table.read(session, WHO, given(csv, turn=Turn(5)))
    assert table.queue(session, BOTH, given(csv, turn=Turn(5)))[0].priority == 5
    resources = {**world.MANIFEST.get("resources", {}), "gpus": 1}
    about = {**world.MANIFEST["template"], "name": "needs-a-gpu"}
    templates.publish(
        session,
        world.STAFF,
        {**world.MANIFEST, "template": about, "resources": resources},
        world.NOTEBOOK,
    )
    limits.set_limits(session, world.STAFF, "lab-plates", limits.Limits(gpu_minutes=0))
    wants = table.Given("needs-a-gpu", "name\none\n", "plates")
    with pytest.raises(OverQuota, match="no GPU minutes left this month"):
        table.queue(session, WHO, wants)
    limits.set_limits(session, world.STAFF, "lab-plates", limits.Limits(gpu_minutes=9))
    assert len(table.queue(session, WHO, wants)) == 1
