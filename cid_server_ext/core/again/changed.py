"""One value that differs between two runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Changed:
    """What it is called, and its value in each; None where one lacks it."""

    name: str
    before: Any
    after: Any


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Changed]:
    """Return the entries that differ, by name."""
    return [
        Changed(name, before.get(name), after.get(name))
        for name in sorted({*before, *after})
        if name not in before or name not in after or before[name] != after[name]
    ]
