"""What runs in the limited child: sort foreign files, open them, write, prove, measure and draw.

It talks with its parent in JSON, one message a datagram. First come the limits, then one job after
another, until nobody talks any more. Each says what it reads and writes: the first closes the child
into that room, and the others are of the same. Sorting a folder says {"group": [main, members,
reader]}, {"others": [...]} and {"refused": [path, reason]}, in pieces. Describing an OME-Zarr that
stays where it is says {"shared": [documents]} and {"image": {...}, ...}, drawing one says nothing,
giving one out in a form {"nbytes": n} or {"bytes": base64}, or {"doubt": path} of what is not as it
was. Converting a file says {"plan": bytes} and waits for "go"; then {"progress": [fraction, text]}
and {"image": {...}} for each image. Every job ends with {"done": true} or, at any time,
{"error": [name, message]}.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import BadFile, CidError, Unavailable
from ..storage import glimpses, omezarr, quality, thumbnails
from ..storage.display import colour
from ..storage.forms import Said
from ..storage.forms import inplace as forms_in_place
from ..storage.inplace import Place, Roots
from ..storage.labels import as_labels
from ..storage.layout import levels, planned_bytes
from ..storage.readers import open_images, sort
from ..storage.readers.ngff import inplace
from ..storage.readers.ome.metadata import clean
from ..storage.readers.source import Source, unreadable
from . import faults
from .limits import Limits, bind
from .sandbox import Room, enter

MESSAGE = 128 << 10  # bytes; a datagram is all or nothing
PIECE = 32 << 10  # bytes of paths in one message
BYTES = 90 << 10  # of a file, in one message
PAUSE = 0.2  # seconds between two reports of progress
SUFFIXES = (".ome.tiff", ".ome.tif", ".ome.zarr")
OTHERS = 512 << 10  # bytes of an image beside its pixels: thumbnail and metadata


@dataclass(frozen=True, slots=True)
class Work:
    """One image to write: its pixels, and the number of objects when they are labels."""

    source: Source
    objects: int | None

    @property
    def kind(self) -> str:
        """Image or labels."""
        return "image" if self.objects is None else "labels"


def main(talk: socket.socket) -> None:
    """Do one job after another; every failure is told in one line."""
    bind(Limits(**json.loads(talk.recv(MESSAGE))))
    closed = False
    while data := talk.recv(MESSAGE):
        try:
            job = json.loads(data)
            if not closed:
                enter(Room(job["reads"], job["writes"]))
                closed = True
            _do(talk, job)
            _say(talk, done=True)
        except CidError as error:
            _say(talk, error=[error.name, str(error)])
        except (MemoryError, PermissionError) as error:  # the limits, and the room, are the child's
            _say(talk, error=["BadFile", str(unreadable(error))])
        except Exception as error:  # reading faults are BadFile already; this is ours or the disk's
            _say(talk, error=["Unavailable", faults.not_written(error)])


def _do(talk: socket.socket, job: dict[str, Any]) -> None:
    if "sort" in job:
        _sort(talk, Path(job["sort"]))
    elif "measure" in job:
        _say(talk, quality=quality.measure(Path(job["measure"])))
    elif "describe" in job:
        _describe(talk, Path(job["describe"]))
    elif "draw" in job:
        Path(job["target"]).write_bytes(glimpses.draw(Path(job["draw"])))
    elif "form" in job:
        _give_out(talk, job)
    else:
        _convert(talk, Path(job["source"]), Path(job["target"]), str(job["kind"]))


def _sort(talk: socket.socket, folder: Path) -> None:
    found = sort(folder)
    for group in found.groups:
        for some in _pieces(group.members) or [[]]:
            _say(talk, group=[group.main, some, group.reader])
    for others in _pieces(found.others):
        _say(talk, others=others)
    for path, reason in found.refused.items():
        _say(talk, refused=[path, reason[:300]])


def _describe(talk: socket.socket, store: Path) -> None:
    """Say what an OME-Zarr that stays where it is holds, from its metadata alone."""
    found = list(inplace.described(store))
    named = _named([one.source for one in found], store)
    shared = dict.fromkeys(name for one in found for name in inplace.documents(store, one.inside))
    for documents in _pieces(shared):
        _say(talk, shared=documents)
    for one, image in zip(found, named, strict=True):
        objects = 0 if image.kind == "labels" else None
        told = _described(Work(image, objects)) | {"levels": one.levels}
        _say(talk, image=told, inside=one.inside, documents=list(one.documents))


def _give_out(talk: socket.socket, job: dict[str, Any]) -> None:
    """Say how large a form of an image in place is, or a part of it; or what in it is doubtful."""
    place, (uid, name, tags) = Place(*job["place"]), job["said"]
    roots = Roots({place.root: Path(job["folder"])})
    said = Said(uid, name, tuple((key, value) for key, value in tags))
    try:
        file = forms_in_place.laid_out(roots, place, job["form"], said)
        if job["part"] is None:
            return _say(talk, nbytes=file.nbytes)
        for piece in file.read(*job["part"]):
            for at in range(0, len(piece), BYTES):
                _say(talk, bytes=base64.b64encode(piece[at : at + BYTES]).decode())
    except forms_in_place.Other as other:
        _say(talk, doubt=str(other))


def _pieces(paths: Iterable[str]) -> list[list[str]]:
    """Return paths in lists that fit into a message."""
    found: list[list[str]] = []
    room = 0
    for path in paths:
        size = len(json.dumps(path)) + 2
        if size > room:
            found.append([])
            room = PIECE
        room -= size
        found[-1].append(path)
    return found


def _convert(talk: socket.socket, path: Path, target: Path, kind: str) -> None:
    scratch = target / "scratch"
    scratch.mkdir()
    tempfile.tempdir = str(scratch)
    works = [_work(image, kind) for image in _named(open_images(path), path)]
    sizes = [_planned(work.source) for work in works]
    _say(talk, plan=sum(sizes))
    if talk.recv(MESSAGE) != b'"go"':
        raise Unavailable("the import was not let on")
    reporter = _Reporter(talk, sum(sizes))
    for at, (work, size) in enumerate(zip(works, sizes, strict=True)):
        reporter.begin(size, work.source.name)
        measured = _write(work, target / str(at), reporter)
        _say(talk, image={**_described(work), "quality": measured})
    shutil.rmtree(scratch)


def _work(source: Source, kind: str) -> Work:
    """Take as labels what is said to be; what only the file calls so may still be an image."""
    if kind == "labels":
        return Work(*as_labels(source))
    if source.kind == "labels":
        try:
            return Work(*as_labels(source))
        except BadFile:
            pass
    return Work(source, None)


def _write(work: Work, folder: Path, reporter: _Reporter) -> dict[str, Any] | None:
    """Write one image with its thumbnail, and return its quality."""
    store = folder / "image.ome.zarr"
    store.mkdir(parents=True)
    report = reporter.part(0.0, 0.95, "writing")
    omezarr.write(work.source, store, work.kind, report, prove=True)
    (folder / "thumbnail.png").write_bytes(thumbnails.draw(store))
    return quality.measure(store)


def _named(images: list[Source], path: Path) -> list[Source]:
    """Name images after their file; one of several also after its scene, or its number.

    Labels of an image are named after it, and what they are of.
    """
    stem = path.name
    for suffix in (*SUFFIXES, path.suffix):
        if suffix and stem.lower().endswith(suffix.lower()):
            stem = stem[: -len(suffix)]
            break
    stem = clean(stem, 200) or "image"
    alone = [at for at, image in enumerate(images) if image.of is None]
    scenes = [images[at].name for at in alone]
    if len(set(filter(None, scenes))) < len(scenes):
        scenes = [str(at + 1) for at in range(len(scenes))]
    several = [f"{stem} [{scene}]"[:255] for scene in scenes]
    names = dict(zip(alone, several if len(alone) > 1 else [stem], strict=True))
    for at, image in enumerate(images):
        if image.of is not None:
            of = names.get(image.of, stem)
            names[at] = f"{of} {image.name.rpartition('/')[2] or 'labels'}"[:255]
    return [replace(image, name=names[at]) for at, image in enumerate(images)]


def _planned(source: Source) -> int:
    pixels = planned_bytes(source.axes, source.shape, source.dtype.itemsize)
    return pixels + OTHERS + len((source.ome_xml or "").encode())


def _described(work: Work) -> dict[str, Any]:
    source = work.source
    return {
        "name": source.name,
        "kind": work.kind,
        "of": source.of,
        "axes": source.axes,
        "shape": source.shape,
        "dtype": source.dtype.name,
        "levels": len(levels(source.axes, source.shape)),
        "scale": source.scale,
        "units": source.units,
        # with the colour each is shown in, the file's own or ours
        "channels": [
            {**channel, "color": colour(source.channels, at)}
            for at, channel in enumerate(source.channels)
        ],
        "tags": source.tags,
        "unknown": source.unknown,
        "objects": work.objects,
    }


class _Reporter:
    """Turns what is done of one image into what is done of all, a few times a second."""

    def __init__(self, talk: socket.socket, total: int) -> None:
        self.talk, self.total = talk, total
        self.before = self.size = 0
        self.name = ""
        self.last = 0.0

    def begin(self, size: int, name: str) -> None:
        """Go on to an image of `size` planned bytes."""
        self.before, self.size, self.name = self.before + self.size, size, name

    def part(self, start: float, width: float, verb: str) -> omezarr.Report:
        """Return what reports one stage of the current image."""

        def report(fraction: float) -> None:
            now = time.monotonic()
            if now - self.last >= PAUSE:
                self.last = now
                done = self.before + self.size * (start + width * fraction)
                _say(self.talk, progress=[done / self.total, f"{verb} {self.name}"])

        return report


def _say(talk: socket.socket, **message: Any) -> None:
    data = json.dumps(message).encode()
    if len(data) > MESSAGE:
        raise BadFile("its channels and tags are more than any real image has")
    try:
        talk.send(data)
    except (BrokenPipeError, ConnectionResetError):
        os._exit(1)  # nobody listens any more: the parent has ended or given up
