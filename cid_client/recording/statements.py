"""One statement of what was done: its text, the names it needs, binds and changes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from . import scopes

# calls that change none of their arguments, whatever else they do
QUIET = frozenset({"print", "display", "len", "repr", "type", "help", "dir", "id", "isinstance"})
SHOWS = frozenset({"plot", "imshow", "hist", "show", "head", "tail", "describe", "info", "scatter"})


@dataclass(frozen=True)
class Statement:
    """A top-level statement; `cell` is the number of the cell that it stands in."""

    node: ast.stmt
    lines: tuple[str, ...]  # of the whole cell
    cell: int
    alone: bool  # no other statement is on its lines
    needs: frozenset[str] = field(default=frozenset())
    binds: frozenset[str] = field(default=frozenset())
    changes: frozenset[str] = field(default=frozenset())  # what it had before matters too

    @property
    def certain(self) -> bool:
        """Whether it binds its names whatever they were before."""
        simple = (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom)
        return isinstance(self.node, (*simple, ast.FunctionDef, ast.ClassDef))

    @property
    def target(self) -> str | None:
        """The one plain name that it assigns."""
        node = self.node
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            return node.targets[0].id if isinstance(node.targets[0], ast.Name) else None
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            return node.target.id
        return None


def read(source: str, cell: int) -> list[Statement]:
    """Return the statements of a cell; SyntaxError where it is no Python."""
    return list(of(ast.parse(source).body, source, cell))


def of(body: list[ast.stmt], source: str, cell: int) -> Iterator[Statement]:
    """Yield statements that stand in a source."""
    lines = tuple(source.splitlines())
    for at, node in enumerate(body):
        beside = [body[at - 1]] if at else []
        beside += body[at + 1 : at + 2]
        alone = all(
            other.end_lineno < begin(node) or begin(other) > (node.end_lineno or 0)
            for other in beside
            if other.end_lineno is not None
        )
        needs, binds = scopes.names(node)
        yield Statement(node, lines, cell, alone, needs, binds, frozenset(_changed(node)))


def begin(node: ast.stmt) -> int:
    """Return the line a statement begins on, with its decorators."""
    above: list[int] = [one.lineno for one in getattr(node, "decorator_list", [])]
    return min([node.lineno, *above])


def root(node: ast.expr) -> str | None:
    """Return the name that an expression such as a.b[0].c() hangs on."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call | ast.Starred):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def shown(call: ast.Call) -> str | None:
    """Return what a call draws on, or of what it shows something."""
    drawn = isinstance(call.func, ast.Attribute) and call.func.attr in SHOWS
    return root(call.func) if drawn else None


def _changed(node: ast.stmt) -> Iterator[str]:
    """Yield names whose values it changes in place, or may."""
    for one in ast.walk(node):
        if isinstance(one, ast.Subscript | ast.Attribute) and isinstance(
            one.ctx, ast.Store | ast.Del
        ):
            found = [root(one)]
        elif isinstance(one, ast.AugAssign):
            found = [root(one.target)]
        elif isinstance(one, ast.keyword) and one.arg == "out":
            found = [root(one.value)]
        elif isinstance(one, ast.Expr) and isinstance(one.value, ast.Call):
            found = _given(one.value)
        else:
            continue
        yield from (name for name in found if name)


def _given(call: ast.Call) -> list[str | None]:
    """Return what a call that is a statement of its own may change."""
    called = call.func
    if isinstance(called, ast.Name) and called.id in QUIET:
        return []
    if shown(call) is not None:
        return []
    given = [*call.args, *(word.value for word in call.keywords)]
    return [root(one) for one in (called, *given)]
