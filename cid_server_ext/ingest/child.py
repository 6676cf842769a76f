"""What runs in the limited child: open a foreign file, write its images, prove them, draw them.

It talks with its parent in JSON, one message a datagram: gets a job; says {"plan": bytes} and
waits for "go"; says {"progress": [fraction, text]}, {"image": {...}} for each image, {"done": true}
or, at any time, {"error": [name, message]}.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import BadFile, CidError, Unavailable
from ..storage import omezarr, thumbnails
from ..storage.display import colour
from ..storage.labels import as_labels
from ..storage.layout import levels, planned_bytes
from ..storage.readers import open_images
from ..storage.readers.metadata import clean
from ..storage.readers.source import Source, unreadable
from .limits import Limits, bind

MESSAGE = 128 << 10  # bytes; a datagram is all or nothing
PAUSE = 0.2  # seconds between two reports of progress
SUFFIXES = (".ome.tiff", ".ome.tif", ".ome.zarr")
OTHERS = 512 << 10  # bytes of an image beside its pixels: thumbnail and metadata


@dataclass(frozen=True, slots=True)
class Work:
    """One image to write: its pixels, and the number of objects when they are labels."""

    source: Source
    objects: int | None


def main(talk: socket.socket) -> None:
    """Do one job; every failure is told in one line."""
    try:
        job = json.loads(talk.recv(MESSAGE))
        bind(Limits(**job["limits"]))
        _convert(talk, Path(job["source"]), Path(job["target"]), str(job["kind"]))
        _say(talk, done=True)
    except CidError as error:
        _say(talk, error=[error.name, str(error)])
    except MemoryError as error:
        _say(talk, error=["BadFile", str(unreadable(error))])
    except Exception as error:  # reading faults are BadFile already; this is ours or the disk's
        told = " ".join(str(error).split())[:300]
        _say(talk, error=["Unavailable", f"the image could not be written: {told}"])


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
        _write(work, target / str(at), kind, reporter)
        _say(talk, image=_described(work, kind))
    shutil.rmtree(scratch)


def _work(source: Source, kind: str) -> Work:
    return Work(*as_labels(source)) if kind == "labels" else Work(source, None)


def _write(work: Work, folder: Path, kind: str, reporter: _Reporter) -> None:
    store = folder / "image.ome.zarr"
    store.mkdir(parents=True)
    omezarr.write(work.source, store, kind, reporter.part(0.0, 0.65, "writing"))
    omezarr.verify(store, work.source, reporter.part(0.65, 0.3, "comparing"))
    (folder / "thumbnail.png").write_bytes(thumbnails.draw(store))


def _named(images: list[Source], path: Path) -> list[Source]:
    """Name images after their file; one of several also after its scene, or its number."""
    stem = path.name
    for suffix in (*SUFFIXES, path.suffix):
        if suffix and stem.lower().endswith(suffix.lower()):
            stem = stem[: -len(suffix)]
            break
    stem = clean(stem, 200) or "image"
    if len(images) == 1:
        return [replace(images[0], name=stem)]
    scenes = [image.name for image in images]
    if len(set(filter(None, scenes))) < len(images):
        scenes = [str(at + 1) for at in range(len(images))]
    named = zip(images, scenes, strict=True)
    return [replace(image, name=f"{stem} [{scene}]"[:255]) for image, scene in named]


def _planned(source: Source) -> int:
    pixels = planned_bytes(source.axes, source.shape, source.dtype.itemsize)
    return pixels + OTHERS + len((source.ome_xml or "").encode())


def _described(work: Work, kind: str) -> dict[str, Any]:
    source = work.source
    return {
        "name": source.name,
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
