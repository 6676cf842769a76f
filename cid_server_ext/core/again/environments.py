"""Where two runs were executed, compared: Python, platform, packages, hardware."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .changed import Changed, changed

PLACES = ("packages", "versions")  # tables of name -> version
PASSING = frozenset({"memory", "cores", "hostname", "worker"})  # of the machine, not of the code


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Changed]:
    """Return what differs: packages by name, all else by its word; the machine's size is left out.

    Before and after are None where a side lacks it.
    """
    apart = [_plain(one) for one in (before, after)]
    found = changed(*apart)
    for place in PLACES:
        found += changed(_table(before, place), _table(after, place))
    return found


def _plain(environment: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in environment.items() if k not in PASSING and k not in PLACES}


def _table(environment: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    found = environment.get(place)
    return found if isinstance(found, Mapping) else {}
