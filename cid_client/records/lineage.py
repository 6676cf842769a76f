"""Where images come from and what came of them, through runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .record import Listing

if TYPE_CHECKING:
    from .images import Image

DEEPEST = 100  # steps


@dataclass(frozen=True, slots=True)
class Step:
    """One run on the way; inputs and outputs are uids of images that you may see."""

    run: str
    template: str
    version: str
    state: str
    person: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Step:
        """Read it from an answer."""
        return cls(
            str(told["run"]),
            str(told["template"]),
            str(told["version"]),
            str(told["state"]),
            str(told["person"]),
            tuple(told["inputs"]),
            tuple(told["outputs"]),
        )


@dataclass(frozen=True, slots=True)
class Lineage:
    """What an image was made from, and what was made from it; only what you may see.

    `parents` and `children` are one step away, `images` all that was asked for, nearest first;
    `runs` are between them. `more`: there are more than the catalog tells at once.
    """

    parents: Listing[Image]
    children: Listing[Image]
    images: Listing[Image]
    runs: tuple[Step, ...] = ()
    more: bool = False

    def _repr_html_(self) -> str:
        above, under = self.parents._repr_html_(), self.children._repr_html_()
        return f"<b>made from</b>{above}<b>made from it</b>{under}"
