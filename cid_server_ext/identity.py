"""From a verified request to an actor. Identity is the caller's own, never the server owner's."""

from __future__ import annotations

import getpass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from .core.actor import Actor
from .db.session import Sessions, reading
from .db.tables import Run
from .errors import NotAllowed, NotLoggedIn
from .runners.tokens import hash_token

SCHEME = "CID-Run "
READ, WRITE, STAFF = "custom:cid:read", "custom:cid:write", "custom:cid:staff"


def run_token(handler: Any) -> str | None:
    """Return the run token of a request, if it shows one."""
    header = handler.request.headers.get("Authorization", "")
    return header[len(SCHEME) :].strip() if header.startswith(SCHEME) else None


def actor_of(handler: Any, sessions: Sessions) -> Actor:
    """Return who is asking, or raise NotLoggedIn. Only a run token asks the database."""
    token = run_token(handler)
    if token is not None:
        with reading(sessions) as session:
            return _run(session, token)
    user = handler.current_user
    if user is None:
        raise NotLoggedIn("log in first: send a hub token or open the hub's page")
    if handler.settings["cid"].settings.embedded:
        return Actor(getpass.getuser(), staff=True)
    return _hub_user(handler.identity_provider.hub_auth, user.hub_user)


def _run(session: Session, token: str) -> Actor:
    run = session.scalar(select(Run).where(Run.token_hash == hash_token(token)))
    if run is None:
        raise NotLoggedIn("this run token has ended")
    return Actor(run.person, run_id=run.id)


def _hub_user(hub: Any, model: dict[str, Any]) -> Actor:
    """Trust the hub's model of a token: kind, name, groups and scopes were checked there."""
    if model.get("kind") != "user":
        raise NotAllowed("a service's token is nobody here: use a person's")
    if not hub.check_scopes({READ}, model):
        raise NotAllowed(f"this token lacks the scope {READ}")
    return Actor(
        name=model["name"],
        staff=bool(hub.check_scopes({STAFF}, model)),
        guest="cid-guest" in (model.get("groups") or ()),
        writes=bool(hub.check_scopes({WRITE}, model)),
    )
