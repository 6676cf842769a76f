"""What an upload would say by its mask, and what would be refused, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import display
from ..errors import Wrong


@dataclass(frozen=True, slots=True)
class Said:
    """A tag that a file would have; source: person, file, instrument or mask (its default)."""

    key: str
    values: list[str]
    source: str


@dataclass(frozen=True, slots=True)
class CheckedName:
    """One image by its path: its tags, and whether it would be taken.

    asks: the fields that somebody has to fill, when it is good but for them.
    """

    path: str
    good: bool
    tags: list[Said] = field(default_factory=list)
    asks: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """Nothing when it would be taken, else why not."""
        return "" if self.good else f"asks {', '.join(self.asks)}" if self.asks else "refused"


@dataclass(frozen=True, slots=True)
class CheckedMask:
    """What would come of an upload; nothing was sent. `good`: it would be taken.

    `mask` says which version was used; `text` and `document` are a draft in both its forms.
    """

    wrong: tuple[Wrong, ...]
    files: list[CheckedName]
    mask: Mapping[str, Any] | None = None
    text: str | None = None
    document: Mapping[str, Any] | None = None

    @property
    def good(self) -> bool:
        """Nothing would be refused."""
        return not self.wrong

    def lines(self) -> Iterator[str]:
        """Yield a line for each thing that is wrong, then for each file what it would say."""
        yield from map(str, self.wrong)
        for one in self.files:
            said = ", ".join(f"{t.key}={'; '.join(t.values)} ({t.source})" for t in one.tags)
            yield f"{'good' if one.good else 'bad '}  {one.path}  {said}".rstrip()

    def __repr__(self) -> str:
        return "\n".join(self.lines()) or "good"

    def _repr_html_(self) -> str:
        wrong = "".join(f"<div>{display.cell(str(one))}</div>" for one in self.wrong)
        keys = list(dict.fromkeys(tag.key for one in self.files for tag in one.tags))
        rows = [[one.path, one.verdict, *_row(one, keys)] for one in self.files]
        return wrong + (display.table(["file", "", *keys], rows) if rows else "")


def read(told: Mapping[str, Any]) -> CheckedMask:
    """Return the catalog's answer."""
    files = [
        CheckedName(
            one["path"], one["good"], [Said(**tag) for tag in one["tags"]], list(one["asks"])
        )
        for one in told["files"]
    ]
    wrong = tuple(Wrong(**one) for one in told["wrong"])
    return CheckedMask(wrong, files, told["mask"], told["text"], told["document"])


def _row(one: CheckedName, keys: list[str]) -> list[str]:
    found = {tag.key: "; ".join(tag.values) for tag in one.tags}
    return [found.get(key, "") for key in keys]
