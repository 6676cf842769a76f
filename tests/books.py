"""Notebooks for tests: made from their cells' source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat

from cid_server_ext.runners import environ, notebook
from cid_server_ext.runners.watch import Watch


def book(*cells: str, parameters: str | None = None) -> str:
    """Return a notebook as JSON; a cell that begins with # is Markdown."""
    made = [
        nbformat.v4.new_markdown_cell(source)
        if source.startswith("#")
        else nbformat.v4.new_code_cell(source)
        for source in cells
    ]
    if parameters is not None:
        made.insert(0, nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.writes(nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel}))


def execute(
    folder: Path,
    source: str,
    parameters: dict[str, Any] | None = None,
    watch: Watch | None = None,
    report: Any = lambda *told: None,
    environment: dict[str, str] | None = None,
) -> tuple[notebook.Outcome, Any]:
    """Execute as a worker does and return how it ended and the executed notebook."""
    import os

    work = {
        "notebook": source,
        "kernel": "python3",
        "parameters": parameters or {},
        "wall_seconds": 60,
    }
    kernel = {**environ.inherited(os.environ), "IPYTHONDIR": str(folder / "ipython")}
    outcome = notebook.execute(
        work, folder, watch or Watch(60), report, kernel | (environment or {})
    )
    return outcome, nbformat.read(folder / notebook.EXECUTED, as_version=4)


def text_of(executed: Any) -> str:
    """Return everything the notebook printed or showed as text."""
    shown = []
    for cell in executed.cells:
        for output in cell.get("outputs", ()):
            shown.append(output.get("text") or output.get("data", {}).get("text/plain", ""))
    return "".join(shown)


def statuses(executed: Any) -> list[str]:
    """Return what papermill says of each cell, without the banners it puts in."""
    return [
        cell.metadata.papermill.status
        for cell in executed.cells
        if cell.cell_type == "code" and "papermill" in cell.metadata
    ]
