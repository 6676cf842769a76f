"""Records interactive work, and writes it as a notebook that does the same to any image."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from ..errors import BadInput, Conflict
from ..runs.outputs import NAME
from . import capture, known, writing
from .capture import Cells, Piece
from .drafting import Draft, Drafting
from .known import Known
from .statements import Statement

RECORDED = "Recorded from interactive work."


class Recording:
    """The steps since it began. `left_out` says which cells it could not take, and why.

    By `labels`, `image`, `table`, `figure`, `file` and `metric` one says what came out, with the
    arguments of a run's outputs; nothing is written until there is a run.
    """

    def __init__(self) -> None:
        self.left_out: list[str] = []
        self._made: list[tuple[str, str]] = []
        self._statements: list[Statement] = []
        self._known: dict[int, dict[str, Known]] = {}
        self._before: dict[str, Known] | None = None
        self._cells: Cells | None = None
        self._within: tuple[FrameType, int] | None = None

    def start(self) -> Self:
        """Record each cell of this notebook from the next one on, until `stop()`."""
        if self._before is not None:
            raise Conflict("this recording has begun already: cid.record() makes another")
        cells = Cells(self._take)
        space = cells.start()
        self._cells, self._before = cells, known.of(space, space)
        return self

    def stop(self) -> Self:
        """Record no more; what was recorded can be written as often as one likes."""
        if self._cells is not None:
            self._cells.stop()
            self._cells = None
        return self

    def __enter__(self) -> Self:
        if self._before is not None:
            raise Conflict("this recording has begun already: cid.record() makes another")
        frame = sys._getframe(1)
        space = {**frame.f_globals, **frame.f_locals}
        self._before = known.of(space, space)
        self._within = (frame, frame.f_lineno)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._within is not None:
            frame, line = self._within
            self._within = None
            if kind is None:
                self._take(capture.body(frame, line))

    def labels(self, name: str, array: Any, **more: Any) -> None:
        """Say that these labels came out."""
        self._say("labels", name)

    def image(self, name: str, array: Any, **more: Any) -> None:
        """Say that this image came out."""
        self._say("image", name)

    def table(self, name: str, rows: Any, **more: Any) -> None:
        """Say that this table came out."""
        self._say("table", name)

    def figure(self, name: str, figure: Any, **more: Any) -> None:
        """Say that this figure came out."""
        self._say("figure", name)

    def file(self, path: str | os.PathLike[str], *, name: str | None = None, **more: Any) -> None:
        """Say that this file came out."""
        self._say("file", name or Path(path).name)

    def metric(self, name: str, value: bool | int | float | str) -> None:
        """Say that this number, text or truth value came out."""
        self._say("metric", name)

    def draft(self) -> Draft:
        """Return what would be written: parameters and cells; BadInput says what is in the way."""
        if self._cells is not None or self._within is not None:
            raise Conflict("it still records: stop() first, or leave its `with`")
        if not self._statements:
            told = f" ({self.left_out[0]})" if self.left_out else ""
            raise BadInput(f"nothing was recorded{told}")
        found = Drafting(self._statements, self._known, self._before or {}).draft()
        self.left_out += [one for one in found.left_out if one not in self.left_out]
        return found

    def notebook(self, path: str | os.PathLike[str], *, title: str = "") -> Path:
        """Write the notebook alone; it runs by hand, and as a template's. Returns its path."""
        target = Path(path)
        made = writing.notebook(self.draft(), title or target.stem, RECORDED)
        return writing.write(target.parent, {target.name: made}) / target.name

    def template(
        self, folder: str | os.PathLike[str], *, title: str = "", summary: str = RECORDED
    ) -> Path:
        """Write a folder that can be published, called as the template will be; return it."""
        target = Path(folder)
        draft, called = self.draft(), title or target.name.replace("-", " ").capitalize()
        files = {
            "template.toml": writing.manifest(draft, target.name, called, summary, self._made),
            "template.ipynb": writing.notebook(draft, called, summary),
            "README.md": f"# {called}\n\n{summary} It was recorded on `{draft.image.name}`.\n",
        }
        return writing.write(target, files)

    def __repr__(self) -> str:
        cells = len({one.cell for one in self._statements})
        left = f", {len(self.left_out)} left out" if self.left_out else ""
        return f"<Recording {cells} cells, {len(self._made)} outputs{left}>"

    def _say(self, kind: str, name: str) -> None:
        if not NAME.fullmatch(name):
            raise BadInput(f"name {name!r}: use letters, digits, space, dash, underscore and dot")
        if self._before is None:
            raise Conflict("it does not record: start() first, or use it in a `with`")
        if (kind, name) not in self._made:
            self._made.append((kind, name))

    def _take(self, piece: Piece) -> None:
        if piece.wrong:
            self.left_out.append(piece.wrong)
            return
        self._statements += piece.statements
        for statement in piece.statements:
            names = statement.needs | statement.binds
            here = self._known.setdefault(statement.cell, {})
            here |= known.of(names, piece.namespace)


def record() -> Recording:
    """Record interactive work: `with cid.record() as steps:`, or `start()` and `stop()` it."""
    return Recording()
