"""What a view can say of many records: looked at before, said in one call, taken back in one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import traitlets as t

from ..lib.shapes import Shape
from ..lib.view import View, line
from ..lib.words import counted, number
from . import card
from .catalog import Catalog, Tags, Term

MOST = 5000  # records in one step
WAYS = ("set", "add", "remove")
Changes = dict[str, dict[str, Any]]


class Tagging(View):
    """A view with a card. `tag_changes` are what `catalog.annotate(records, ...)` takes."""

    catalog: Catalog

    tag_target: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)
    tag_fields = t.List(t.Dict()).tag(sync=True)
    tag_apart = t.List(t.Dict()).tag(sync=True)
    tag_changes: Any = t.Dict().tag(sync=True)
    tag_preview: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)
    tag_done: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)
    tags_error = t.Unicode().tag(sync=True)

    _tagged: Sequence[Tags] = ()
    _tag_project: Any = None
    _tag_card: Mapping[str, Any] = {}
    _tag_terms: Sequence[Term] = ()
    _tag_undo: Any = None
    _spelled: Mapping[str, Mapping[str, str]] = {}  # key -> as it is kept -> as it was given
    _looks = 0
    _would = 0  # records that would change
    _settling = False

    @property
    def tag_records(self) -> Any:
        """The records that it speaks of."""
        raise NotImplementedError

    @property
    def tag_values(self) -> dict[str, dict[str, int]]:
        """What the records say: for each key its values, and how many records have them."""
        found = card.values(self._tagged)
        return {key: {one["text"]: one["n"] for one in held} for key, held in found.items()}

    def tags_changed(self) -> None:
        """Called when tags were changed here."""

    def look_at_tags(self, *, again: bool = True) -> None:
        """Read what the records say; with `again` the project's vocabulary too."""
        with self.turn, self.telling("tags_error"):
            rows = self.catalog.tags(self.tag_records, limit=MOST + 1)
            self._tagged = self._one_project(rows)
            name = self._tagged[0].project if self._tagged else ""
            if not name:
                self._tag_project = None
            elif again or self._tag_project is None or self._tag_project.record["name"] != name:
                self._tag_project = self.catalog.project(name)
                self._tag_card = self._tag_project.card()
                self._tag_terms = list(self._tag_project.terms())
            self._tag_draw()
            self._look_ahead()

    def apply_tags(self) -> Any:
        """Say it of all records in one call; return what came of it, or None without changes."""
        with self.turn:
            changes = self._tag_wanted()
            if not changes:
                return None
            done = self.catalog.annotate(self._tagged, **changes)
            known = {field["key"] for field in self.tag_fields if not field["fresh"]}
            self._tag_undo = done if done.changed else None
            self._tag_say(_outcome(done, self.tag_target["what"]), undo=bool(done.changed))
            self.tag_changes = {}
            self.tags_changed()
            self.look_at_tags(again=not known.issuperset(one["key"] for one in done.keys.values()))
            return done

    def undo_tags(self) -> None:
        """Take back what was last done here; nothing when there is nothing to take back."""
        with self.turn:
            if self._tag_undo is None:
                return
            self._tag_undo.undo()
            self._tag_undo = None
            self._tag_say("Taken back.", undo=False)
            self.tags_changed()
            self.look_at_tags()

    @t.observe("tag_changes")
    def _look_ahead(self, _: object = None) -> None:
        """Ask what would happen, and take the spellings that the vocabulary has."""
        if self._settling:
            return
        with self.turn:
            changes = self._tag_wanted()
            if not changes or not self._tagged:
                self._spelled = {}
                self.tag_preview = None
                return
            self._looks += 1
            told, fails = self._dry(changes)
            self._settle(changes, told)
            wanted = {key for given in self._tag_wanted().values() for key in given}
            if not wanted <= {field["key"] for field in self.tag_fields}:
                self._tag_draw()
            keys = {one["key"]: self._tag_key(one) for one in told.values()}
            keys |= {key: _nothing() | {"error": message} for key, message in fails.items()}
            self.tag_preview = {
                "turn": self._looks,
                "changed": self._would,
                "records": len(self._tagged),
                "good": not fails and not self.tags_error,
                "keys": keys,
            }

    def _dry(self, changes: Changes) -> tuple[dict[str, Any], dict[str, str]]:
        """Return what would happen by key, and by key why it is refused.

        A refusal that is about no key is told in `tags_error`.
        """
        told: dict[str, Any] = {}
        fails: dict[str, str] = {}
        whole = ""
        try:
            done = self.catalog.annotate(self._tagged, **changes, dry=True)
            told, self._would = dict(done.keys), done.changed
        except Exception as error:
            whole, self._would = line(error), 0
            for key, part in _by_key(changes).items():
                try:
                    told |= self.catalog.annotate(self._tagged, **part, dry=True).keys
                except Exception as error:
                    fails[key] = line(error)
        if not told and len(set(fails.values())) == 1 and "value of" not in whole:
            fails = {}  # the same for all: it is not about a value
        self.tags_error = whole if not fails else ""
        return told, fails

    def _settle(self, changes: Changes, told: Mapping[str, Any]) -> None:
        """Write keys and values as the vocabulary spells them, and remember how they were given."""
        settled: Changes = {}
        for way, given in changes.items():
            for key, wanted in given.items():
                one = told.get(key) or {"key": key, "snapped": {}}
                snapped = one["snapped"] if way != "remove" else {}
                settled.setdefault(way, {})[one["key"]] = _spelled(wanted, snapped)
                before = self._spelled.get(one["key"], {})
                taken = {**before, **{kept: was for was, kept in snapped.items()}}
                self._spelled = {**self._spelled, one["key"]: taken}
        if settled != changes:
            self._settling = True
            self.tag_changes = settled
            self._settling = False

    def _tag_key(self, one: Mapping[str, Any]) -> Shape:
        return {
            "changed": one["changed"],
            "unchanged": one["unchanged"],
            "taken": self._spelled.get(one["key"], {}),
            "similar": dict(one["similar"]),
            "error": "",
        }

    def _tag_wanted(self) -> Changes:
        """Return the changes without what is empty."""
        changes = {way: dict(self.tag_changes.get(way) or {}) for way in WAYS}
        for way in ("set", "add"):
            changes[way] = {key: v for key, v in changes[way].items() if v not in (None, "", [])}
        return {way: given for way, given in changes.items() if given}

    def _one_project(self, rows: Sequence[Tags]) -> Sequence[Tags]:
        names = sorted({one.project for one in rows})
        if len(rows) > MOST:
            raise Unfit(f"more than {number(MOST)} records: narrow it down, and tag it in parts")
        if len(names) > 1:
            raise Unfit(f"these records are of {', '.join(names)}: tag one project at a time")
        return rows

    def _tag_draw(self) -> None:
        """Show the card; keys that are wanted and not in it have a field too."""
        with self.hold_sync():
            shown: list[Shape] = []
            if self._tag_project is not None:
                shown = card.fields(self._tag_card, self._tag_terms, self._tagged)
            known = {field["key"] for field in shown}
            wanted = {key: None for given in self._tag_wanted().values() for key in given}
            self.tag_fields = shown + [card.plain(key) for key in wanted if key not in known]
            self.tag_apart = card.apart(shown, self._tagged)
            told = self._tag_project and self._tag_project.record
            self.tag_target = card.target(self._tagged, told) if told else None

    def _tag_say(self, text: str, *, undo: bool) -> None:
        self.tag_done = {"text": text, "undo": undo}

    # --- what the view asks -----------------------------------------------------------------

    def answer_tags(self, asked: Mapping[str, Any]) -> None:
        """Read the records that are meant now; what was done to others is said no more."""
        before = {one.uid for one in self._tagged}
        self.look_at_tags(again=bool(asked.get("again")))
        if {one.uid for one in self._tagged} != before:
            self.tag_done = None

    def answer_tag_values(self, asked: Mapping[str, Any]) -> None:
        """Tell values that go on like what was typed."""
        found: list[Shape] = []
        with self.telling("tags_error"):
            for term in self._terms_of(asked["term"]):
                name = self._tag_project.record["name"]
                found = [
                    {"text": one.text, "n": one.n, "iri": one.iri}
                    for one in term.values(asked["q"], project=name)
                ]
        self.tell("tag_values", key=asked["key"], q=asked["q"], values=found)

    def answer_apply_tags(self, _: Mapping[str, Any]) -> None:
        """Apply, or tell why not."""
        with self.telling("tags_error"):
            self.apply_tags()
        self.tell("tagged")

    def answer_undo_tags(self, _: Mapping[str, Any]) -> None:
        """Undo, or tell why not."""
        with self.telling("tags_error"):
            self.undo_tags()
        self.tell("tagged")

    def answer_declare(self, asked: Mapping[str, Any]) -> None:
        """Make a value one of those that a closed term has."""
        with self.telling("tags_error"):
            for term in self._terms_of(asked["term"]):
                self._tag_undo = term.declare([asked["value"]])
                self._tag_say(f"“{asked['value']}” is now a value of {asked['key']}.", undo=True)
            self._look_ahead()
        self.tell("tagged")

    def answer_add_term(self, asked: Mapping[str, Any]) -> None:
        """Declare a term of the project, and draw its field."""
        with self.telling("tags_error"):
            term = self._tag_project.add_term(asked["key"], **asked["how"])
            self._tag_undo = term
            like = ", ".join(f"“{key}”" for key in term.similar)
            tail = f" It is spelled much like {like}." if like else ""
            self._tag_say(f"“{term.record['key']}” is a new term.{tail}", undo=True)
            self.look_at_tags()
            self.tell("term_added", key=term.record["key"])
        self.tell("tagged")

    def answer_card(self, _: Mapping[str, Any]) -> None:
        """Tell the card as JSON Schema."""
        if self._tag_project is not None:
            name, schema = self._tag_project.record["name"], self._tag_card
            self.tell("card", name=f"{name}.card.json", card=schema)

    def _terms_of(self, uid: str) -> Iterable[Term]:
        return [term for term in self._tag_terms if term.record["uid"] == uid]


class Unfit(ValueError):
    """What was chosen cannot be tagged together; told as it is."""

    status = 400


def _outcome(done: Any, what: str) -> str:
    """Return "487 images changed, 13 had it already"."""
    rest = done.records - done.changed
    tail = f", {number(rest)} had it already" if rest else ""
    return f"{counted(done.changed, what)} changed{tail}"


def _spelled(wanted: Any, snapped: Mapping[str, str]) -> Any:
    if isinstance(wanted, list):
        return [_spelled(one, snapped) for one in wanted]
    return snapped.get(wanted, wanted) if isinstance(wanted, str) else wanted


def _by_key(changes: Changes) -> dict[str, Changes]:
    """Return the changes of each key apart."""
    parts: dict[str, Changes] = {}
    for way, given in changes.items():
        for key, wanted in given.items():
            parts.setdefault(key, {})[way] = {key: wanted}
    return parts


def _nothing() -> Shape:
    return {"changed": 0, "unchanged": 0, "taken": {}, "similar": {}, "error": ""}
