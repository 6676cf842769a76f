"""Who did what and when, in a project or to one thing; and taking it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import traitlets as t

from ..lib.changing import Changing
from ..lib.shapes import Shape
from ..lib.view import built, line
from . import sentences, shapes
from .catalog import Catalog, Entry
from .past import ASKED, Past

TOGETHER = 50  # records whose names one question asks


class History(Changing):
    """What was done: `History(catalog, "demo")`, `History(catalog, about=image)`.

    Without both, in all my projects. `person` and `kind` (tags, places, trash, data, vocabulary or
    people) say whose and which changes are shown. `take_back(entry)` does what the view's Undo
    does; what stands in its way is told in `refused`. `entries` are the newest; views ask for older
    ones as they scroll. Without a `catalog` it connects to the one this environment names.
    """

    _esm, _css = built("history")

    catalog: Catalog

    project = t.Unicode().tag(sync=True)
    about = t.Unicode().tag(sync=True)
    name = t.Unicode().tag(sync=True)  # of what it is about
    person = t.Unicode().tag(sync=True)
    kind = t.Enum(["", *sentences.KINDS, sentences.OTHERS], default_value="").tag(sync=True)

    entries = t.List(t.Dict()).tag(sync=True)
    people = t.List(t.Unicode()).tag(sync=True)
    more = t.Bool().tag(sync=True)
    found = t.Int().tag(sync=True)  # counts readings, so that a late page is known as late
    refused: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)

    def __init__(
        self, catalog: Catalog | None = None, project: Any = None, about: Any = None
    ) -> None:
        self._past = Past(self._ask, self._shows)
        self._things: dict[str, Shape] = {}  # images and files by uid, as far as I see them
        self._asked = (shapes.called(project), shapes.subject(about), "", "")
        super().__init__(catalog)
        self.project, self.about = self._asked[:2]
        self.name = shapes.called(about) if about is not None else ""
        self.refresh()

    def refresh(self) -> None:
        """Read the newest entries again."""
        with self.turn, self.telling("error"):
            self._past = Past(self._ask, self._shows)
            self._things.clear()
            entries = self._page()
            with self.hold_sync():
                self.entries, self.more = entries, self._past.more
                self.found += 1

    def take_back(self, entry: int) -> None:
        """Take one change back; what stands in the way is told in `refused`."""
        with self.turn:
            self.refused = None
            try:
                told = self._take_back(entry)
            except Exception as error:
                self.log.debug("entry %s was not taken back", entry, exc_info=True)
                changed = shapes.changes(error)
                self.refused = {"entry": entry, "message": line(error), "changed": changed}
                return
            said = "".join(shapes.words(told, self._things, self._past.read))
            self.refresh()
            self.did(f"Taken back: {told['person']} {said}")

    def answer_more(self, asked: Mapping[str, Any]) -> None:
        """Tell the next older entries."""
        if asked["found"] != self.found:
            return
        entries: list[Shape] = []
        with self.telling("error"):
            entries = self._page()
        self.tell("entries", found=self.found, entries=entries, more=self._past.more)

    def answer_take_back(self, asked: Mapping[str, Any]) -> None:
        """Take one change back."""
        self.take_back(int(asked["entry"]))

    @t.observe("project", "about", "person", "kind")
    def _search(self, _: object = None) -> None:
        asked = (self.project, self.about, self.person, self.kind)
        with self.turn:
            if asked != self._asked:
                self._asked, self.refused = asked, None
                self.refresh()

    def _ask(self, after: int | None) -> Sequence[Entry]:
        return self.catalog.history(
            self.project or None, about=self.about or None, limit=ASKED, after=after
        )

    def _shows(self, told: Mapping[str, Any]) -> bool:
        """Say whether an entry is to be shown: no parts of larger steps but in one thing's own."""
        if told["action"] in sentences.WITHIN and not self.about:
            return False
        mine = self.person in ("", told["person"])
        return mine and self.kind in ("", sentences.kind(told))

    def _take_back(self, entry: int) -> Mapping[str, Any]:
        step = self._past.read.get(entry)
        if step is None:
            [step] = self.catalog.history(None, about=None, limit=1, after=entry + 1)
        told = dict(step.record)
        step.undo()
        return told

    def _page(self) -> list[Shape]:
        """Return the next entries with the names and pictures of what they are about."""
        steps = [one.record for one in self._past.page()]
        several = (shapes.subjects(told)[: shapes.PICTURES] for told in steps)
        unknown = {uid: None for uids in several for uid in uids if uid not in self._things}
        uids = list(unknown)
        for at in range(0, len(uids), TOGETHER):
            query = f"id:{','.join(uids[at : at + TOGETHER])}"
            for one in self.catalog.records(query, limit=TOGETHER):
                self._things[one.record["uid"]] = shapes.thing(one)
        read = self._past.read
        everybody = {one.record["person"] for one in read.values()}
        self.people = sorted(everybody.union(self.people, filter(None, [self.person])))
        return [shapes.step(told, self._things, read) for told in steps]
