"""A facility in memory that tells what it holds and charges, as `cid_client` does."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace
from typing import Any

import pretend

GB, TB = 10**9, 10**12
LAST = dt.date(2026, 11, 20)


def held(online: int, trashed: int = 0, archived: int = 0) -> dict[str, int]:
    """Bytes of the wire."""
    return {
        "used": online + trashed, "online": online, "trashed": trashed, "archived": archived
    }  # fmt: skip


def saves(nbytes: int) -> dict[str, Any]:
    """What the archive would save: 142 EUR for a TB and year."""
    year = 142 * nbytes / TB
    return {
        "nbytes": nbytes, "month": f"{year / 12:.2f}", "year": f"{year:.2f}", "currency": "EUR"
    }  # fmt: skip


def room(limit: int, bytes_: dict[str, int], **more: Any) -> dict[str, Any]:
    """The room of a project or team."""
    reserved = more.pop("reserved", 0)
    free = max(limit - bytes_["used"] - reserved, 0)
    growth = more.get("growth")
    return bytes_ | {
        "limit": limit, "reserved": reserved, "free": free, "linked": 0,
        "state": "full" if not free else "ok", "growth": None,
        "days_to_full": free * 30 // growth if growth and growth > 0 else None, "disk_drift": 0,
    } | more  # fmt: skip


def project(name: str, title: str, team: str, of: dict[str, Any], soft: int | None) -> Any:
    """A project's usage as a row."""
    return of | {
        "project": name, "title": title, "team": team, "soft": soft, "drift": 0,
        "saves": saves(of["online"]),
    }  # fmt: skip


def team(name: str, title: str, projects: list[dict[str, Any]]) -> dict[str, Any]:
    """A team's usage: the sums of its projects."""
    sums = (
        "used", "online", "trashed", "archived", "limit", "reserved", "free", "linked",
        "disk_drift",
    )  # fmt: skip
    grown = [one["growth"] for one in projects if one["growth"] is not None]
    ends = [one["days_to_full"] for one in projects if one["days_to_full"] is not None]
    states = ("ok", "warning", "full")
    return {word: sum(one[word] for one in projects) for word in sums} | {
        "team": name, "title": title, "projects": projects,
        "growth": sum(grown) if grown else None,
        "days_to_full": min(ends, default=None),
        "state": max((one["state"] for one in projects), key=states.index, default="ok"),
    }  # fmt: skip


def series(last: int, days: int = 320) -> list[dict[str, Any]]:
    """Days of a project that grows by jumps."""
    told = []
    for back in range(days - 1, -1, -1):
        share = 1 - (back / days) ** 1.3 * 0.72 - 0.03 * abs(math.sin(back / 17))
        storage = last if back == 0 else int(last * max(share, 0.02))
        day = (LAST - dt.timedelta(back)).isoformat()
        gpu = 7200 if back % 9 == 0 else 0
        told.append({"day": day, "storage": storage, "archive": 0, "gpu": gpu, "cpu": gpu * 4})
    return told


PLATES = [
    ("screen/plate 1", 520, 0), ("screen/plate 2", 410, 60), ("screen/segment-cells", 190, 0),
    ("controls", 90, 40), ("", 30, 0),
]  # fmt: skip
PEOPLE = {"ana": 690, "bruno": 420, "chao": 230}
INVOICE = {
    "number": "cell-division-2026-10", "team": "cell-division", "title": "Cell division",
    "address": "", "period": "2026-10", "first": "2026-10-01", "last": "2026-10-31",
    "provisional": False, "currency": "EUR", "net": "1031.07", "vat": "206.21", "total": "1237.28",
    "taxes": [{"rate": "20", "net": "1031.07", "vat": "206.21"}],
    "positions": [
        {
            "project": "screen", "title": "Cytokinesis screen", "kind": "storage",
            "tariff": "industrial", "version": 2, "price": "390.00", "vat": "20", "amount": 1,
            "quantity": "2.612154", "cost": "1018.74",
            "parts": [
                {"what": "dataset", "uid": "d1", "name": "screen/plate 1", "amount": 1,
                 "cost": "701.22"},
                {"what": "dataset", "uid": "d2", "name": "", "amount": 1, "cost": "317.52"},
            ],
        },
        {
            "project": "screen", "title": "Cytokinesis screen", "kind": "gpu",
            "tariff": "industrial", "version": 2, "price": "2.50", "vat": "20", "amount": 1,
            "quantity": "4.932000", "cost": "12.33",
            "parts": [
                {"what": "run", "uid": f"r{n}", "name": f"segment-cells 1.0.0, ana, run {n}",
                 "amount": 1, "cost": "0.27"}
                for n in range(45)
            ],
        },
    ],
}  # fmt: skip


@dataclass
class Catalog:
    """Answers like `cid_client.Catalog`; `asked` keeps what it was asked."""

    teams: dict[str, dict[str, Any]]
    mine: list[dict[str, Any]] = field(default_factory=list)
    storage: dict[str, Any] | None = None
    days: int = 320
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    trouble: Exception | None = None
    tickets: Any = field(default_factory=lambda: count(1))

    def _ask(self, *question: Any) -> None:
        self.asked.append(question)
        if self.trouble is not None:
            raise self.trouble

    def usage(self) -> Any:
        self._ask("usage")
        told = {"teams": list(self.teams.values()), "projects": self.mine, "storage": self.storage}
        return SimpleNamespace(record=told)

    def team(self, name: str) -> Any:
        def usage() -> Any:
            self._ask("team", name)
            return SimpleNamespace(record=self.teams[name])

        def invoice(period: str) -> Any:
            self._ask("invoice", name, period)
            if period == "2025":
                raise pretend.Refused("there are no prices for 2025-01-01: staff publishes them")
            told = INVOICE | {"team": name, "period": period, "number": f"{name}-{period}"}
            told["provisional"] = period == "2026-11"
            return SimpleNamespace(record=told, content=lambda form: f"a {form}".encode())

        return SimpleNamespace(usage=usage, invoice=invoice)

    def project(self, name: str) -> Any:
        def usage(*, dataset: str | None = None) -> Any:
            self._ask("project", name, dataset)
            rows = [*self.mine, *(one for of in self.teams.values() for one in of["projects"])]
            row = next((one for one in rows if one["project"] == name), None)
            if row is None:
                raise pretend.Refused(f"no project {name!r} that you can see")
            return SimpleNamespace(record=row | self._more(row, dataset))

        return SimpleNamespace(usage=usage)

    def _more(self, row: dict[str, Any], dataset: str | None) -> dict[str, Any]:
        scale = row["used"] / (1340 * GB)
        parts = [
            held(int(a * GB * scale), int(b * GB * scale))
            | {"uid": f"d{n}", "path": path, "saves": saves(int(a * GB * scale))}
            for n, (path, a, b) in enumerate(PLATES)
        ]
        own = next((one for one in parts if one["uid"] == dataset), None)
        people = {"ana": own["used"] / GB} if own else {p: n * scale for p, n in PEOPLE.items()}
        return {
            "warning": "project 'screen' has 580.0 GB left of 2.0 TB: ask staff in time"
            if row["state"] == "warning"
            else None,
            "leads": row["team"] in self.teams,
            "datasets": parts,
            "people": [held(int(n * GB)) | {"person": p} for p, n in people.items()],
            "series": series(row["used"], self.days) if self.days else [],
        }


def filled(*, staff: bool = False) -> Catalog:
    """A leader's view of his team, or staff's of three."""
    screen = room(
        2 * TB, held(1240 * GB, 100 * GB), reserved=80 * GB, linked=120 * GB, growth=210 * GB,
        state="warning",
    )  # fmt: skip
    atlas = room(5 * TB, held(3100 * GB, 0, 900 * GB), growth=-40 * GB)
    tests = room(50 * GB, held(50 * GB))
    cells = team(
        "cell-division",
        "Cell division",
        [
            project("screen", "Cytokinesis screen", "cell-division", screen, 1300 * GB),
            project("atlas", "Embryo atlas", "cell-division", atlas, None),
            project("tests", pretend.HOSTILE, "cell-division", tests, None),
        ],
    )
    if not staff:
        return Catalog({"cell-division": cells})
    brain = project("brain", "Whole brain", "neuro", room(40 * TB, held(21 * TB), growth=TB), None)
    brain["disk_drift"] = -3 * GB
    optics = project("psf", "Calibration", "optics", room(TB, held(2 * GB), growth=None), None)
    teams = [cells, team("neuro", "Neuroanatomy", [brain]), team("optics", "Optics", [optics])]
    storage = {
        "at": "2026-11-20T01:04:00+00:00", "records": 81234, "drift": -3 * GB, "strangers": 0
    }  # fmt: skip
    return Catalog({one["team"]: one for one in teams}, storage=storage)
