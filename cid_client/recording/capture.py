"""Where the code of what was done comes from: the cells of IPython, or the body of a `with`."""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

from ..errors import BadInput
from . import statements
from .statements import Statement

Namespace = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Piece:
    """What was executed, and the names as they were afterwards; `wrong`: why it is left out."""

    statements: list[Statement]
    namespace: Namespace
    wrong: str = ""


class Cells:
    """Hands on each cell that IPython executes, from the next one on."""

    def __init__(self, take: Callable[[Piece], None]) -> None:
        self._take = take
        self._began = False
        self._count = 0
        self._shell: Any = None

    def start(self) -> Namespace:
        """Begin with the next cell and return the names that there are."""
        ipython = sys.modules.get("IPython")
        shell = ipython.get_ipython() if ipython else None
        if shell is None:
            raise BadInput("there are no cells here: write `with cid.record() as steps:`")
        self._shell = shell
        shell.events.register("pre_run_cell", self._before)
        shell.events.register("post_run_cell", self._after)
        return dict(shell.user_ns)

    def stop(self) -> None:
        """Hand on no more."""
        if self._shell is not None:
            self._shell.events.unregister("pre_run_cell", self._before)
            self._shell.events.unregister("post_run_cell", self._after)
            self._shell = None

    def _before(self, _: Any) -> None:
        self._began = True

    def _after(self, result: Any) -> None:
        if not self._began:  # the cell that began the recording
            return
        self._began = False
        self._count += 1
        space, source = self._shell.user_ns, str(result.info.raw_cell)
        piece = cell(source, self._count, space)
        if not result.success and not piece.wrong:
            piece = Piece([], space, f"cell {self._count}: it failed")
        self._take(piece)


def cell(source: str, number: int, namespace: Namespace) -> Piece:
    """Return one cell, or why it is left out."""
    for line in source.splitlines():
        if line.lstrip().startswith(("%", "!", "?")) or line.rstrip().endswith("?"):
            wrong = f"cell {number}: {line.strip()[:40]!r} is IPython, no Python"
            return Piece([], namespace, wrong)
    try:
        return Piece(statements.read(source, number), namespace)
    except SyntaxError as error:
        return Piece([], namespace, f"cell {number}, line {error.lineno}: {error.msg}")


def body(frame: FrameType, line: int) -> Piece:
    """Return the statements below the `with` that began in this line of the frame's source."""
    linecache.checkcache(frame.f_code.co_filename)
    lines = linecache.getlines(frame.f_code.co_filename, frame.f_globals)
    space = {**frame.f_globals, **frame.f_locals}
    source = "".join(lines)
    try:
        found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.With)]
    except SyntaxError:
        found = []
    inner = [node for node in found if node.lineno <= line < node.body[0].lineno]
    if not inner:
        raise BadInput("the source of this `with` is not to be found: record in a notebook")
    whole = max(inner, key=lambda node: node.lineno)
    return Piece(list(_numbered(whole.body, source)), space)


def _numbered(nodes: list[ast.stmt], source: str) -> Iterator[Statement]:
    """Yield the statements; what stands apart by an empty line is another cell."""
    lines = source.splitlines()
    groups: list[list[ast.stmt]] = []
    for node in nodes:
        above = lines[statements.begin(node) - 2].strip() if groups else ""
        after_gap = groups and (not above or above.startswith("#"))
        if not groups or after_gap:
            groups.append([])
        groups[-1].append(node)
    for number, group in enumerate(groups, 1):
        yield from statements.of(group, source, number)
