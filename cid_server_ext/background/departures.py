"""Asks the hub who is there and in which groups, and takes back the tickets of whom it lets go.

What the catalog itself takes away is in its journal, which `revoker` follows; accounts and groups
are the hub's. Needs the scopes `list:users` and `read:users:groups` for the service's own token;
without them the tickets of a departed account end by themselves, 90 s later at most.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx

from ..storage import revoked
from .rounds import Rounds

log = logging.getLogger(__name__)

EVERY = 2.0  # seconds between two questions
AGAIN = 7.0  # seconds for which it is repeated: a process knows a token for 5 s (CID_HUB_CACHE)
PAGE = 200

People = Mapping[str, frozenset[str]]  # groups by name


class Refused(RuntimeError):
    """The hub does not let this service list its users."""


@dataclass(frozen=True, slots=True)
class HubPeople:
    """Reads the users of a hub through its API."""

    url: str
    token: str

    def __call__(self) -> People:
        """Return everybody, or raise Refused, or httpx.HTTPError when the hub is away."""
        found: dict[str, frozenset[str]] = {}
        headers = {
            "Authorization": f"token {self.token}",
            "Accept": "application/jupyterhub-pagination+json",
        }
        following: dict[str, int] | None = {"offset": 0, "limit": PAGE}
        with httpx.Client(headers=headers, timeout=10) as hub:
            while following is not None:
                asked = {"offset": following["offset"], "limit": PAGE}
                answer = hub.get(f"{self.url.rstrip('/')}/users", params=asked)
                if answer.status_code in (401, 403):
                    raise Refused(f"the hub answers {answer.status_code} when asked for its users")
                page = answer.raise_for_status().json()
                found |= {user["name"]: frozenset(user.get("groups", ())) for user in page["items"]}
                following = page["_pagination"]["next"]
        return found


class Departures(Rounds):
    """Asks until the hub refuses to tell."""

    name, every, first, patience = "departures", EVERY, EVERY, 15.0

    def __init__(self, people: Callable[[], People], known: revoked.Revoked) -> None:
        super().__init__()
        self._people, self._known = people, known
        self._before: People = {}
        self._lost: dict[str, float] = {}  # whom it let go -> until when that is repeated

    def look(self) -> None:
        """Ask once, and take back what is no longer theirs."""
        try:
            people = self._people()
        except Refused as error:
            log.warning("%s: give its service the scopes list:users, read:users:groups", error)
            self.stopping.set()
            return
        except httpx.HTTPError as error:  # the next question may be answered
            log.info("who is on the hub is not known: %s", type(error).__name__)
            return
        now = time.monotonic()
        for name, groups in self._before.items():
            if people.get(name) != groups:
                self._lost[name] = now + AGAIN
        self._before = people
        if self._lost:
            self._revoke([revoked.person(name) for name in self._lost])
            self._lost = {name: until for name, until in self._lost.items() if until > now}

    def _revoke(self, names: list[str]) -> None:
        done = False
        while not done:  # another process may write at this moment
            heeded = self._known.now().journal
            if heeded is None:
                return  # no ticket was given yet
            done = self._known.revoke(names, after=heeded, upto=heeded)
