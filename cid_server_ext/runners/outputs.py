"""Cuts the outputs of a cell that never stops talking, and says in the cell that it did."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import nbformat
from nbformat import NotebookNode

CELL_BYTES = 8 * 2**20
NOTEBOOK_BYTES = 64 * 2**20
EACH = 200  # what an output takes besides its text
ADDS = frozenset({"stream", "display_data", "execute_result"})
ERROR_CHARACTERS = 100_000


class OutputLimit:
    """Counts the characters a notebook's cells put out."""

    def __init__(self, cell: int = CELL_BYTES, notebook: int = NOTEBOOK_BYTES) -> None:
        self._most_cell, self._most_notebook = cell, notebook
        self._cells: dict[int, int] = defaultdict(int)
        self._cut: set[int] = set()

    def passed(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> dict[str, Any] | None:
        """Return the message as it may enter the cell, or None when the cell has said enough."""
        kind = msg["msg_type"]
        if kind == "clear_output":
            self._cells[cell_index] = 0
        if kind == "error":
            return _shortened(msg)
        if kind not in ADDS:
            return msg
        if cell_index in self._cut:
            return None
        size = _size(msg["content"])
        room = min(
            self._most_cell - self._cells[cell_index],
            self._most_notebook - sum(self._cells.values()),
        )
        if size <= room:
            self._cells[cell_index] += size
            return msg
        self._cut.add(cell_index)
        if kind == "stream" and room > EACH:
            self._cells[cell_index] += room
            begin = msg["content"]["text"][: room - EACH]
            name = msg["content"]["name"]
            cell.outputs.append(nbformat.v4.new_output("stream", name=name, text=begin))
        cell.outputs.append(nbformat.v4.new_output("stream", name="stderr", text=self._notice()))
        return None

    def _notice(self) -> str:
        cell, notebook = self._most_cell // 2**20, self._most_notebook // 2**20
        return (
            f"[the rest of this cell's output was cut: at most {cell} MiB for a cell "
            f"and {notebook} MiB for a notebook are kept]\n"
        )


def _size(content: dict[str, Any]) -> int:
    texts = [content.get("text", ""), *content.get("data", {}).values()]
    return EACH + sum(len(text if isinstance(text, str) else str(text)) for text in texts)


def _shortened(msg: dict[str, Any]) -> dict[str, Any]:
    content = dict(msg["content"])
    content["evalue"] = str(content.get("evalue", ""))[:ERROR_CHARACTERS]
    content["traceback"] = [line[:ERROR_CHARACTERS] for line in content.get("traceback", [])][:200]
    return {**msg, "content": content}
