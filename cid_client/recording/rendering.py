"""A statement as text again: as it was written, with names where chosen numbers stood."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from .statements import Statement, begin


@dataclass(frozen=True, slots=True)
class Instead:
    """An expression, and what stands in its place."""

    node: ast.expr
    text: str


def text(statement: Statement, instead: Sequence[Instead] = ()) -> str:
    """Return the statement with its comments; written anew where it shares a line with another."""
    if not statement.alone or _runs_over(statement, instead):
        return _anew(statement, instead)
    node = statement.node
    first, last = begin(node), node.end_lineno or begin(node)
    lines = [line.encode() for line in statement.lines]
    for one in sorted(
        instead, key=lambda one: (one.node.lineno, one.node.col_offset), reverse=True
    ):
        line = lines[one.node.lineno - 1]
        at, end = one.node.col_offset, one.node.end_col_offset or 0
        lines[one.node.lineno - 1] = line[:at] + one.text.encode() + line[end:]
    while first > 1 and lines[first - 2].lstrip().startswith(b"#"):
        first -= 1
    return textwrap.dedent(b"\n".join(lines[first - 1 : last]).decode())


def _runs_over(statement: Statement, instead: Sequence[Instead]) -> bool:
    """Whether lines cannot be cut and moved left: a text or a number over several of them."""
    texts = [
        one
        for one in ast.walk(statement.node)
        if isinstance(one, ast.Constant | ast.JoinedStr) and one.lineno != one.end_lineno
    ]
    moved = bool(statement.node.col_offset) and bool(texts)
    return moved or any(one.node.lineno != one.node.end_lineno for one in instead)


def _anew(statement: Statement, instead: Sequence[Instead]) -> str:
    by_node = {id(one.node): one.text for one in instead}

    class Swap(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            if id(node) in by_node:
                return ast.parse(by_node[id(node)], mode="eval").body
            return self.generic_visit(node)

    whole = ast.Module([statement.node], [])
    copied = ast.parse(ast.unparse(whole)) if not by_node else None
    return ast.unparse(copied or Swap().visit(whole))
