"""The same operations through REST, `cid_client` and the widgets; answers are plain values."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from cid_client.errors import CidError
from cid_server_ext.core.memory.export import canonical
from cid_server_ext.db.session import Sessions

from .python import Python
from .rest import Refused, Rest
from .widget import Told, Widget

__all__ = ["Python", "Rest", "Widget", "refused", "state"]


def refused(work: Callable[[], Any]) -> str:
    """Return the line that an operation is refused with."""
    try:
        work()
    except (Refused, CidError, Told) as error:
        return str(error)
    raise AssertionError("it was not refused")


UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)?")


def state(sessions: Sessions) -> list[str]:
    """Return the canonical export, with uids by the order in which they come and without times."""
    numbers: dict[str, str] = {}
    with sessions() as session:
        text = b"".join(canonical(session)).decode()
    text = UID.sub(lambda found: numbers.setdefault(found[0], f"uid {len(numbers)}"), text)
    text = re.sub(r"/[0-9a-f]{2}/(?=uid \d)", "/../", text)  # a prefix begins as its uid does
    text = re.sub(r'"submitted_with":"[^"]*"', '"submitted_with":"a way"', text)
    return TIME.sub("when", text).splitlines()
