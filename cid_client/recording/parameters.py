"""Numbers that a person chose become parameters, called as the function calls them."""

from __future__ import annotations

import ast
import builtins
import inspect
import keyword
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import known
from .statements import Statement, root

IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,39}")
# arguments that say where, not how much
PLACES = frozenset(
    {
        "axis",
        "axes",
        "dim",
        "dims",
        "ndim",
        "level",
        "index",
        "dtype",
        "dpi",
        "n_jobs",
        "num_workers",
    }
)
ARRAYS = frozenset(
    {"builtins", "numpy", "pandas", "xarray", "dask", "matplotlib", "cid_client", "os", "pathlib"}
)
"""Whose numbers are part of the code: shapes, places, dtypes."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One of the notebook's parameters."""

    name: str
    type: str  # as a template's manifest has them
    default: Any
    help: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A literal and the name that takes its place."""

    node: ast.expr
    name: str


class Chooser:
    """Gives each chosen number a name of its own."""

    def __init__(self, taken: frozenset[str], resolve: Callable[[str], Any]) -> None:
        self._taken = set(taken) | set(dir(builtins)) | set(keyword.kwlist) | {"run", "cid"}
        self._resolve = resolve
        self.found: list[Parameter] = []

    def keep(self, name: str, value: Any, why: str) -> None:
        """Take a name that was assigned a plain value, as it is."""
        self.found.append(Parameter(name, _type(value), value, why))

    def edits(self, statement: Statement, functions: frozenset[str]) -> Iterator[Edit]:
        """Yield the literals of a statement that become parameters; `functions` are its own."""
        for node in ast.walk(statement.node):
            if isinstance(node, ast.Call):
                yield from self._of_call(node, functions)
            elif isinstance(node, ast.Compare) and len(node.ops) == 1:
                value = literal(node.comparators[0])
                if isinstance(node.ops[0], ORDER) and _number(value) and value not in (0, 1):
                    about = ast.unparse(node)[:80]
                    yield self._edit(node.comparators[0], "threshold", value, about, "number")

    def _of_call(self, call: ast.Call, functions: frozenset[str]) -> Iterator[Edit]:
        if isinstance(call.func, ast.Attribute) and call.func.attr == "isel":
            for word in call.keywords:
                value = literal(word.value)
                if word.arg == "c" and type(value) is int and value >= 0:
                    yield self._edit(word.value, "channel", value, "its number or name", "channel")
            return
        called = ast.unparse(call.func)
        if called not in functions and not self._is_filter(call.func):
            return
        for name, node in self._arguments(call, called):
            value = literal(node)
            if _number(value) and name not in PLACES and IDENTIFIER.fullmatch(name.lower()):
                yield self._edit(node, name.lower(), value, f"{name} of {called}")

    def _arguments(self, call: ast.Call, called: str) -> Iterator[tuple[str, ast.expr]]:
        yield from ((word.arg, word.value) for word in call.keywords if word.arg)
        try:
            names = list(inspect.signature(self._resolve(called)).parameters)
        except (TypeError, ValueError):
            return
        if not any(isinstance(one, ast.Starred) for one in call.args):
            yield from zip(names, call.args, strict=False)

    def _is_filter(self, called: ast.expr) -> bool:
        """Whether it is a function of some library for images, not of one for arrays."""
        if root(called) is None:
            return False
        module = getattr(self._resolve(ast.unparse(called)), "__module__", None)
        return isinstance(module, str) and module.split(".")[0] not in ARRAYS | {"__main__"}

    def _edit(
        self, node: ast.expr, wanted: str, value: Any, why: str, kind: str | None = None
    ) -> Edit:
        name, again = wanted, 1
        while name in self._taken:
            again += 1
            name = f"{wanted}_{again}"
        self._taken.add(name)
        self.found.append(Parameter(name, kind or _type(value), value, why))
        return Edit(node, name)


ORDER = (ast.Gt, ast.GtE, ast.Lt, ast.LtE)


def literal(node: ast.expr) -> Any:
    """Return the value of a plain literal, None for all else."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return None
    return value if known.plain(value) else None


def assigned(statement: Statement, often: Mapping[str, int]) -> tuple[str, Any] | None:
    """Return name and value where a statement gives a plain value to a name, once and for all."""
    name = statement.target
    value = getattr(statement.node, "value", None)
    if name is None or often.get(name) != 1 or not IDENTIFIER.fullmatch(name):
        return None
    said = literal(value) if value is not None else None
    return None if said is None else (name, said)


def _number(value: Any) -> bool:
    return type(value) in (int, float)


def _type(value: Any) -> str:
    return {bool: "boolean", int: "integer", float: "number", str: "text"}[type(value)]
