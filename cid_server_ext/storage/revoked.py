"""Tickets that were taken back: one small file below the root, which every data plane reads.

It says for a name when the tickets that carry it were last revoked. A name is a person, a run, the
prefix of a record, or EVERYBODY. A ticket carries the newest moment that its signer knew of for its
names; one that carries an older moment than the file has is refused. Whoever still has the right
gets a newer ticket from the catalog. A moment is forgotten when all tickets before it have ended.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KEY = "state/revoked.json"
EVERYBODY = "*"
KEPT = 9 * 3600  # seconds; a ticket for a download lives at most 8 h, any other one 90 s
MOST = 5000  # names; more than these are everybody
LOOK = 1.0  # seconds between two looks at the file, when tickets are verified


def person(name: str) -> str:
    """Return what stands in a ticket for the person who holds it."""
    return "p" + hashlib.sha256(name.encode()).hexdigest()[:16]


def run(run_id: int) -> str:
    """Return what stands in a ticket for the run that holds it."""
    return f"r{run_id}"


@dataclass(frozen=True, slots=True)
class Moments:
    """What was revoked when, in milliseconds since 1970, and the last journal entry heeded."""

    at: Mapping[str, int] = field(default_factory=dict)
    journal: int | None = None

    def of(self, who: str, prefix: str) -> int:
        """Return when tickets of this holder for this prefix were last revoked; 0: not lately."""
        get = self.at.get
        return max(get(who, 0), get(prefix, 0), get(EVERYBODY, 0))


class Revoked:
    """The file of one root. Reading it again costs one stat when it did not change."""

    def __init__(self, root: Path) -> None:
        self._path = root / KEY
        self._known = Moments()
        self._seen: tuple[int, int] | None = None
        self._looked = -LOOK

    def now(self) -> Moments:
        """Return what is revoked at this moment."""
        self._looked = time.monotonic()
        try:
            state = os.stat(self._path)
        except FileNotFoundError:
            return self._known
        seen = (state.st_mtime_ns, state.st_ino)
        if seen != self._seen:
            self._known, self._seen = _read(self._path), seen
        return self._known

    def lately(self) -> Moments:
        """Return what was revoked a second ago at least."""
        return self.now() if time.monotonic() - self._looked >= LOOK else self._known

    def revoke(self, names: Collection[str], *, after: int | None, upto: int) -> bool:
        """Take back what carries these names, as the journal says from `after` to `upto`.

        False, and nothing is done, when another process has heeded entries after `after` already.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            kept = _read(self._path)
            if kept.journal != after:
                return False
            _write(self._path, {"journal": upto, "revoked": _with(kept.at, names)})
        return True


def _with(known: Mapping[str, int], names: Collection[str]) -> dict[str, int]:
    now = round(time.time() * 1000)
    lasting = {name: at for name, at in known.items() if at > now - KEPT * 1000}
    # later than every moment there is, whatever the clock of another process says
    moment = max([now, *(at + 1 for at in lasting.values())])
    more = lasting | dict.fromkeys(names, moment)
    return more if len(more) <= MOST else {EVERYBODY: moment}


def _write(path: Path, said: dict[str, Any]) -> None:
    beside = path.with_suffix(".new")
    with beside.open("w", encoding="utf-8") as file:
        json.dump(said, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def _read(path: Path) -> Moments:
    try:
        said = json.loads(path.read_bytes())
        return Moments(said["revoked"], said["journal"])
    except FileNotFoundError:
        return Moments()
    except (ValueError, KeyError, TypeError):  # damaged: everybody asks for a new ticket
        return Moments({EVERYBODY: round(time.time() * 1000)})
