"""Bytes that stay where they were: where that is, and how they were found there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class InPlace:
    """Where a record's bytes lie, if not in the catalog's storage. `state` says how they are.

    where: "nas:2019/cell.tif", None for who is no member of its project. state: ok, changed, moved
    or missing, with a reason. hashed: every byte of it was read once.
    """

    where: str | None
    state: str
    reason: str
    hashed: bool

    @classmethod
    def of(cls, told: Mapping[str, Any] | None) -> Self | None:
        """Return what the catalog says; None for bytes in its own storage."""
        if not told:
            return None
        return cls(told["where"], told["state"], told["reason"], told["hashed"])

    def __str__(self) -> str:
        found = "" if self.state == "ok" else f"{self.state}: {self.reason}"
        return " ".join(part for part in (self.where, found and f"({found})") if part) or self.state
