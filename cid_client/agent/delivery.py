"""One acquisition on its way: hashed, deposited, imported, tagged; gone on with after any kill.

The journal knows the deposit before a byte of it is committed. So what an earlier agent committed
is waited for and never brought in twice. What it had only opened is opened with the same key: the
catalog answers with the same deposit.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..catalog import Catalog
from ..errors import (
    BadInput,
    CidError,
    Conflict,
    NotAllowed,
    NotConfigured,
    NotFound,
    NotLoggedIn,
    TooMany,
    Unavailable,
    from_record,
)
from ..uploads import asked, tus
from ..uploads.broken_off import begin, send
from ..uploads.deposit import imported, unknown
from ..uploads.items import Part, hashed
from ..uploads.sending import Progress
from ..uploads.told import judge
from ..wire.session import segment
from .config import Config
from .journal import Journal, Row, written
from .places import why
from .rules import Goal
from .scanning import goal_of
from .units import Unit, look_again

AWAY = (Unavailable, TooMany, NotLoggedIn, NotConfigured)  # no reason to give a file up
ASK_AGAIN = 300.0  # seconds until a project that was refused is asked for again
FIRST, SLOWEST = 60.0, 6 * 3600.0  # seconds until what failed is tried again
SAME = 2.0  # seconds until bytes that are on their way by another name are looked at again
TWICE = 2
TEAM = 300.0  # seconds for which the team of a project is known


class Refused(Exception):
    """It may not go where the rules say."""


class Changed(Exception):
    """It is not as it was when it was complete: it is waited for again."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What every delivery needs."""

    config: Config
    journal: Journal
    catalog: Catalog
    teams: dict[str, tuple[float, str]]


def deliver(tools: Tools, row: Row, tell: Progress) -> None:
    """Bring one row as far as it goes and write down how far. Raises one of AWAY."""
    delivery = _Delivery(tools, row, tell)
    now = time.time()
    try:
        delivery.go()
    except AWAY:
        raise
    except Changed as error:
        delivery.ends("growing", reason=str(error), since=now)
    except Refused as error:
        delivery.ends("quarantined", reason=str(error), next_try=now + ASK_AGAIN)
    except CidError as error:
        pause = min(FIRST * 2**row.tries, SLOWEST)
        how = {"next_try": now + pause, "tries": row.tries + 1}
        delivery.ends("failed", reason=str(error), **how)


WAYS = ("complete", "hashed", "uploading", "failed")


class _Delivery:
    """The way of one row."""

    def __init__(self, tools: Tools, row: Row, tell: Progress) -> None:
        self.row, self.tell, self.goal = row, tell, row.where()
        self.journal, self.session = tools.journal, tools.catalog.session
        self.tools = tools

    def go(self) -> None:
        """Go on from where the journal says."""
        if self.row.deposit and self._ended_before():
            return
        unit = self._as_it_was()
        self._require_mask(unit)
        parts = self._hashed(unit)
        digest = _digest(parts)
        at_first = ("complete", "failed", "hashed")
        if self.row.state != "uploading" and not self._move("hashed", at_first, sha256=digest):
            return
        self.row = replace(self.row, sha256=digest)
        if not self.journal.begin(self.row, time.time()):
            self.journal.put_off(self.row, time.time() + SAME, "the same bytes are on their way")
            return
        self._upload(unit, parts)

    def _ended_before(self) -> bool:
        """Return whether a deposit of an earlier agent ended well; wait where it imports."""
        uid = self.row.deposit
        for _ in range(TWICE):
            try:
                told = self.session.get(f"deposits/{segment(uid)}")
            except NotFound:
                return self._forget()
            if told["state"] == "importing":
                told = self._imported(uid)
            if told["state"] == "done":
                self._done(told)
                return True
            if told["state"] != "open":
                return self._forget()
            if self.row.nbytes >= tus.LARGE:  # large files are gone on with
                return False
            try:
                self.session.send("DELETE", f"deposits/{segment(uid)}")
            except NotFound:
                return self._forget()
            except Conflict:  # it was committed at this moment: look again
                continue
            break
        return self._forget()

    def ends(self, state: str, **how: Any) -> None:
        """Write down that it did not go in, and leave nothing of it in the catalog."""
        if self.row.deposit:
            self._give_up(self.row.deposit)
        self._move(state, WAYS, deposit="", **how)
        self.journal.tidy(self.row)

    def _forget(self) -> bool:
        self.row = replace(self.row, deposit="")
        return False

    def _as_it_was(self) -> Unit:
        """Return the unit, unchanged since it was complete; Changed if it is not."""
        for watch in self.tools.config.watched:
            if self.row.watch == str(watch.folder):
                unit = _look(Path(self.row.path), watch)
                if unit is None or unit.signature != self.row.signature:
                    raise Changed("it changed, or went, before it was uploaded")
                goal, why = goal_of(self.tools.config, unit)
                if goal is None:
                    raise Refused(why)
                self.goal = goal
                return unit
        raise Refused(f"{self.row.watch} is not watched any more")

    def _hashed(self, unit: Unit) -> list[Part]:
        try:
            parts = []
            for part in unit.parts():
                self.tell(0.0, f"reading {part.file.name}")
                parts.append(hashed(part))
        except OSError as error:
            raise Changed(why(error)) from None
        except BadInput as error:
            raise Changed(str(error)) from None
        self._as_it_was()
        return parts

    def _upload(self, unit: Unit, parts: list[Part]) -> None:
        goal = self.goal
        self._require_team(goal)
        self.row = replace(self.row, goal=written(goal))
        try:
            opened, memory = begin(
                *(self.session, goal.project, goal.dataset, "import", parts, True),
                again=False,
                key=self.journal.key(self.row),
                **goal.said,
            )
        except BadInput as error:
            if error.fields:
                raise Refused(str(error)) from None
            raise
        except (NotFound, NotAllowed) as error:
            raise Refused(f"project {goal.project!r}: {error}") from None
        uid, before = str(opened["uid"]), self.row.deposit
        self.row = replace(self.row, deposit=uid)
        self._move("uploading", ("uploading",), deposit=uid, goal=self.row.goal)
        if before and before != uid:
            self._give_up(before)
        where = f"deposits/{segment(uid)}"
        try:
            send(self.session, where, opened, unknown(parts, opened), self.tell, memory)
            self.session.send("POST", f"{where}/commit", {})
            memory.forget()
        except AWAY:
            memory.leave()
            raise
        except (CidError, OSError) as error:
            memory.forget()
            self._as_it_was()  # what changed is no failure
            raise (error if isinstance(error, CidError) else Changed(why(error))) from None
        told = self._imported(uid)
        if told["state"] == "open":
            raise Refused(str(asked.more(told["report"], "say it in a rule")))
        if told["state"] != "done":
            raise from_record(told.get("error") or {"message": f"the import was {told['state']}"})
        self._done(told)

    def _require_mask(self, unit: Unit) -> None:
        """Raise Refused for what the mask or the vocabulary would not take: nothing is read yet."""
        if self.goal.said:
            paths = (part.path for part in unit.parts())
            try:
                judge(self.session, self.goal.project, paths, self.goal.said)
            except BadInput as error:
                raise Refused(str(error)) from None
            except (NotFound, NotAllowed) as error:
                raise Refused(f"project {self.goal.project!r}: {error}") from None

    def _require_team(self, goal: Goal) -> None:
        if not goal.team:
            return
        known = self.tools.teams.get(goal.project)
        if known is None or time.monotonic() - known[0] > TEAM:
            try:
                team = self.tools.catalog.project(goal.project).team
            except (NotFound, NotAllowed) as error:
                raise Refused(f"project {goal.project!r}: {error}") from None
            known = self.tools.teams[goal.project] = (time.monotonic(), team)
        if known[1].casefold() != goal.team.casefold():
            raise Refused(f"project {goal.project!r} is of team {known[1]!r}, not of {goal.team!r}")

    def _imported(self, uid: str) -> Mapping[str, Any]:
        where = f"deposits/{segment(uid)}"
        return imported(self.session, where, self.row.path, self.tell)

    def _done(self, told: Mapping[str, Any]) -> None:
        """Write down what it became."""
        there = told.get("there") or ()
        notes = []
        for one in there[:1]:
            place = "/".join(part for part in (one["project"], one["dataset"]) if part)
            notes.append(f"there already, in {place}")
        notes += [f"{one['path']}: {one['message']}" for one in told.get("problems") or ()][:3]
        uids = [*told["images"], *told["files"], *(one["record"] for one in there)]
        became = " ".join(uids[:100])
        self._move("verified", WAYS, became=became, reason="; ".join(notes), next_try=0)

    def _give_up(self, uid: str) -> None:
        with suppress(CidError):  # what failed first is what counts
            self.session.send("DELETE", f"deposits/{segment(uid)}")

    def _move(self, state: str, frm: tuple[str, ...], **to: Any) -> bool:
        return self.journal.move(self.row, state, time.time(), frm=frm, **to)


def _look(path: Path, watch: Any) -> Unit | None:
    try:
        return look_again(path, watch)
    except OSError:
        return None


def _digest(parts: list[Part]) -> str:
    """Return the sha256 of a file, or one for several: of their sorted lines "path sha256"."""
    if len(parts) == 1:
        return parts[0].sha256
    lines = sorted(f"{part.path} {part.sha256}\n" for part in parts)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
