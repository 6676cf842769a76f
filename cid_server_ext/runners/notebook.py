"""Executes one notebook with its parameters as data, and says in one record how it ended."""

from __future__ import annotations

import json
import keyword
import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from .engine import Report, is_code
from .watch import CANCELLED, TOO_LONG, Stopped, Watch
from .worker.log import Log
from .worker.meter import Meter

EXECUTED = "executed.ipynb"
STARTUP = Path(__file__).parent / "worker" / "startup.py"
MESSAGE_CHARACTERS = 500
ERROR_TAG = "papermill-error-cell-tag"


@dataclass
class Outcome:
    """How a notebook ended: done, failed or cancelled, with the error and the cell it struck."""

    state: str
    error: dict[str, Any] | None = None
    environment: dict[str, Any] = field(default_factory=dict)

    def failed(self, error: dict[str, Any]) -> Outcome:
        """Return the same, failed for another reason."""
        return replace(self, state="failed", error=error)


def execute(
    work: Mapping[str, Any],
    scratch: Path,
    watch: Watch,
    report: Report,
    kernel_env: Mapping[str, str],
    *,
    meter: Meter | None = None,
    log: Log | None = None,
) -> Outcome:
    """Execute the work's notebook below `scratch` and leave it there as executed.ipynb.

    `meter` measures it, `log` takes what its kernel says besides.
    Raises nothing that the notebook, its kernel or the watch can cause: that is the Outcome.
    """
    source, executed = scratch / "template.ipynb", scratch / EXECUTED
    source.write_text(work["notebook"], "utf-8")
    (scratch / "outputs").mkdir()
    if ipython := kernel_env.get("IPYTHONDIR"):
        _begin_quietly(Path(ipython))
    try:
        papermill.execute_notebook(
            source,
            executed,
            parameters=plain(work["parameters"]),
            engine_name="cid",
            kernel_name=work["kernel"],
            language=missing_language(work["notebook"]),
            progress_bar=False,
            autosave_cell_every=0,
            request_save_on_cell_execute=False,
            watch=watch,
            report=report,
            meter=meter,
            log=log,
            save_to=str(executed),
            kernel_env=kernel_env,
            kernel_cwd=str(scratch),
        )
    except Exception as error:
        cell = failing_cell(executed)
        if not executed.exists():  # it never began
            executed.write_text(work["notebook"], "utf-8")
        return _ended_by(error, watch, work, cell)
    if watch.why:
        return _ended_by(Stopped(watch.why), watch, work, None)
    return Outcome("done")


def _begin_quietly(ipython: Path) -> None:
    """Leave for a Python kernel what limits its output at the source."""
    folder = ipython / "profile_default" / "startup"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(STARTUP, folder / "00-cid.py")


def missing_language(notebook: str) -> str | None:
    """Return python for a notebook that does not name its language, as one never opened does."""
    about = json.loads(notebook).get("metadata", {})
    named = about.get("kernelspec", {}).get("language") or about.get("language_info")
    return None if named else "python"


def plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters if each is a name and a plain value; raise ValueError otherwise.

    The catalog has checked them against the manifest; here nothing but a literal can become code.
    """
    for name, value in parameters.items():
        if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
            raise ValueError(f"{name!r} is no name for a parameter")
        if type(value) not in (bool, int, float, str):
            raise ValueError(f"parameter {name} is no number, text or boolean")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"parameter {name} is not finite")
    return dict(parameters)


def failing_cell(executed: Path) -> int | None:
    """Return which code cell failed, counted from 1 as the progress counts, or None."""
    if not executed.exists():
        return None
    cells = [cell for cell in nbformat.read(executed, as_version=4).cells if is_code(cell)]
    for number, cell in enumerate(cells, 1):
        if cell.metadata.get("papermill", {}).get("status") == "failed":
            return number
    return None


def _ended_by(error: Exception, watch: Watch, work: Mapping[str, Any], cell: int | None) -> Outcome:
    if watch.why == CANCELLED:
        return Outcome("cancelled", _told("Cancelled", "cancelled while it ran", cell))
    if watch.why == TOO_LONG:
        limit = f"it ran longer than its limit of {work['wall_seconds']} s"
        look = "" if cell is None else f"; cell {cell} was at work: look at that"
        longer = f"{limit}{look}, or publish it with a larger wall_seconds"
        return Outcome("failed", _told("WallTime", longer, cell))
    if isinstance(error, PapermillExecutionError):
        return Outcome("failed", _told(error.ename, error.evalue, cell))
    if isinstance(error, DeadKernelError):
        died = "its kernel died, often for want of memory: try a smaller image"
        return Outcome("failed", _told("KernelDied", died, cell))
    return Outcome("failed", _told(type(error).__name__, str(error), cell))


def _told(name: str, message: str, cell: int | None) -> dict[str, Any]:
    line = " ".join(message.split())[:MESSAGE_CHARACTERS]
    return {"error": name, "message": line, "cell": cell}
