"""Which items a staged tree holds: files that belong together, and files that stand alone."""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from ..core.catalog.commits import There
from ..errors import BadInput
from ..storage.roots import Root
from .converted import astray
from .limits import Limits
from .prepared import Staged
from .workers import Worker

# Names that say image: a file that has one and is none is damaged, not of another kind.
IMAGES = (
    *(".tif", ".tiff", ".btf", ".stk", ".lsm", ".png", ".jpg", ".jpeg", ".lif", ".czi", ".nd2"),
    *(".oib", ".oif", ".vsi", ".svs", ".ndpi", ".sdt"),
)


@dataclass(frozen=True, slots=True)
class Item:
    """Files that come in together. Paths as in the deposit; `main` is the one to open.

    tried: a reader knows it, or its name says that one should; all else is only a file.
    settings: the file that says how it was acquired. note: what is to be said of it.
    """

    main: str
    files: tuple[str, ...]
    tried: bool
    settings: str = ""
    note: str = ""

    @property
    def name(self) -> str:
        """What people call it."""
        return PurePosixPath(self.main).name

    @property
    def folder(self) -> str:
        """The folder of the tree that it lies in, which becomes a dataset."""
        return self.main.rpartition("/")[0]

    @property
    def several(self) -> bool:
        """Say whether its original is a folder of files that lie among others."""
        return self.files != (self.main,) and not self.files[0].startswith(f"{self.main}/")


def all_items(
    root: Root, staged: Staged, limits: Limits, open_worker: Callable[[], Worker]
) -> Iterator[Item]:
    """Yield every staged file once, in an item; the child that sorts is not believed."""
    place_held(root, staged)
    base = root.path(f"{staged.prefix}/in")
    base.mkdir(parents=True, exist_ok=True)
    sizes = dict(staged.declared)
    ordered = sorted(path for path in sizes if (base / path).exists())
    left = set(ordered)
    with open_worker() as worker:
        found = worker.sort(base)
    for group in found.groups:
        named = {group.main, *group.members}
        files = named & left
        if group.main not in left:  # a folder, with all below it
            start, stop = f"{group.main}/", f"{group.main}0"  # "0" comes after "/"
            inside = set(ordered[bisect_left(ordered, start) : bisect_left(ordered, stop)])
            if not inside:  # neither a file nor a folder of the tree
                raise astray()
            files |= left & inside
        if not files or not named - files <= {group.main}:
            raise astray()
        left -= files
        if not limits.formats or group.reader in limits.formats:
            yield Item(group.main, tuple(sorted(files)), tried=True)
        else:
            yield from (Item(path, (path,), tried=False) for path in sorted(files))
    for path in sorted(left):
        yield Item(path, (path,), not sizes[path] or path.lower().endswith(IMAGES))


def place_held(root: Root, staged: Staged) -> None:
    """Put what was not sent where it would lie, for a file may belong to others that came."""
    for path, held in staged.held.items():
        kept, place = root.path(held.key), root.path(f"{staged.prefix}/in/{path}")
        if place.exists() or kept.is_dir():
            continue
        if not kept.is_file():
            raise BadInput(f"{path}: it is no longer here: upload it again")
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(kept, place)


def folders_there(root: Root, staged: Staged) -> Iterator[There]:
    """Yield the folders that are one acquisition and of which nothing was sent."""
    told = set()
    for path, held in staged.held.items():
        if held.uid not in told and root.path(held.key).is_dir():
            told.add(held.uid)
            yield There(path, held.uid)


def there_already(root: Root, staged: Staged, path: str) -> There | None:
    """Return the record that holds a file's bytes already, if they were not sent again."""
    held = staged.held.get(path)
    if held is None:
        return None
    came, kept = root.path(f"{staged.prefix}/in/{path}"), root.path(held.key)
    if came.exists() and not (kept.exists() and came.samefile(kept)):
        return None
    return There(path, held.uid)
