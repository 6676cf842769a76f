"""The papermill engine of a run: it tells its progress, can be stopped, and hides no failure."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import KernelManager
from nbclient.exceptions import CellExecutionError
from nbclient.util import run_sync
from nbformat import NotebookNode
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager

from .outputs import OutputLimit
from .watch import Stopped, Watch, group_of
from .worker.log import Log
from .worker.meter import Meter
from .worker.ready import prepare

SAVE_SECONDS = 5.0

Report = Callable[[int, int, str], None]


class ObservedNotebook(NotebookExecutionManager):
    """The notebook while it runs: its state is written by renaming, at most every few seconds."""

    def __init__(self, nb: NotebookNode, save_to: str | None, report: Report) -> None:
        super().__init__(nb, output_path=save_to, progress_bar=False, autosave_cell_every=0)
        self._report = report
        self._code = [index for index, cell in enumerate(nb.cells) if is_code(cell)]
        self._done = 0
        self._saved_at = float("-inf")

    def save(self, *, now: bool = False, **_: Any) -> None:
        """Write the notebook, unless that was done a moment ago; `now` does it anyhow."""
        if self.output_path and (now or time.monotonic() - self._saved_at > SAVE_SECONDS):
            write_atomically(self.nb, Path(self.output_path))
            self._saved_at = time.monotonic()

    def cell_start(self, cell: NotebookNode, cell_index: int | None = None, **kwargs: Any) -> None:
        """Mark the cell as running and report the heading it stands under."""
        super().cell_start(cell, cell_index, **kwargs)
        if is_code(cell):
            self._report(self._done, len(self._code), heading(self.nb, cell_index or 0))

    def cell_complete(
        self, cell: NotebookNode, cell_index: int | None = None, **kwargs: Any
    ) -> None:
        """Mark the cell as completed or failed and report it."""
        super().cell_complete(cell, cell_index, **kwargs)
        if is_code(cell) and cell.metadata.papermill["status"] == self.COMPLETED:
            self._done += 1
            self._report(self._done, len(self._code), heading(self.nb, cell_index or 0))

    def notebook_complete(self, **_: Any) -> None:
        """Stamp the end and write the file; a cell that was not reached stays pending."""
        self.end_time = self.now()
        record = self.nb.metadata.papermill
        record["end_time"] = self.end_time.isoformat()
        record["duration"] = (self.end_time - self.start_time).total_seconds()
        self.save(now=True)


class ObservedClient(PapermillNotebookClient):
    """Executes the cells one by one while a watch may interrupt them."""

    def __init__(
        self,
        notebook: ObservedNotebook,
        watch: Watch,
        meter: Meter,
        folder: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(notebook, raise_on_iopub_timeout=False, **options)
        self._watch, self._meter, self._folder = watch, meter, folder
        self._limit = OutputLimit()
        self._group: int | None = None

    def create_kernel_manager(self) -> KernelManager:
        """Return a manager that speaks with its kernel as ours do."""
        manager = super().create_kernel_manager()
        prepare(manager, self._folder)
        return manager

    def papermill_execute_cells(self) -> None:
        """Execute until the end, the first error, or the watch's word; raise Stopped for that."""
        self._group = group_of(self)
        try:
            run_sync(self._cells)()  # one loop: an entry for each costs half as much as a cell
        finally:
            self._meter.look()

    async def _cells(self) -> None:
        for index, cell in enumerate(self.nb.cells):
            self._watch.raise_if_stopped()
            self.nb_man.cell_start(cell, index)
            try:
                await self.async_execute_cell(cell, index)
            except CellExecutionError as error:
                self.nb_man.cell_exception(cell, cell_index=index, exception=error)
                break
            except Exception:  # the kernel died, perhaps because the watch ended it
                self.nb_man.cell_exception(cell, cell_index=index)
                raise
            finally:
                self.nb_man.cell_complete(cell, cell_index=index)

    def end_group(self) -> None:
        """End what the kernel started and left behind."""
        if self._group is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._group, signal.SIGKILL)

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """Take a kernel's message into the cell, within the limit of its outputs."""
        passed = self._limit.passed(msg, cell, cell_index)
        return super().process_message(passed, cell, cell_index) if passed else None


class ObservedEngine(NBClientEngine):
    """papermill's engine "cid".

    It takes `watch` (who may stop it and when), `report(done, cells, text)`, `save_to` (where the
    notebook is kept while it runs), `meter` (who measures it), `log` (where the kernel's own words
    go), and the kernel's `kernel_env` and `kernel_cwd`.
    """

    @classmethod
    def execute_notebook(
        cls,
        nb: NotebookNode,
        kernel_name: str,
        output_path: str | None = None,
        *,
        watch: Watch | None = None,
        report: Report | None = None,
        save_to: str | None = None,
        meter: Meter | None = None,
        log: Log | None = None,
        kernel_env: Mapping[str, str] | None = None,
        kernel_cwd: str | None = None,
        start_timeout: int = 60,
        **_: Any,
    ) -> NotebookNode:
        """Execute and return the notebook; raise Stopped or DeadKernelError if it was cut short.

        An error in a cell is left in the notebook, where papermill finds and raises it.
        """
        watch, meter = watch or Watch(), meter or Meter()
        notebook = ObservedNotebook(nb, save_to or output_path, report or _silent)
        client = ObservedClient(
            notebook,
            watch,
            meter,
            kernel_cwd,
            kernel_name=kernel_name,
            startup_timeout=start_timeout,
            timeout=None,
        )
        kernel: dict[str, Any] = {} if kernel_env is None else {"env": dict(kernel_env)}
        if kernel_cwd is not None:
            kernel["cwd"] = kernel_cwd
        if log is not None:
            kernel |= {"stdout": log.stderr, "stderr": log.stderr}
        notebook.notebook_start()
        try:
            with watch.over(client), meter.over(client):
                client.execute(**kernel)
        except Exception as error:
            nb.metadata.papermill["exception"] = True
            if watch.why and not isinstance(error, Stopped):
                raise Stopped(watch.why) from error
            raise
        finally:
            client.end_group()
            notebook.notebook_complete()
        return nb


def is_code(cell: NotebookNode) -> bool:
    """Tell whether a cell is executed: code that is not blank."""
    return cell.cell_type == "code" and bool(cell.source.strip())


def heading(nb: NotebookNode, index: int) -> str:
    """Return the last Markdown heading before the cell, or nothing."""
    for cell in reversed(nb.cells[:index]):
        if cell.cell_type == "markdown":
            for line in reversed(cell.source.splitlines()):
                if line.startswith("#"):
                    return line.lstrip("#").strip()
    return ""


def write_atomically(nb: NotebookNode, path: Path) -> None:
    """Write the notebook beside its place and rename it there: a reader sees a whole one."""
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(nbformat.writes(nb), "utf-8")
    os.replace(draft, path)


def _silent(done: int, cells: int, text: str) -> None:
    """Report to nobody."""
