"""What the API answers about bytes held: of a project, of a team, of all."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel

from ..core.ledger import series, shares, usage
from ..core.ledger.holdings import Bytes
from ..core.ledger.savings import Saving
from ..storage.reconciled import Reconciled


class Held(BaseModel):
    """Bytes by where they lie; `used` is online and trashed, and counts against the limit."""

    used: int
    online: int
    trashed: int
    archived: int


class Saves(BaseModel):
    """What `nbytes` online cost less in the archive, at today's prices, without VAT."""

    nbytes: int
    month: str
    year: str
    currency: str


class Project(Held):
    """A project's room. `linked` bytes are charged elsewhere; `growth` is bytes in 30 days.

    `drift` (counted, not there) and `disk_drift` (on storage, not counted) are 0, or staff has to
    look; null: nobody compared with storage yet. `saves` is null while there are no prices.
    """

    project: str
    title: str
    team: str
    limit: int
    soft: int | None
    linked: int
    reserved: int
    free: int
    state: str
    growth: int | None
    days_to_full: int | None
    drift: int
    disk_drift: int | None
    saves: Saves | None


class Dataset(Held):
    """A dataset's part, without those below it; `path` is "" for the project's own."""

    uid: str
    path: str
    saves: Saves | None


class Person(Held):
    """What one person brought, or whose runs made it."""

    person: str


class Day(BaseModel):
    """Bytes held at the end of a day, in UTC, and seconds of the runs that ended in it."""

    day: dt.date
    storage: int
    archive: int
    gpu: int
    cpu: int


class OfProject(Project):
    """A project's usage with its largest datasets and people, and the series for plots.

    `leads`: the caller may also read its team's usage and invoices.
    """

    warning: str | None
    leads: bool
    datasets: list[Dataset]
    people: list[Person]
    series: list[Day]


class OfTeam(Held):
    """A team's sums; `linked` bytes come from other teams' projects and are not in them.

    `state` is its projects' worst, `days_to_full` those of the project that is full first.
    """

    team: str
    title: str
    limit: int
    linked: int
    reserved: int
    free: int
    state: str
    growth: int | None
    days_to_full: int | None
    disk_drift: int | None
    projects: list[Project]


class Storage(BaseModel):
    """The last comparison with storage: `drift` of all projects, and bytes that are nobody's."""

    at: dt.datetime
    records: int
    drift: int
    strangers: int


class OfAll(BaseModel):
    """The teams whose usage the caller may see, and his projects in other teams, by name.

    `storage` is for staff; null also before the first comparison.
    """

    teams: list[OfTeam]
    projects: list[Project]
    storage: Storage | None


def held(of: Bytes) -> dict[str, int]:
    """Fill the four sums."""
    return {
        "used": of.used,
        "online": of.online,
        "trashed": of.trashed,
        "archived": of.archived,
    }


def project(told: usage.Usage, compared: Reconciled | None) -> Project:
    """Fill a project."""
    return Project(
        **held(told.held),
        project=told.project,
        title=told.title,
        team=told.team,
        limit=told.limit,
        soft=told.soft,
        linked=told.linked,
        reserved=told.reserved,
        free=told.free,
        state=told.state,
        growth=told.growth,
        days_to_full=told.days_to_full,
        drift=told.drift,
        disk_drift=None if compared is None else compared.drift_of(told.uid),
        saves=saves(told.saves),
    )


def team(told: usage.TeamUsage, compared: Reconciled | None) -> OfTeam:
    """Fill a team."""
    drifts = [] if compared is None else [compared.drift_of(one.uid) for one in told.projects]
    return OfTeam(
        **held(told.held),
        team=told.team,
        title=told.title,
        limit=told.limit,
        linked=told.linked,
        reserved=told.reserved,
        free=told.free,
        state=told.state,
        growth=told.growth,
        days_to_full=told.days_to_full,
        disk_drift=None if compared is None else sum(drifts),
        projects=[project(one, compared) for one in told.projects],
    )


def storage(compared: Reconciled) -> Storage:
    """Fill what the last comparison found."""
    return Storage(
        at=compared.ended,
        records=compared.records,
        drift=sum(compared.drift.values()),
        strangers=compared.strangers,
    )


def dataset(share: shares.Share) -> Dataset:
    """Fill a dataset's part."""
    return Dataset(uid=share.uid, path=share.name, saves=saves(share.saves), **held(share.held))


def person(share: shares.Share) -> Person:
    """Fill a person's part."""
    return Person(person=share.name, **held(share.held))


def day(of: series.Day) -> Day:
    """Fill a day."""
    return Day(day=of.day, storage=of.storage, archive=of.archive, gpu=of.gpu, cpu=of.cpu)


def saves(of: Saving | None) -> Saves | None:
    """Fill what the archive would save."""
    if of is None:
        return None
    return Saves(nbytes=of.nbytes, month=str(of.month), year=str(of.year), currency=of.currency)
