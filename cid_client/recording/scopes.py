"""Which names a statement needs from before, and which it binds: def-use analysis of Python."""

from __future__ import annotations

import ast
import symtable
from collections.abc import Sequence

Names = frozenset[str]
NOTHING: Names = frozenset()


def names(node: ast.stmt) -> tuple[Names, Names]:
    """Return what a statement needs from before it, functions in it included, and what it binds."""
    return _used([node])[0], _table(node)[1]


def _used(nodes: Sequence[ast.stmt]) -> tuple[Names, Names]:
    """Return what a block needs, and what is bound for certain at its end."""
    needs: Names = NOTHING
    bound: Names = NOTHING
    for node in nodes:
        wanted, made = _of(node)
        needs |= wanted - bound
        bound |= made
    return needs, bound


def _of(node: ast.stmt) -> tuple[Names, Names]:
    if isinstance(node, ast.If):
        (one, made), (two, also) = _used(node.body), _used(node.orelse)
        return _of_expression(node.test) | one | two, made & also
    if isinstance(node, ast.For):
        target = _stored(node.target)
        inside = (_used(node.body)[0] | _used(node.orelse)[0]) - target
        return _of_expression(node.iter) | inside, NOTHING
    if isinstance(node, ast.While):
        inside = _used(node.body)[0] | _used(node.orelse)[0]
        return _of_expression(node.test) | inside, NOTHING
    if isinstance(node, ast.With):
        opened = [_of_expression(item.context_expr) for item in node.items]
        called = [_stored(item.optional_vars) for item in node.items if item.optional_vars]
        inside, made = _used(node.body)
        target = NOTHING.union(*called)
        return NOTHING.union(*opened) | (inside - target), made | target
    if isinstance(node, ast.Try):
        blocks = [node.body, *(one.body for one in node.handlers), node.orelse, node.finalbody]
        caught = {one.name for one in node.handlers if one.name}
        known = _used(node.body)[1]
        wanted = _used(node.body)[0].union(*(_used(one)[0] - known for one in blocks[1:]))
        return wanted - caught, _used(node.finalbody)[1]
    return _table(node)


def _of_expression(node: ast.expr) -> Names:
    return _table(ast.Expr(node))[0]


def _stored(node: ast.expr) -> Names:
    return frozenset(one.id for one in ast.walk(node) if isinstance(one, ast.Name))


def _table(node: ast.stmt) -> tuple[Names, Names]:
    """Return what a simple statement needs and binds, as Python's own compiler sees it."""
    table = symtable.symtable(ast.unparse(node), "a cell", "exec")
    needs, binds = set(), set()
    for symbol in table.get_symbols():
        if symbol.is_referenced():
            needs.add(symbol.get_name())
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace():
            binds.add(symbol.get_name())
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        needs.add(node.target.id)
    inner = list(table.get_children())
    while inner:
        child = inner.pop()
        needs |= {symbol.get_name() for symbol in child.get_symbols() if symbol.is_global()}
        inner += child.get_children()
    return frozenset(needs), frozenset(binds)
