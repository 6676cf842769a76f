"""A facility in memory that answers what the widgets about people ask."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace
from typing import Any

from pretend import HOSTILE, Refused

GB = 10**9
TERMS = [
    {"key": "Genotype", "type": "choice", "unit": "", "choices": ["wild type", "knock-out"]},
    {"key": "Dose", "type": "number", "unit": "mg", "choices": []},
]


def days(count: int) -> str:
    """The end of the day so many days from today, as the wire has it."""
    day = dt.date.today() + dt.timedelta(count)
    return dt.datetime.combine(day, dt.time(23, 59, 59)).astimezone(dt.UTC).isoformat()


def member(person: str, role: str, ends_at: str | None = None) -> dict[str, Any]:
    return {"person": person, "role": role, "ends_at": ends_at}


def request(uid: str, person: str, name: str, **more: Any) -> dict[str, Any]:
    """A Request of the wire."""
    return {
        "uid": uid,
        "person": person,
        "state": "asked",
        "name": name,
        "team": "lab-martin",
        "title": "",
        "limit": 2000 * GB,
        "members": {},
        "terms": [],
        "purpose": "",
        "reason": "",
        "decided_by": None,
        "decided_at": None,
        "project": None,
        "created_at": "2026-11-20T09:00:00Z",
    } | more


@dataclass
class People:
    """Answers like `cid_client.Catalog`; `asked` keeps what it was told to change."""

    me: str = "mia"
    role: str = "manager"
    members: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    held: list[dict[str, Any]] = field(default_factory=list)  # teams
    wanted: list[dict[str, Any]] = field(default_factory=list)  # requests
    has: dict[str, Any] = field(default_factory=dict)  # belongings
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    trouble: Exception | None = None
    numbers: Any = field(default_factory=lambda: count(10))
    session: Any = field(default_factory=lambda: SimpleNamespace(url="https://hub/services/cid/"))

    def _ask(self, *question: Any) -> None:
        self.asked.append(question)
        if self.trouble is not None:
            raise self.trouble

    def _step(self, undo: Callable[[], Any]) -> Any:
        number = next(self.numbers)

        def taken_back() -> None:
            self._ask("undo", number)
            undo()

        return SimpleNamespace(entry=number, undo=taken_back)

    def whoami(self) -> Any:
        return SimpleNamespace(name=self.me)

    def projects(self) -> Sequence[Any]:
        return [SimpleNamespace(record={"name": "demo"})]

    def project(self, name: str) -> Any:
        self._ask("project", name)
        return _Project(self)

    def told(self) -> dict[str, Any]:
        rows = sorted(self.members, key=lambda one: str(one["person"]))
        return {
            "name": "demo",
            "title": "Cytokinesis screen",
            "team": "lab-martin",
            "state": "active",
            "role": self.role,
            "members": [dict(one) for one in rows],
        }

    def set_member(self, person: str, role: str, until: str | None) -> Any:
        self._ask("put", person, role, until)
        before = list(self.members)
        others = [one for one in before if one["person"] != person]
        self.members = [*others, member(person, role, until)]
        detail = {"person": person, "role": role}
        entry = {"action": "put member", "detail": detail, "person": self.me}
        self.entries.insert(0, entry | {"at": "2026-11-21T01:00:00Z", "undone_by": None})
        return self._step(lambda: setattr(self, "members", before))

    def remove_member(self, person: str) -> Any:
        self._ask("remove", person)
        before = list(self.members)
        self.members = [one for one in before if one["person"] != person]
        return self._step(lambda: setattr(self, "members", before))

    def history(self, project: Any = None, *, about: str, limit: int) -> Sequence[Any]:
        return [SimpleNamespace(record=one) for one in self.entries]

    def teams(self) -> Sequence[Any]:
        return [SimpleNamespace(record=one) for one in self.held]

    def team(self, name: str) -> Any:
        self._ask("team", name)
        told = SimpleNamespace(limit=20_000 * GB, used=12_400 * GB, reserved=0, projects=[1, 2, 3])
        return SimpleNamespace(usage=lambda: told)

    def requests(self, state: str | None = None, *, limit: int) -> Sequence[Any]:
        shown = [one for one in self.wanted if state in (None, one["state"])]
        return [_Request(self, one) for one in shown][:limit]

    def request(self, uid: str) -> Any:
        return next(_Request(self, one) for one in self.wanted if one["uid"] == uid)

    def request_project(self, name: str, team: str, **more: Any) -> Any:
        self._ask("request", name, team, more)
        limit = int(
            float(more["limit"].split()[0]) * {"GB": GB, "TB": 1000 * GB}[more["limit"][-2:]]
        )
        kept = {key: more[key] for key in ("title", "members", "terms", "purpose")}
        made = request(f"q{next(self.numbers)}", self.me, name, team=team, limit=limit, **kept)
        self.wanted.insert(0, made)
        return _Request(self, made)

    def belongings(self, person: str) -> Any:
        self._ask("belongings", person)
        if person not in self.has:
            raise Refused("what a person has is seen by the person and by facility staff")
        return SimpleNamespace(**self.has[person])

    def hand_over(self, person: str, *, to: str, end: bool) -> Any:
        self._ask("hand over", person, to, end)
        before = self.has[person]
        given = {"projects": before["only_manager"], "teams": before["only_leader"], "ended": 2}
        given |= {"withdrawn": 1, "subscriptions": 2, "paused": 1}
        nothing: dict[str, Any] = {"only_reader": [], "only_manager": [], "only_leader": []}
        self.has[person] = before | nothing
        step = self._step(lambda: self.has.update({person: before}))
        return SimpleNamespace(**given, entry=step.entry, undo=step.undo)


class _Project:
    def __init__(self, of: People) -> None:
        self._of = of
        self.record = of.told()

    def add_member(self, person: str, role: str, until: Any = None) -> Any:
        step = self._of.set_member(person, role, until)
        self.record = self._of.told()
        return step

    def remove_member(self, person: str) -> Any:
        step = self._of.remove_member(person)
        self.record = self._of.told()
        return step


class _Request:
    def __init__(self, of: People, record: dict[str, Any]) -> None:
        self._of, self._row = of, record
        self.record: Mapping[str, Any] = dict(record)

    def _move(self, state: str, **more: Any) -> None:
        self._row |= {"state": state, "decided_by": self._of.me, **more}
        self._row |= {"decided_at": "2026-11-21T10:00:00Z"}
        self.record = dict(self._row)

    def approve(self, **given: Any) -> None:
        self._of._ask("approve", self._row["uid"], given)
        self._move("approved", project=given["name"] or self._row["name"])

    def refuse(self, reason: str) -> None:
        self._of._ask("refuse", self._row["uid"], reason)
        self._move("refused", reason=reason)

    def withdraw(self) -> None:
        self._of._ask("withdraw", self._row["uid"])
        self._move("withdrawn")


def listed(*texts: str) -> dict[str, Any]:
    newest = [{"uid": f"u{text}", "project": "demo", "text": text} for text in texts]
    return {"total": len(texts), "newest": newest}


def filled() -> People:
    """A project of six people, two teams, requests in every state, and bob who leaves."""
    people = [
        member("boris", "contributor"),
        member("chiara", "annotator", days(12)),
        member("mia", "manager"),
        member("old friend", "viewer", "2026-03-01T22:59:59+00:00"),
        member("visitor", "viewer", days(1)),
        member(HOSTILE, "viewer"),
    ]
    entries = [
        {
            "action": "put member",
            "detail": {"person": who, "role": role},
            "person": "mia",
            "at": "2026-11-03T10:00:00Z",
            "undone_by": undone,
        }
        for who, role, undone in (
            ("boris", "viewer", 9),
            ("boris", "contributor", None),
            ("chiara", "annotator", None),
            ("visitor", "manager", None),
        )
    ]
    teams = [
        {
            "name": "lab-martin",
            "title": "Martin lab",
            "members": [member("claire", "leader"), member("mia", "member")],
            "projects": ["demo", "histology"],
        },
        {"name": "lab-okoro", "title": "lab-okoro", "members": [], "projects": ["embryos"]},
    ]
    wanted = [
        request(
            "q1",
            "ann",
            "wound-healing",
            title="Wound healing",
            members={"bob": "contributor", "chiara": "viewer"},
            terms=TERMS,
            purpose="Migration of fibroblasts after a scratch, two years, about 40 GB a week.",
        ),
        request("q2", "mia", "embryos", team="lab-new", limit=500 * GB),
        request("q3", "mia", "screen-2", state="approved", project="screen-2", decided_by="staff"),
        request("q4", "mia", "screen-3", state="refused", reason="Please use screen-2."),
    ]
    has = {
        "person": "bob",
        "projects": [member("demo", "contributor"), member("screen", "manager", days(30))],
        "teams": [member("lab-bob", "leader")],
        "only_reader": ["screen"],
        "only_manager": ["screen"],
        "only_leader": ["lab-bob"],
        "live_datasets": listed("good ones"),
        "notes": listed("bleached after 20 frames", HOSTILE),
        "deposits": listed(),
        "runs": listed("running"),
        "subscriptions": listed("segment-cells on new stacks", "deconvolve on 63x", "count on a"),
        "records": 1234,
        "nbytes": 812 * GB,
    }
    for place in (*has["projects"], *has["teams"]):
        place["name"] = place.pop("person")
    return People(members=people, entries=entries, held=teams, wanted=wanted, has={"bob": has})
