"""Follows the journal and lets each subscription run what it newly matches, within seconds.

One process at a time has the duty. What it remembers is only where it was: whoever takes the duty
up looks at everything once, and finds what a killed one left.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy.exc import DBAPIError

from ..core.subscriptions import changes, following
from ..db.session import Sessions, overdue, reading
from ..errors import BadInput
from .rounds import Rounds
from .turn import Turn

EVERY = 1.5  # seconds between two looks at the journal
HELD, RENEWED = 20.0, 5.0  # seconds of the duty
WHOLE = 3600.0  # seconds between two looks at all that a search finds: "today" is another day
AGAIN = 30.0  # seconds until it is asked again whether there is room, with nothing in the journal
LATER = 300.0  # seconds until a look that failed is taken again
PAGE = 500  # new matches that are noted at once
SECONDS = 60.0  # that a look at all that a search finds may take


class Subscriber(Rounds):
    """Looks for new matches. `queued` hears of new runs."""

    name, every, first, patience = "subscriber", EVERY, EVERY, 30.0

    def __init__(self, sessions: Sessions, queued: Callable[[], None]) -> None:
        super().__init__()
        self._sessions, self._queued = sessions, queued
        self._turn = Turn(sessions, "subscriptions", HELD, RENEWED)
        self._upto: int | None = None  # the journal was heeded so far
        self._looked: dict[int, float] = {}  # subscription -> when all it finds was looked at
        self._asked = -AGAIN

    def close(self) -> None:
        """Stop; another process goes on at once."""
        super().close()
        self._turn.drop()

    def look(self) -> int:
        """Note what matches by now and submit what may be; return how many runs that made."""
        with reading(self._sessions) as session:
            open_ = following.unended(session)
        if not open_ or not self._turn.mine():
            self._forget()
            return 0
        try:
            moved = self._note(open_)
            return self._submit() if moved or time.monotonic() - self._asked > AGAIN else 0
        except BaseException:
            self._forget()
            raise

    def _note(self, open_: list[int]) -> bool:
        """Let what newly matches wait; say whether anything may have changed."""
        with reading(self._sessions) as session:
            after = changes.newest(session) if self._upto is None else self._upto
            changed = changes.since(session, after)
        self._looked = {number: at for number, at in self._looked.items() if number in open_}
        for number in open_:
            late = time.monotonic() - self._looked.get(number, -WHOLE) >= WHOLE
            if changed.anything or late:
                self._told(number, lambda number=number: self._note_all(number))
            elif changed.records:
                some = sorted(changed.records)
                self._told(number, lambda number=number, some=some: self._note_some(number, some))
        moved = changed.upto != self._upto
        self._upto = changed.upto
        return moved

    def _note_all(self, number: int) -> None:
        self._looked[number] = time.monotonic() - WHOLE + LATER  # where it fails
        began = time.monotonic()
        more = True
        while more and self._goes_on():
            with reading(self._sessions, SECONDS) as session:
                found = following.found(session, number, PAGE)
            more = self._note_some(number, found) > 0 and len(found) == PAGE
        self._looked[number] = began

    def _note_some(self, number: int, records: list[int]) -> int:
        with reading(self._sessions) as session:
            new = following.new(session, number, records)
        if not new:
            return 0
        with self._sessions.begin() as session:
            return following.note(session, number, new)

    def _submit(self) -> int:
        self._asked = time.monotonic()
        with reading(self._sessions) as session:
            due = following.due(session)
        made: list[int] = []
        for number in due:
            self._told(number, lambda number=number: self._submit_all(number, made))
        return sum(made)

    def _submit_all(self, number: int, made: list[int]) -> None:
        more = True
        while more and self._goes_on():
            with self._sessions.begin() as session:
                submitted, more = following.advance(session, number)
            made.append(submitted)
            if submitted:
                self._queued()

    def _told(self, number: int, step: Callable[[], object]) -> None:
        """Do a step for one subscription; what is wrong with its search is said in it."""
        try:
            step()
        except BadInput as error:
            with self._sessions.begin() as session:
                following.give_up(session, number, str(error))
        except DBAPIError as error:
            if not overdue(error):
                raise
            with self._sessions.begin() as session:
                following.give_up(session, number, "it takes too long: make it narrower")

    def _goes_on(self) -> bool:
        return not self.stopping.is_set() and self._turn.mine()

    def _forget(self) -> None:
        """Look at everything once more, when it is this one's turn again."""
        self._upto = None
        self._looked.clear()
