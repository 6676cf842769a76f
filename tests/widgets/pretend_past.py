"""A project with a history and a trash, in memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace
from typing import Any

from pretend import GB, HOSTILE

NOW = dt.datetime(2026, 11, 21, 9, 30, tzinfo=dt.UTC)


class Conflict(Exception):
    """A refusal as the client raises it."""

    status = 409

    def __init__(self, message: str, changed: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.changed = changed


@dataclass
class Past:
    """Answers like `cid_client.Catalog`; `asked` keeps what it was asked."""

    entries: list[dict[str, Any]] = field(default_factory=list)  # newest first
    things: dict[str, dict[str, Any]] = field(default_factory=dict)
    held: list[dict[str, Any]] = field(default_factory=list)  # in the trash
    role: str = "manager"
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    tickets: Any = field(default_factory=lambda: count(1))
    trouble: Exception | None = None
    now: dt.datetime = NOW

    def _ask(self, *question: Any) -> None:
        self.asked.append(question)
        if self.trouble is not None:
            raise self.trouble

    def add(self, person: str, action: str, subject: str = "project:demo", /, **detail: Any) -> int:
        """Let somebody do something now; return its entry."""
        number = self.entries[0]["entry"] + 1 if self.entries else 1
        told = {"entry": number, "at": self.now.isoformat(), "person": person, "action": action}
        told |= {"subject": subject, "detail": detail, "project": "demo", "undoes": None}
        self.entries.insert(0, told | {"undone_by": None, "undoable": action in UNDOABLE})
        return number

    def history(
        self, project: str | None = None, *, about: str | None, limit: int, after: int | None
    ) -> Sequence[Any]:
        self._ask("history", project, about, after)
        older = [one for one in self.entries if after is None or one["entry"] < after]
        found = [one for one in older if about in (None, one["subject"])]
        return [self._entry(one) for one in found[:limit]]

    def _entry(self, told: dict[str, Any]) -> Any:
        def undo() -> None:
            self._ask("undo", told["entry"])
            detail = {"entry": told["entry"], "action": told["action"]}
            told["undone_by"] = self.add("mia", "undo", told["subject"], **detail)
            self.entries[0] |= {"undoes": told["entry"], "undoable": True}

        return SimpleNamespace(record=told, undo=undo)

    def records(self, query: str, *, limit: int) -> list[Any]:
        self._ask("records", query)
        uids = query.removeprefix("id:").split(",")
        return [self.image(uid) for uid in uids if uid in self.things]

    def image(self, uid: str) -> Any:
        picture = f"/data/{next(self.tickets)}/{uid}.png"
        return SimpleNamespace(record=self.things[uid] | {"thumbnail": picture})

    def project(self, name: str) -> Any:
        self._ask("project", name)
        record = {
            "name": name,
            "title": "Cytokinesis screen",
            "role": self.role,
            "allocation": {"limit": 500 * GB, "used": 212 * GB, "reserved": 0},
        }
        return SimpleNamespace(record=record, trash=[self._thrown(one) for one in self.held])

    def _thrown(self, told: dict[str, Any]) -> Any:
        first = [
            one | {"thumbnail": f"/data/{next(self.tickets)}/{one['uid']}.png"}
            for one in told["first"]
        ]

        def end(how: str) -> None:
            self._ask(how, told["uid"])
            self.held.remove(told)

        return SimpleNamespace(
            record=told | {"first": first},
            restore=lambda: end("restore"),
            purge=lambda: end("purge"),
        )

    def throw(
        self, what: str, person: str, images: Sequence[str], days: float, **more: Any
    ) -> None:
        """Put something into the trash that is removed in so many days."""
        purge = dt.datetime.now(dt.UTC) + dt.timedelta(days)
        told = {
            "uid": f"t{len(self.held)}",
            "what": what,
            "person": person,
            "state": "kept",
            "nbytes": 3 * GB,
            "records": max(len(images), 1),
            "first": [{"uid": uid, "name": uid, "kind": "image"} for uid in images],
            "datasets": [],
            "created_at": (purge - dt.timedelta(30)).isoformat(),
            "purge_at": purge.isoformat(),
        }
        self.held.append(told | more)


UNDOABLE = {
    "tag", "annotate", "rename", "move", "create dataset", "move dataset", "trash", "write note",
    "put member", "rename value",
}  # fmt: skip


def filled() -> Past:
    """A few days of a screen."""
    past = Past()
    for n in range(8):
        past.things[f"i{n}"] = {"uid": f"i{n}", "name": f"nuclei A{n + 1:02d}", "kind": "image"}
    past.now = NOW - dt.timedelta(days=3)
    past.add("staff", "create project", members={"mia": "manager"})
    past.add("mia", "put member", person="ben", role="annotator", ends_at="2027-01-31T22:59:59Z")
    past.now = NOW - dt.timedelta(days=1, hours=2)
    past.add("mia", "create dataset", "dataset:d1", project="demo", path="screen/plate 1")
    uids = [f"i{n}" for n in range(8)]
    past.add("mia", "open deposit", "deposit:x", kind="import")
    for uid in uids:
        past.add("mia", "create image", f"image:{uid}", sha256="0")
    past.add("mia", "commit deposit", "deposit:x", images=uids, files=uids, bytes=3 * GB)
    past.now += dt.timedelta(minutes=20)
    past.add("ben", "tag", "image:i2", key="Staining", value="DAPI; GFP")
    past.add("ben", "write note", "image:i2", note="n", text=f"out of focus {HOSTILE}")
    past.now = NOW - dt.timedelta(hours=1)
    past.add("ben", "annotate", records=8, keys={"Cell type": 8, "Passage": 6})
    past.add("mia", "move", records=12, to="screen/plate 2", **{"from": ["screen/plate 1"]})
    past.now = NOW
    past.add("mia", "rename", "image:i3", **{"from": "cell", "to": "nuclei A04"})
    past.add("ben", "trash", "dataset:d9", what="dataset screen/old", records=40, bytes=9 * GB)
    past.history(about=None, limit=1, after=None)[0].undo()
    past.asked.clear()
    past.throw("dataset screen/old plate", "ben", uids[:6], 26.5, records=40, datasets=["a", "b"])
    past.throw("nuclei B07, nuclei B08", "mia", uids[6:], 11.2)
    past.throw(f"notes {HOSTILE}.pdf", "mia", [], 1.4, nbytes=32_000)
    return past
