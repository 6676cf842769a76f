"""What views share that change something: one line that says what was done, and Undo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets as t

from .catalog import Step
from .view import View


class Changing(View):
    """A view whose last change is told in `done`, and taken back by `undo()`.

    `done` is None, or {text, undo}: what was done, and whether it can be taken back. What goes
    wrong is one line in `error`.
    """

    done: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)
    error = t.Unicode().tag(sync=True)

    _step: Step | None = None

    def refresh(self) -> None:
        """Read again what is shown."""
        raise NotImplementedError

    def undo(self) -> None:
        """Take back the last change, and read again what is shown."""
        with self.turn:
            with self.telling("error"):
                if self._step is not None:
                    self._step.undo()
                    self.did("Taken back.")
            if not self.error:
                self.refresh()

    def did(self, text: str, step: Step | None = None) -> None:
        """Say what was done; with a step it can be taken back."""
        self._step = step if step is not None and step.entry is not None else None
        self.done = {"text": text, "undo": self._step is not None}

    def answer_undo(self, _: Mapping[str, Any]) -> None:
        """Take back the last change."""
        self.undo()

    def answer_refresh(self, _: Mapping[str, Any]) -> None:
        """Read again what is shown."""
        self.refresh()

    def _heard(self, view: View, asked: Any, buffers: object) -> None:
        """Answer, and say so also where nothing has changed: to which question, by its `mark`."""
        super()._heard(view, asked, buffers)
        self.tell("answered", **{key: asked[key] for key in ("mark",) if key in asked})
