"""What a folder would become in the catalog, told before anything of it is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Unpack, overload

from .. import display
from ..errors import BadInput, CidError, Conflict, Wrong, from_record
from ..records.images import Image
from ..wire import waiting
from ..wire.session import Session, segment
from . import asked, broken_off, uploaded
from .deposit import imported, unknown, whole
from .items import Part, hashed, parts_of
from .sending import Progress
from .told import Told, plain
from .uploaded import Uploaded

WORDS = {
    "unreadable": "not readable",
    "look": "look at it",
    "good": "good",
    "file": "kept as a file",
    "there": "there already",
}
HEADER = ("file", "verdict", "image", "pixel", "SNR", "clipped", "focus", "complete", "said of it")
SHOWN = 200  # rows of a table
LONGEST = 60  # characters of a path in a table


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file, or files that belong together: its verdict, and what to look at in words.

    verdict: good, look, unreadable, file (no reader knows it) or there (already, as `record`).
    images: as they would be, each with shape, scale, quality, completeness and what is missing.
    """

    path: str
    verdict: str
    findings: list[str] = field(default_factory=list)
    images: list[Mapping[str, Any]] = field(default_factory=list)
    record: str | None = None
    nbytes: int = 0

    @property
    def good(self) -> bool:
        """Nothing has to be looked at."""
        return self.verdict not in ("look", "unreadable")

    def rows(self) -> Iterator[list[str]]:
        """Yield what a table shows of it, a row each image."""
        said = [f"as {self.record}"] if self.record else []
        said += self.findings
        lead, words = [self.path, WORDS.get(self.verdict, self.verdict)], "; ".join(said)
        for one in self.images or [{}]:
            yield [*lead, *_measures(one), words]
            lead, words = ["", ""], ""


class Checked(Sequence[CheckedFile]):
    """The verdict of each file; a notebook shows them as a table.

    Nothing is in the catalog yet. `upload()` brings it in without sending it again, within a day;
    `drop()` removes what was sent. `sent` says how many bytes that was, `nbytes` how many the
    project would be charged. `wrong` is what the mask of the microscope that the files name has
    against them, where none was named: `upload(tags=…)` says it.
    """

    def __init__(
        self,
        session: Session,
        files: Iterable[CheckedFile],
        *,
        sent: int = 0,
        nbytes: int = 0,
        deposit: str = "",
        counts: Mapping[str, int] | None = None,
        masks: Iterable[str] = (),
        wrong: Iterable[Wrong] = (),
        waits: Callable[[str], None] = lambda deposit: None,
    ) -> None:
        order = list(WORDS)
        self._session, self._deposit, self._waits = session, deposit, waits
        self.masks, self.wrong = list(masks), list(wrong)
        self._files = sorted(files, key=lambda one: (order.index(one.verdict), one.path))
        self.sent, self.nbytes = sent, nbytes
        found = [one.verdict for one in self._files]
        self.counts = {verdict: n for verdict in WORDS if (n := found.count(verdict))}
        self.counts |= counts or {}

    @property
    def good(self) -> bool:
        """Nothing has to be looked at or said, and all could be read."""
        return not self.wrong and not self.counts.keys() & {"look", "unreadable"}

    def upload(self, on_progress: Progress | None = None, **told: Unpack[Told]) -> Uploaded[Image]:
        """Bring in what was checked, with what is `told` of it now; its bytes are there.

        Conflict: it was dropped, or is over. BadInput: that does not fit, or the mask asks for
        more; then it can be said in another call.
        """
        if not self._deposit:
            raise Conflict("nothing of this is left to bring in: check it again, or upload it")
        uid, where = self._deposit, f"deposits/{segment(self._deposit)}"
        self._session.send("POST", f"{where}/commit", plain(told))
        self._deposit = ""
        ended = imported(self._session, where, "what was checked", on_progress or _silent)
        if ended["state"] == "open":
            self._deposit, self.wrong = uid, asked.wrongs(ended["report"])
        return uploaded.images(self._session, whole(ended, "what was checked"))

    def drop(self) -> None:
        """Remove what was sent, and give back the project's room."""
        if self._deposit:
            self._session.send("DELETE", f"deposits/{segment(self._deposit)}")
            self._deposit = ""

    @property
    def lacks(self) -> bool:
        """All of it is in order, but for what the mask of its microscope wants to be told."""
        return bool(self.wrong) and not self.counts.keys() & {"look", "unreadable"}

    def wait(self) -> None:
        """Leave what was sent for a day: an upload of the same that says more sends nothing."""
        if self._deposit:
            self._waits(self._deposit)

    def summary(self) -> str:
        """Return how many files are what, in a line."""
        return ", ".join(f"{n} {WORDS[verdict]}" for verdict, n in self.counts.items())

    def lines(self) -> list[str]:
        """Return the table as lines of text."""
        rows = [[_short(row[0]), *row[1:]] for row in self._rows()]
        wide = [max(map(len, column)) for column in zip(HEADER, *rows, strict=True)]
        shown = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, wide, strict=True)).rstrip()
            for row in (HEADER, *rows)
        ]
        return [*shown, *self._below()]

    @overload
    def __getitem__(self, at: int) -> CheckedFile: ...
    @overload
    def __getitem__(self, at: slice) -> list[CheckedFile]: ...
    def __getitem__(self, at: int | slice) -> CheckedFile | list[CheckedFile]:
        return self._files[at]

    def __len__(self) -> int:
        return len(self._files)

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        below = "".join(f"<div>{display.cell(line)}</div>" for line in self._below())
        return display.table(HEADER, self._rows()) + below

    def _rows(self) -> list[list[str]]:
        return [row for one in self._files[:SHOWN] for row in one.rows()]

    def _below(self) -> list[str]:
        """Return what is said of all together."""
        left = sum(self.counts.values()) - len(self._files[:SHOWN])
        more = [f"and {left} more"] if left > 0 else []
        images = [image for one in self._files for image in one.images]
        lacking = Counter(key for image in images for key in image["missing"])
        if lacking:
            told = ", ".join(f"{key} ({n})" for key, n in lacking.most_common())
            more.append(f"not known, of how many of {len(images)} images: {told}")
        if self.wrong:
            of = f"mask {', '.join(map(repr, self.masks))} of its microscope" if self.masks else ""
            more += [f"{of or 'to be said'}: {one}" for one in self.wrong]
        return [*more, self.summary()]


def check(
    session: Session,
    path: Path,
    project: str,
    dataset: str,
    tell: Progress | None = None,
    told: Mapping[str, Any] | None = None,
) -> Checked:
    """Say what a file or folder would become; see `Uploads.check`."""
    tell = tell or _silent
    parts, bad = _readable(parts_of(path), tell)
    if not parts:
        return Checked(session, bad)
    said = plain(told or {})
    opened, memory = broken_off.begin(session, project, dataset, "import", parts, False, **said)
    where = f"deposits/{segment(opened['uid'])}"
    try:
        coming = unknown(parts, opened)
        if not coming:
            session.send("DELETE", where)
            return Checked(session, [*bad, *map(_there, opened["there"])])
        broken_off.send(session, where, opened, coming, tell, memory)
        session.send("POST", f"{where}/commit", {"check": True})
        told = _checked(session, where, path.name, tell)
    except BaseException:
        with suppress(CidError):  # what failed first is what the caller must hear
            session.send("DELETE", where)
        raise
    if told["state"] != "open":
        raise from_record(told.get("error") or {"error": "Conflict", "message": "it was given up"})
    report = told["report"]
    read = [CheckedFile(**one) for one in report["files"] if one["verdict"] != "there"]
    counts = dict(report["counts"])
    for one in bad:
        counts[one.verdict] = counts.get(one.verdict, 0) + 1
    return Checked(
        session,
        [*bad, *read, *map(_there, told["there"])],
        sent=sum(part.nbytes for part in coming),
        nbytes=int(report["nbytes"]),
        deposit=str(told["uid"]),
        counts=counts,
        masks=report.get("masks", ()),
        wrong=asked.wrongs(report),
        waits=lambda deposit: asked.keep(
            session, parts, deposit, project=project, dataset=dataset, kind="import"
        ),
    )


def _readable(parts: list[Part], tell: Progress) -> tuple[list[Part], list[CheckedFile]]:
    """Return the files with their digests, and what is wrong with those that cannot be sent."""
    good, bad = [], []
    for part in parts:
        tell(0.0, f"reading {part.file.name}")
        try:
            good.append(hashed(part))
        except (OSError, BadInput) as error:
            reason = getattr(error, "strerror", None) or str(error)
            bad.append(CheckedFile(part.path, "unreadable", [f"it cannot be read here: {reason}"]))
    return good, bad


def _checked(session: Session, where: str, name: str, tell: Progress) -> dict[str, Any]:
    told: dict[str, Any] = {}

    def over() -> bool:
        told.update(session.get(where))
        far = told.get("progress") or {}
        if told["state"] == "importing":
            tell(0.5 + 0.5 * float(far.get("fraction") or 0), str(far.get("text") or "checking"))
        return bool(told["state"] != "importing")

    waiting.until(over, None, f"the check of {name}")
    return told


def _there(one: Mapping[str, Any]) -> CheckedFile:
    place = "/".join(part for part in (one["project"], one["dataset"]) if part)
    return CheckedFile(one["path"], "there", [f"in {place}"], record=one["record"])


def _measures(image: Mapping[str, Any]) -> list[str]:
    """Return size, pixel size, SNR, clipped part, focus and completeness of an image in words."""
    if not image:
        return [""] * 6
    sizes = zip(image["axes"].upper(), image["shape"], strict=True)
    shape = " ".join(f"{axis}{size}" for axis, size in sizes if size > 1 or axis in "YX")
    scale, unit = image["scale"].get("x"), image["units"].get("x", "")
    pixel = f"{scale:.4g} {_UNITS.get(unit, unit)}" if scale else "?"
    channels = (image["quality"] or {}).get("channels") or []
    return [
        f"{shape} {image['dtype']}",
        pixel,
        *(_each(channels, key) for key in ("snr", "saturated", "focus")),
        "" if image["completeness"] is None else f"{image['completeness']:.0%}",
    ]


def _each(channels: Sequence[Mapping[str, Any]], key: str) -> str:
    """Return a measure of every channel."""
    times, unit = (100, " %") if key == "saturated" else (1, "")
    told = ["?" if one[key] is None else f"{one[key] * times:.2g}{unit}" for one in channels]
    return " · ".join(told)


_UNITS = {"micrometer": "µm", "nanometer": "nm", "millimeter": "mm"}


def _short(path: str) -> str:
    return path if len(path) <= LONGEST else f"…{path[1 - LONGEST :]}"


def _silent(fraction: float, text: str) -> None:
    """Tell nobody."""
