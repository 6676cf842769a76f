"""Settings of an acquisition beside its image: which files they are, and whose.

`cell.settings.json` belongs to `cell.tif`; the only settings file of a folder to all its images.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from ..core.catalog import settings
from ..errors import BadInput
from ..storage.roots import Root
from .items import Item, there_already
from .prepared import Staged

ENDING = "settings.json"
LARGEST = 2 << 20  # bytes, as the API takes
DEEPEST = 64  # levels
LONELY = "Settings of no image that came with them: call them as it, with .settings.json behind."


def joined(root: Root, staged: Staged, items: Sequence[Item]) -> list[Item]:
    """Return the items with the settings that they are given.

    A settings file becomes part of the original that it alone belongs to. What cannot be read, or
    belongs to nothing, stays an item of its own and says why.
    """
    images: dict[str, list[Item]] = {}
    told: dict[str, list[Item]] = {}
    for item in items:
        if item.tried and there_already(root, staged, item.main) is None:
            images.setdefault(item.folder, []).append(item)
        elif not item.tried and item.name.lower().endswith(ENDING):
            told.setdefault(item.folder, []).append(item)
    changed: dict[str, Item] = {}
    for folder, several in told.items():
        for one in several:
            why = _unreadable(root.path(f"{staged.prefix}/in/{one.main}"))
            near = [] if why else images.get(folder, [])
            found = _whose(one, near, alone=len(several) == 1)
            whose = [image for image in found if image.main not in changed]  # one file an image
            if not whose:
                changed[one.main] = replace(one, note=why or LONELY)
            own = len(whose) == 1 and whose[0].main in whose[0].files  # a folder stays as it came
            for image in whose:
                files = sorted({*image.files, one.main}) if own else image.files
                changed[image.main] = replace(image, files=tuple(files), settings=one.main)
    inside = {path for item in changed.values() for path in item.files if path != item.main}
    return [changed.get(item.main, item) for item in items if item.main not in inside]


def read(path: Path) -> dict[str, Any]:
    """Return the settings in a file, or raise BadInput."""
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise BadInput(f"settings: at most {LARGEST >> 20} MiB")
    try:
        document = json.loads(content.decode("utf-8-sig"), parse_constant=_refused)
        if any(level > DEEPEST for level in _levels(document)):
            raise ValueError(f"more than {DEEPEST} levels")
    except (ValueError, RecursionError) as error:
        raise BadInput(f"settings: no JSON: {str(error)[:200]}") from None
    settings.check(document)
    return dict(document)


def _unreadable(path: Path) -> str:
    try:
        read(path)
    except BadInput as error:
        return f"Kept as a file, for it is of no use as settings: {error}"
    return ""


def _whose(told: Item, images: Iterable[Item], *, alone: bool) -> list[Item]:
    """Return the images that a settings file names; the only one of a folder is of all."""
    name = told.name.lower().removesuffix(ENDING).rstrip("._- ")
    named = [image for image in images if name and name in _calls(image.name.lower())]
    if named:
        return named if len(named) == 1 else []
    return list(images) if alone else []


def _calls(name: str) -> Iterator[str]:
    """Yield a name with fewer and fewer endings: cell.ome.tif, cell.ome, cell."""
    yield name
    for _ in PurePosixPath(name).suffixes[-2:]:
        name = name.rpartition(".")[0]
        yield name


def _levels(document: Any) -> Iterator[int]:
    waiting = [(document, 1)]
    while waiting:
        one, level = waiting.pop()
        yield level
        inner = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        if level <= DEEPEST:
            waiting.extend((each, level + 1) for each in inner)


def _refused(word: str) -> Any:
    raise ValueError(f"{word} is no number")
