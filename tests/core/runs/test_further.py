"""Further inputs: given once for a batch by their roles, checked, and seen by who may see them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import world
from sqlalchemy import select
from sqlalchemy.orm import Session

from cid_server_ext.core import policy
from cid_server_ext.core.actor import Actor
from cid_server_ext.core.people import members
from cid_server_ext.core.runs import preflight, rights, runs, submit
from cid_server_ext.core.templates import manifest, templates
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, Conflict, NotFound

WHO = Actor("contributor")
VISITOR = Actor("visitor")
ALSO = [
    {"role": "beads", "help": "a bead image", "dtypes": ["uint8"]},
    {"role": "dark", "many": True, "optional": True, "axes": "zyx"},
]
RAW = {**world.MANIFEST, "inputs": {"also": ALSO}}


@pytest.fixture
def session(sessions: Sessions) -> Iterator[Session]:
    """Project `own` with one image, and `lent` with beads, which the visitor does not see."""
    with sessions.begin() as session:
        for project in ("own", "lent"):
            world.make_project(session, project, limit=10**8)
        world.add_image(session, "own", "cells")
        world.add_image(session, "lent", "beads")
        members.put_member(session, Actor("manager"), "own", "visitor", "viewer")
        templates.publish(session, world.STAFF, RAW, world.NOTEBOOK)
        yield session


def image(session: Session, name: str) -> t.Image:
    return session.scalars(select(t.Image).where(t.Image.name == name)).one()


def submitted(session: Session, **inputs: list[str]) -> t.Run:
    [run] = submit.submit(session, WHO, "count-things", [image(session, "cells").uid], {}, inputs)
    session.refresh(run)
    return run


def test_a_viewer_may_give_it_and_its_role_is_kept(session: Session) -> None:
    beads = image(session, "beads")
    run = submitted(session, beads=[beads.uid])
    assert [(i.position, i.role, i.image_id) for i in run.inputs] == [
        (0, "image", image(session, "cells").id),
        (1, "beads", beads.id),
    ]
    worker = Actor("contributor", run_id=run.id)
    assert policy.find(session, worker, t.Image, beads.uid) is beads


def test_who_does_not_see_it_is_not_told_of_it(session: Session) -> None:
    run = submitted(session, beads=[image(session, "beads").uid])
    assert runs.seen_inputs(session, WHO, [run]) == {one.image_id for one in run.inputs}
    assert runs.seen_inputs(session, VISITOR, [run]) == {image(session, "cells").id}
    members.put_member(session, Actor("manager"), "own", "visitor", "contributor")
    given = {"beads": [image(session, "beads").uid]}
    with pytest.raises(NotFound, match="there is no image"):
        submit.submit(session, VISITOR, "count-things", [image(session, "cells").uid], {}, given)


@pytest.mark.parametrize(
    ("inputs", "error", "said"),
    [
        ({}, BadInput, "beads: it needs a bead image in the role 'beads'; give inputs={'beads'"),
        ({"beads": ["absent"]}, NotFound, "beads: there is no image 'absent', or you may not see"),
        ({"beads": ["beads", "cells"]}, BadInput, "it takes one image, not 2"),
        ({"beads": ["beads"], "baeds": []}, BadInput, "no role 'baeds'; it takes beads, dark"),
        ({"beads": ["beads"], "dark": ["cells"]}, BadInput, "'cells': it needs axis z"),
    ],
)
def test_what_does_not_fit_is_said_before_anything_starts(
    session: Session, inputs: dict[str, Any], error: type[Exception], said: str
) -> None:
    names = {name: image(session, name).uid for name in ("cells", "beads")}
    given = {role: [names.get(name, name) for name in some] for role, some in inputs.items()}
    with pytest.raises(error) as refused:
        submitted(session, **given)
    assert said in str(refused.value)
    assert session.scalars(select(t.Run)).all() == []
    cells = [names["cells"]]
    looked = preflight.preflight(session, WHO, "count-things", cells, {}, given)
    notes = [f"{note.about}: {note.message}; {note.fix}" for note in looked.notes]
    assert [line for line in notes if said in line]


def test_an_archived_one_is_asked_for_back_first(session: Session) -> None:
    image(session, "beads").tier = "archive"
    with pytest.raises(Conflict, match="'beads' is archived; ask for it back first"):
        submitted(session, beads=[image(session, "beads").uid])


def test_who_lost_sight_of_it_runs_nothing(session: Session) -> None:
    run = submitted(session, beads=[image(session, "beads").uid])
    lent = session.scalars(select(t.Project.id).where(t.Project.name == "lent")).one()
    for member in session.query(t.ProjectMember).filter_by(project_id=lent):
        session.delete(member)
    session.flush()
    assert rights.refuse_ended(session, [run.id]) == {run.id}
    session.refresh(run)
    assert (run.state, run.error["error"]) == ("failed", "NotAllowed")
    assert "no longer sees one of its further inputs" in run.error["message"]


@pytest.mark.parametrize(
    ("also", "said"),
    [
        ([{"role": "image"}], "the role 'image' is there already"),
        ([{"role": "beads"}, {"role": "beads"}], "the role 'beads' is there already"),
        ([{"role": "../beads"}], "inputs.also.0.role"),
        ([{"role": "beads", "axes": "zyx", "without": "z"}], "both name z"),
    ],
)
def test_roles_that_make_no_sense_are_not_published(also: list[Any], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        manifest.read({**world.MANIFEST, "inputs": {"also": also}})
