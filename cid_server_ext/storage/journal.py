"""The journal on storage: lines that are only ever added, each chained to the one before it.

`<root>/journal/<id of its first line>.jsonl`: one JSON object a line, keys sorted, UTF-8. A line's
`sha256` is over all its other keys, so that a damaged line is told from a missing one; its
`previous` is the `sha256` of the line before it, across segments. `head.json` names the last line,
so that a lost end is noticed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import mmap
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import Conflict

SEGMENT_BYTES = 64 << 20
START = "0" * 64  # what the first line has for `previous`
HEAD = "head.json"
LOCK = "lock"

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One entry that is as it was written."""

    entry: Entry
    segment: str
    number: int

    @property
    def id(self) -> int:
        """The entry's number in the journal table."""
        return int(self.entry["id"])


@dataclass(frozen=True, slots=True)
class Damage:
    """A place where the chain is not whole.

    kind: damaged (bytes changed), missing (lines are gone) or torn (the end, while it is written).
    Entries `first` to `last` may be lost; None where none is, or where the end is not known.
    """

    segment: str
    number: int
    kind: str
    reason: str
    first: int | None = None
    last: int | None = None


def folder_of(storage: Path) -> Path:
    """Return where the journal of a storage root lies."""
    return storage / "journal"


def segments(folder: Path) -> list[Path]:
    """Return the segments in order; none where there is no journal."""
    return sorted(folder.glob("*.jsonl"))


def read(folder: Path) -> Iterator[Line | Damage]:
    """Yield every good line in order, and before it what is not whole."""
    chain, found = _Chain(), segments(folder)
    for segment in found:
        with segment.open("rb") as file:
            for number, raw in enumerate(file, 1):
                torn = segment == found[-1] and not raw.endswith(b"\n")
                yield from chain.take(segment.name, number, raw, torn)
    yield from chain.end(folder)


def is_written(folder: Path) -> bool:
    """Say whether a process holds the pen of this journal now."""
    try:
        handle = os.open(folder / LOCK, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def sealed(entry: Entry, previous: str) -> tuple[bytes, str]:
    """Return an entry as a line, and the line's digest."""
    digest = _digest(entry | {"previous": previous})
    return _canonical(entry | {"previous": previous, "sha256": digest}) + b"\n", digest


class Pen:
    """Adds lines. One process at a time holds it: Conflict while another does.

    When it is taken up, a torn end is cut off and a lost head made again; `last` is the last good
    line that it found.
    """

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        _make(folder)
        self._folder, self._most = folder, segment_bytes
        self._lock = _locked(folder / LOCK)
        try:
            self._segment = _cut(folder)
            self.last = _last(folder)
            if self.last is not None and _head(folder) is None:
                self._name(self.last.id, str(self.last.entry["sha256"]))
        except BaseException:
            os.close(self._lock)
            raise
        self._digest = str(self.last.entry["sha256"]) if self.last else START

    def add(self, entries: Iterable[Entry]) -> None:
        """Write lines durably: when this returns they are on disk. After OSError, take up anew."""
        lines: list[bytes] = []
        first = last = 0
        digest = self._digest
        for entry in entries:
            line, digest = sealed(entry, digest)
            lines.append(line)
            first, last = first or int(entry["id"]), int(entry["id"])
        if not lines:
            return
        if self._segment is None or self._segment.stat().st_size >= self._most:
            self._segment = self._folder / f"{first:012d}.jsonl"
        fresh = not self._segment.exists()
        with self._segment.open("ab") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        if fresh:
            _flush(self._folder)
        self._digest = digest
        self._name(last, digest)

    def close(self) -> None:
        """Lay the pen down."""
        os.close(self._lock)

    def _name(self, last: int, digest: str) -> None:
        _replace(self._folder / HEAD, _canonical({"id": last, "sha256": digest}))


@dataclass
class _Chain:
    """What a reader knows of the lines so far; faults wait until it is known what they cost."""

    last_id: int = 0
    digest: str = START
    faults: list[Damage] = field(default_factory=list)

    def take(self, segment: str, number: int, raw: bytes, torn: bool) -> Iterator[Line | Damage]:
        entry, fault = _parsed(raw)
        if entry is None:
            kind, reason = ("torn", "it is cut off") if torn else ("damaged", fault)
            self.faults.append(Damage(segment, number, kind, reason))
            return
        if entry["id"] <= self.last_id:
            self.faults.append(Damage(segment, number, "damaged", "it repeats an entry"))
            return
        if entry["previous"] != self.digest and not self.faults:
            reason = "lines before it are missing"
            self.faults.append(Damage(segment, number, "missing", reason))
        yield from self._told(entry["id"] - 1)
        self.last_id, self.digest = entry["id"], entry["sha256"]
        yield Line(entry, segment, number)

    def end(self, folder: Path) -> Iterator[Damage]:
        head = _head(folder)
        if head is None and self.last_id:
            self.faults.append(Damage(HEAD, 1, "damaged", "it does not name the last line"))
        ends = head["id"] if head else 0
        if ends > self.last_id and not self.faults:
            self.faults.append(Damage(HEAD, 1, "missing", "the end of the journal is missing"))
        yield from self._told(ends if ends > self.last_id else None)

    def _told(self, last: int | None) -> Iterator[Damage]:
        """Yield the faults; they may have cost the entries up to `last`, None: nobody knows."""
        first: int | None = self.last_id + 1
        if last is not None and last < self.last_id + 1:
            first = last = None
        yield from (replace(fault, first=first, last=last) for fault in self.faults)
        self.faults.clear()


def _parsed(raw: bytes) -> tuple[Entry | None, str]:
    """Return the entry of a line, or None and what is wrong with it."""
    try:
        entry = json.loads(raw)
    except ValueError:
        return None, "it is not JSON"
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), int):
        return None, "it is no entry"
    rest = {name: value for name, value in entry.items() if name != "sha256"}
    if "previous" not in rest or entry.get("sha256") != _digest(rest):
        return None, "it does not have its digest"
    return entry, ""


def _digest(rest: Entry) -> str:
    return hashlib.sha256(_canonical(rest)).hexdigest()


def _canonical(value: Entry) -> bytes:
    """Return compact JSON with sorted keys; half a surrogate pair is no UTF-8 and is escaped."""
    said = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        return said.encode()
    except UnicodeEncodeError:
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _head(folder: Path) -> Entry | None:
    try:
        head = json.loads((folder / HEAD).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return head if isinstance(head, dict) and isinstance(head.get("id"), int) else None


def _make(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        _flush(folder.parent)


def _locked(path: Path) -> int:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        if isinstance(error, BlockingIOError):
            raise Conflict("another process writes this journal") from None
        raise
    return handle


def _cut(folder: Path) -> Path | None:
    """Take a line without an end off the last segment and return that segment."""
    found = segments(folder)
    if not found:
        return None
    with found[-1].open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                whole = data.rfind(b"\n") + 1
            if whole < size:
                file.truncate(whole)
                os.fsync(file.fileno())
    return found[-1]


def _last(folder: Path) -> Line | None:
    """Return the last line that is good."""
    for segment in reversed(segments(folder)):
        for raw in _backwards(segment):
            entry, _ = _parsed(raw)
            if entry is not None:
                return Line(entry, segment.name, 0)
    return None


def _backwards(segment: Path) -> Iterator[bytes]:
    if not segment.stat().st_size:
        return
    with segment.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        end = len(data)
        while end > 0:
            start = data.rfind(b"\n", 0, end - 1) + 1
            yield data[start:end]
            end = start


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_suffix(".new")
    with beside.open("wb") as file:
        file.write(content + b"\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
