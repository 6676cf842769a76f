"""Masks in memory that answer what their widget asks, by the real rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from pretend import HOSTILE

from cid_client.masks import checked
from cid_server_ext.core.catalog import (
    mask_changes,
    mask_document,
    mask_rules,
    mask_text,
    typed,
)
from cid_server_ext.errors import BadInput

TEXT = r"""# ours
mask: Confocal 1
instrument: Confocal 1
help: Ask staff when a cell line is not in the list.
closed: true
filename: (?P<cell_line>[^_]+)_.*\.tif
fields:
  - {key: Cell line, required: true, choices: [HeLa, U2OS], help: as in the freezer list}
  - {key: Exposure, type: number, unit: ms, maximum: 1000}
  - {key: Dish, type: choice, choices: [glass, plastic], default: glass}
  - {key: Fixed on, type: date}
"""


class Mask:
    """One of them."""

    def __init__(self, held: Masks, uid: str, text: str, note: str) -> None:
        self.held, self.uid, self.entry = held, uid, None
        self.retired, self.texts = False, [(text, note)]

    @property
    def record(self) -> dict[str, Any]:
        shapes = [self._version(n) for n in range(len(self.texts), 0, -1)]
        scope = shapes[0]["document"].get("instrument")
        return {
            "uid": self.uid,
            "name": shapes[0]["document"]["mask"],
            "instrument": scope and {"uid": "i", "name": scope},
            "retired": self.retired,
            "version": shapes[0],
            "versions": shapes,
        }

    def _version(self, number: int) -> dict[str, Any]:
        text, note = self.texts[number - 1]
        before = mask_text.read(self.texts[number - 2][0])[0] if number > 1 else {}
        body = mask_text.read(text)[0]
        return {
            "number": number,
            "note": note,
            "person": "staff",
            "created_at": "2026-11-21T10:00:00Z",
            "text": text,
            "document": body,
            "changes": mask_changes.between(before, body),
        }

    def at(self, number: int) -> Any:
        told = self._version(number)
        return SimpleNamespace(text=told["text"], changes=told["changes"])

    def save(self, source: str, note: str = "") -> Mask:
        self.texts.append((source, note))
        return self

    def retire(self, retired: bool = True) -> Mask:
        self.retired, self.entry = retired, 1
        return self

    def undo(self) -> None:
        self.retired = not self.retired


class Masks:
    """All of them."""

    def __init__(self, *masks: tuple[str, str]) -> None:
        self.rows: dict[str, Mask] = {}
        for text, note in masks:
            self.save(text, note)

    def all(self) -> list[Mask]:
        return list(self.rows.values())

    def __getitem__(self, called: str) -> Mask:
        return next(m for m in self.all() if called in (m.uid, m.record["name"]))

    def save(self, source: str, note: str = "") -> Mask:
        uid = f"mask-{len(self.rows) + 1}"
        self.rows[uid] = Mask(self, uid, source, note)
        return self.rows[uid]

    def check(
        self, files: Iterable[str] = (), *, source: str | Mapping[str, Any]
    ) -> checked.CheckedMask:
        answer: dict[str, Any] = {"mask": None, "text": None, "document": None, "files": []}
        wrong: list[Mapping[str, Any]] = []
        try:
            document, lines = mask_text.read(source) if isinstance(source, str) else (source, {})
            text = source if isinstance(source, str) else mask_text.written(source)
            answer |= {"document": document, "text": text}
            mask, found = mask_document.shape(document, lines)
            mask_rules.check(mask, found)
            found.refuse()
            for path in files:
                judged = mask_rules.judge(mask, path, {}, {})
                tags = [
                    {"key": s.key, "values": [typed.shown(v) for v in s.values], "source": s.source}
                    for s in judged.said
                ]
                answer["files"].append(
                    {
                        "path": path,
                        "good": not judged.wrong,
                        "asks": judged.asks,
                        "tags": tags,
                    }
                )
                wrong += [
                    {"field": f, "file": path, "line": None, "message": m} for f, m in judged.wrong
                ]
        except BadInput as error:
            wrong = list(error.fields)
        return checked.read({**answer, "wrong": wrong})


class Facility:
    """A catalog with masks."""

    def __init__(self, *, staff: bool = True, masks: Masks | None = None) -> None:
        self.staff = staff
        hostile = mask_text.written({"mask": HOSTILE, "fields": [{"key": HOSTILE}]})
        self.masks = masks or Masks((TEXT, "as installed"), (hostile, ""))
        rows = [{"name": "Confocal 1", "retired": False}, {"name": "Old", "retired": True}]
        self.instruments = [SimpleNamespace(record=row) for row in rows]

    def whoami(self) -> Any:
        return SimpleNamespace(name="staff", staff=self.staff)
