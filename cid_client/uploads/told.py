"""What is said of an upload when it begins: its mask, its microscope, its tags."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict

from ..errors import BadInput, Wrong
from ..wire import given
from ..wire.session import Session

JUDGED = 10_000  # names that are judged before they are read; all are when they are sent

Value = str | int | float | Mapping[str, str]
Tags = Mapping[str, Value | Sequence[Value]]


EXAMPLES = {
    "tags": 'keys with values, as {"Cell type": "HeLa"}',
    "tags_of": 'paths with tags, as {"new/1.tif": {"Cell type": "HeLa"}}',
}


class Told(TypedDict, total=False):
    """A mask or an instrument by name, tags of all, and `tags_of` some: by path, as in the folder.

    A path may be that of a folder; what is said of the nearest counts.
    """

    mask: str | None
    instrument: str | None
    tags: Tags | None
    tags_of: Mapping[str, Tags] | None


def plain(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said without what is not; BadInput where it is of another kind."""
    for key in ("tags", "tags_of"):
        given.mapping(told.get(key), key, EXAMPLES[key])
    for key in ("mask", "instrument"):
        given.text(told.get(key) or "", f"{key}: its name", empty=True)
    return {key: value for key, value in told.items() if value}


def digest(told: Mapping[str, Any]) -> dict[str, str]:
    """Return what tells one saying from another; nothing where nothing is said."""
    if not told:
        return {}
    text = json.dumps(told, sort_keys=True, default=str)
    return {"told": hashlib.sha256(text.encode()).hexdigest()}


def judge(session: Session, project: str, paths: Iterable[str], said: Mapping[str, Any]) -> None:
    """Raise BadInput for what of an import would be refused, before anything of it is read."""
    names = list(dict.fromkeys(map(_whole, paths)))
    body = {**said, "project": project, "files": names[:JUDGED]}
    if len(names) > JUDGED:  # paths that are named may be further on
        body["tags_of"] = {}
    told = session.send("POST", "masks/check", body)
    wrong = [Wrong(**one) for one in told["wrong"]]
    if wrong:
        of = f"mask {told['mask']['name']!r}: " if told["mask"] else ""
        more = f" (and {len(wrong) - 3} more)" if len(wrong) > 3 else ""
        raise BadInput(f"{of}{'; '.join(map(str, wrong[:3]))}{more}", wrong)


def _whole(path: str) -> str:
    """Return the folder that is one image, of a path in it; else the path."""
    parts = path.split("/")
    ends = [n for n, part in enumerate(parts, 1) if part.lower().endswith(".zarr")]
    return "/".join(parts[: ends[0]]) if ends else path
