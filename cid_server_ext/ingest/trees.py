"""From a staged tree of foreign files to images, originals and plain files.

A child sorts the tree into items: files that belong together are one import with one original, and
what no reader knows is kept as a file. An item that cannot be read is kept as a file too, with the
reason, so that the others come in and nothing is lost; one that is all there is is refused. What an
item became is written beside it, and another attempt goes on from there.
"""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..core.catalog.commits import NewImage, Problem
from ..errors import BadFile
from ..storage import digests, manifests
from ..storage.digests import Digests
from ..storage.roots import Root, file_prefix
from . import settings
from .converted import Converted, astray
from .items import Item, all_items, folders_there, there_already
from .limits import Limits
from .prepared import Prepared, Staged, Watch, new_file, new_image
from .progress import Progress
from .sandbox import Room
from .workers import SMALL, Worker
from .workshops import HERE, Workshop


@dataclass
class Tree:
    """One import of one tree."""

    root: Root
    staged: Staged
    watch: Watch
    limits: Limits
    workshop: Workshop = HERE
    sizes: dict[str, int] = field(init=False)
    known: dict[str, Digests] = field(init=False)
    account: Progress = field(init=False)
    broken: bool = False

    def __post_init__(self) -> None:
        self.sizes = dict(self.staged.declared)

    def prepare(self) -> Prepared:
        """Return all that its items become, in the order of their paths."""
        self.account = Progress(self.staged.declared)
        self.account.say("looking which belong together")
        self.watch.progress(self.account)
        found = list(all_items(self.root, self.staged, self.limits, self._worker))
        items = settings.joined(self.root, self.staged, found)
        self.known = digests.noted(self.root.path(self.staged.prefix))
        self.account = Progress((item.main, self._nbytes(item)) for item in items)
        done = Prepared()
        done.commit.there.extend(folders_there(self.root, self.staged))
        for part in self._side_by_side(items):
            done.add(part)
        return done

    def _side_by_side(self, items: list[Item]) -> list[Prepared]:
        """Do small items in several children at once, then large ones, which need the memory.

        Where each child has a machine of its own, all of them go side by side.
        """
        several, spread = len(items) > 1, self.workshop.spread
        small = [item for item in items if several and (spread or self._nbytes(item) <= SMALL)]
        if spread:
            small.sort(key=self._nbytes, reverse=True)  # the longest first
        parts: dict[Item, Prepared] = {}
        width = self.workshop.width
        with ThreadPoolExecutor(width) as pool:
            waiting = iter(small)
            lock = threading.Lock()

            def some() -> None:
                with self._worker() as worker:
                    while True:
                        with lock:
                            item = next(waiting, None)
                        if item is None:
                            return
                        parts[item] = self._part(item, worker, alone=False)

            tasks = [pool.submit(some) for _ in range(min(width, len(small)))]
            try:
                for task in as_completed(tasks):
                    task.result()
            except BaseException:
                self.broken = True  # the other children stop at their next word
                raise
        alone = not several and not self.staged.check
        with self._worker() as worker:
            for item in items:
                if item not in parts:
                    parts[item] = self._part(item, worker, alone=alone)
        return [parts[item] for item in items]

    def _worker(self) -> Worker:
        return self.workshop.worker(self.limits, self._should_stop, self._wait)

    def _wait(self, text: str) -> None:
        self.account.say(text)
        self.watch.progress(self.account)

    def _should_stop(self) -> bool:
        return self.broken or self.watch.should_stop()

    def _part(self, item: Item, worker: Worker, *, alone: bool) -> Prepared:
        earlier = self._earlier(item)
        if earlier is not None and not (alone and earlier.commit.problems):
            return earlier
        return self._done(item, worker, alone=alone)

    # --- what an item becomes -----------------------------------------------------------------

    def _done(self, item: Item, worker: Worker, *, alone: bool) -> Prepared:
        if len(item.files) == 1 and (there := there_already(self.root, self.staged, item.main)):
            done = Prepared()
            done.commit.there.append(there)
            self.account.end(item.main, "there")
            return done
        done, state = self._brought(item, worker, alone=alone)
        self._remember(item, done)
        self.account.end(item.main, state)
        return done

    def _brought(self, item: Item, worker: Worker, *, alone: bool) -> tuple[Prepared, str]:
        try:
            images = self._images(item, worker)
        except BadFile as error:
            if alone:
                raise BadFile(f"{item.name}: {error}") from None
            reason = str(error)
            done = self._kept(item)
            done.commit.problems.append(Problem(item.main, done.commit.files[0].uid, reason))
            return done, "unreadable"
        if not images:
            return self._kept(item), "kept"
        done = self._kept(item, "original")
        made = [(image, f"{self._out(item)}/{image.folder.name}") for image in images]
        told = settings.read(self._path(item.settings)) if item.settings else None
        original = done.commit.files[0].uid
        rows: list[NewImage] = []
        for image, key in made:
            source = self._name(item, images[image.of]) if image.of is not None else None
            new = new_image(
                self.root,
                self.staged,
                image,
                key,
                image.name,
                image.kind,
                original=original,
                source=source,
                folder=item.folder,
                settings=told,
            )
            rows.append(new)
            done.moves.append((key, new.prefix))
        # labels point to their image: it is there before them
        done.commit.images.extend(sorted(rows, key=lambda row: row.source is not None))
        return done, "done"

    def _images(self, item: Item, worker: Worker) -> list[Converted]:
        """Convert an item; no image: it is of a kind that nobody says is one."""
        if not item.tried:
            return []

        def tell(fraction: float, text: str) -> None:
            self.account.at(item.main, fraction, text)
            self.watch.progress(self.account)

        tell(0.0, f"reading {item.name}")
        images = worker.convert(
            self._path(item.main),
            self.root.path(self._out(item)),
            nbytes=self._nbytes(item),
            room=self._room(),
            on_plan=self.watch.plan,
            on_progress=tell,
        )
        if any(image.of is not None and image.of >= len(images) for image in images):
            raise astray()
        return images

    def _kept(self, item: Item, kind: str = "file") -> Prepared:
        """Return the item's own bytes as one record: a file, or a folder with all that it is."""
        done = Prepared()
        key = f"{self.staged.prefix}/in/{item.main}"
        made = self.known.get(item.main)
        if item.files != (item.main,):
            inside = self._inside(item)
            made, _ = digests.of_folder({name: self._digest(inside[name]) for name in inside})
            if item.several:
                key = self._gathered(item, inside)
        file = new_file(self.root, self.staged, key, item.name, kind, made, item.folder)
        uid = self._uid(item)
        file = replace(file, uid=uid, prefix=file_prefix(uid), note=item.note)
        done.commit.files.append(file)
        done.moves.append((key, f"{file.prefix}/{file.name}"))
        return done

    def _inside(self, item: Item) -> dict[str, str]:
        """Return the files of an original that is a folder, by their names in it."""
        base = os.path.commonpath([os.path.dirname(path) for path in item.files])
        if not item.several:
            base = item.main
        return {os.path.relpath(path, base or "."): path for path in item.files}

    def _gathered(self, item: Item, inside: dict[str, str]) -> str:
        """Link files that lie among others into a folder of their own, which can be moved."""
        key = f"{self._made(item)}-original"
        for name, path in inside.items():
            place = self.root.path(f"{key}/{name}")
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                os.link(self._path(path), place)
        return key

    def _digest(self, path: str) -> Digests:
        return self.known.get(path) or digests.of_file(self._path(path))

    # --- what an earlier attempt did ----------------------------------------------------------

    def _remember(self, item: Item, done: Prepared) -> None:
        """Note what an item became, whole or not at all."""
        path = self.root.path(f"{self._made(item)}.json")
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".new")
        beside.write_text(json.dumps(done.as_json()), encoding="utf-8")
        os.replace(beside, path)

    def _earlier(self, item: Item) -> Prepared | None:
        """Return what an attempt that was killed had made of an item, if all of it is there."""
        staging = self.root.path(self.staged.prefix)
        for path in sorted(staging.glob(f"made-*/{self._uid(item)}.json")):
            try:
                done = Prepared.from_json(json.loads(path.read_bytes()))
            except (ValueError, KeyError, TypeError):
                continue
            if self._whole(done):
                self.watch.plan(sum(image.nbytes for image in done.commit.images))
                state = "unreadable" if done.commit.problems else "done"
                self.account.end(item.main, state)
                return done
        return None

    def _whole(self, done: Prepared) -> bool:
        """Say whether bytes that were written before a kill are the ones that were digested."""
        promised = {image.prefix: image.sha256 for image in done.commit.images}
        for source, target in done.moves:
            place = self.root.path(source)
            if not place.exists():
                return False
            found = manifests.digest(manifests.lines(place)) if target in promised else ""
            if found != promised.get(target, ""):
                return False
        return True

    # --- names --------------------------------------------------------------------------------

    def _uid(self, item: Item) -> str:
        return self.staged.name(f"file/{self.staged.prefix}/in/{item.main}")

    def _out(self, item: Item) -> str:
        return f"{self.staged.prefix}/{self.staged.out}/{self._uid(item)}"

    def _made(self, item: Item) -> str:
        """Return the key of what is ours of an item: no child writes there."""
        return f"{self.staged.prefix}/made-{self.staged.out}/{self._uid(item)}"

    def _name(self, item: Item, image: Converted) -> str:
        return self.staged.name(f"image/{self._uid(item)}/{image.folder.name}")

    def _path(self, path: str) -> Path:
        return self.root.path(f"{self.staged.prefix}/in/{path}")

    def _room(self) -> Room:
        """Return what every child of this import may read and write."""
        prefix, out = self.staged.prefix, self.staged.out
        reads, writes = self.root.path(f"{prefix}/in"), self.root.path(f"{prefix}/{out}")
        return Room(str(reads.absolute()), str(writes.absolute()))

    def _nbytes(self, item: Item) -> int:
        return sum(self.sizes[path] for path in item.files)


def prepare(
    root: Root, staged: Staged, watch: Watch, limits: Limits, workshop: Workshop = HERE
) -> Prepared:
    """Sort and convert a staged tree. Raises BadFile when there is one item, and it is damaged."""
    return Tree(root, staged, watch, limits, workshop).prepare()
