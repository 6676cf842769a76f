"""whoami, and the members of a project."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from ..core import policy
from ..core.people import members
from ..db import tables as t
from . import project_shapes, shapes
from .base import Ask, CidHandler, endpoint
from .reading import Moment


class PutMember(BaseModel):
    """A role, and when it ends."""

    model_config = ConfigDict(extra="forbid")
    role: str
    ends_at: Moment | None = None


class WhoAmI(CidHandler):
    """whoami."""

    @endpoint("Who the catalog takes me for", who="anyone", answer=shapes.Who)
    def get(self, ask: Ask) -> shapes.Who:
        """Answer for every login, run tokens included."""
        actor = ask.actor
        run = ask.session.get(t.Run, actor.run_id) if actor.run_id else None
        return shapes.Who(
            name=actor.name,
            staff=actor.staff,
            guest=actor.guest,
            writes=actor.writes,
            run=run and run.uid,
            home="laptop" if ask.services.settings.embedded else "service",
        )


class Member(CidHandler):
    """projects/{project}/members/{person}."""

    @endpoint("Give a person a role", who="manager", body=PutMember, answer=project_shapes.Project)
    def put(self, ask: Ask, project: str, person: str) -> project_shapes.Project:
        """Replace an earlier role."""
        new = ask.body
        members.put_member(ask.session, ask.actor, project, person, new.role, new.ends_at)
        return _project(ask, project)

    @endpoint("End a person's membership", who="manager", answer=project_shapes.Project)
    def delete(self, ask: Ask, project: str, person: str) -> project_shapes.Project:
        """What they made stays."""
        answer = _project(ask, project)
        members.remove_member(ask.session, ask.actor, project, person)
        answer.members = [member for member in answer.members if member.person != person]
        return answer


def _project(ask: Ask, name: str) -> project_shapes.Project:
    ask.session.flush()
    return project_shapes.one(ask, policy.find(ask.session, ask.actor, t.Project, name))
