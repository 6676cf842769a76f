"""What revision 0002 asks of an image, as that revision does it. Frozen once it is released."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

TAGS = (
    "microscope",
    "acquisition software",
    "objective",
    "lasers",
    "filters",
    "tube/detector",
    "acquisition date",
    "user",
)
NUMBERED = re.compile(r"(Channel )?\d+")


def score(row: Any, tagged: Collection[str]) -> tuple[float | None, str]:
    """Return how complete an image is and what is missing; nothing is asked of a result."""
    if row.kind != "image" or row.run_id is not None:
        return None, ""
    axes = [axis for axis in "zyx" if axis in row.axes]
    scale, channels = _read(row.scale) or {}, _read(row.channels) or []
    names = [str(channel.get("name", "")) for channel in channels]
    missing = [key for key in TAGS if key not in tagged]
    missing += [f"calibration {axis}" for axis in axes if not scale.get(axis)]
    if not names or any(not name or NUMBERED.fullmatch(name) for name in names):
        missing.append("channel names")
    told = "".join(f"| {key} " for key in missing) + "|" if missing else ""
    return 1 - len(missing) / (len(TAGS) + len(axes) + 1), told


def _read(kept: Any) -> Any:
    """SQLite gives JSON as text."""
    return json.loads(kept) if isinstance(kept, str) else kept
