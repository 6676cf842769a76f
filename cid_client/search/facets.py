"""What a key has among the answers of a search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .. import display


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers of a key in one unit: seconds since 1970 where `type` is date.

    `bins` counts them from lowest to highest in steps of the same width.
    """

    unit: str
    type: str
    count: int
    lowest: float
    highest: float
    bins: list[int]


@dataclass(frozen=True, slots=True)
class Facet:
    """`values` with the number of images that have them, and `numbers` by unit."""

    key: str
    values: dict[str, int]
    numbers: list[Numbers]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Facet:
        """Return a facet of the catalog's answer."""
        values = {one["value"]: one["count"] for one in told["values"]}
        return cls(told["key"], values, [Numbers(**one) for one in told["numbers"]])

    def _repr_html_(self) -> str:
        spans = [(f"{n.lowest:g} to {n.highest:g} {n.unit}", n.count) for n in self.numbers]
        return display.table([self.key, "images"], [*self.values.items(), *spans])
