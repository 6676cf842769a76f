"""What was recorded, made a notebook of: input, parameters, the steps that count, outputs."""

from __future__ import annotations

import ast
import builtins
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import BadInput
from ..records.images import Image
from . import rendering, slicing, statements
from .known import Known
from .parameters import IDENTIFIER, Chooser, Parameter, assigned, literal
from .rendering import Instead
from .statements import Statement

OUTPUTS = frozenset({"labels", "image", "table", "figure", "file", "metric"})
SECRET = re.compile(r"token|secret|passw|api_?key|credential", re.IGNORECASE)
FIGURE = "the figure of matplotlib"  # which its functions draw on, unnamed
NAMED = frozenset({"module", "importable", "image", "recording", "catalog"})


@dataclass(frozen=True, slots=True)
class Draft:
    """The parts of a notebook; `cells` are the steps, `setup` what stands before them."""

    image: Image
    parameters: list[Parameter]
    setup: list[str]
    cells: list[str]
    metrics: list[str] = field(default_factory=list)  # tags that were computed
    left_out: list[str] = field(default_factory=list)


class Drafting:
    """Makes one draft of statements and of what their names were."""

    def __init__(
        self,
        recorded: Sequence[Statement],
        known: Mapping[int, Mapping[str, Known]],
        before: Mapping[str, Known],
    ) -> None:
        self._statements = recorded
        self._known = known  # by cell: names as they were after it
        self._before = before
        self._every = {**before}
        for names in known.values():
            self._every |= names
        self._images: dict[str, Image] = {}
        self._metrics: list[str] = []
        self._left_out: list[str] = []

    def draft(self) -> Draft:
        """Return the draft, or raise BadInput saying what stands in the way."""
        defined = {
            statement.node.name
            for statement in self._statements
            if isinstance(statement.node, ast.FunctionDef | ast.ClassDef)
        }
        fixed = {name for name, one in self._every.items() if one.kind in NAMED} | defined
        drawn = [self._drawn(statement) for statement in self._statements]
        kept, outside = slicing.backwards(drawn, self._is_output, self._is_input, frozenset(fixed))
        if not any(self._is_output(one) for one in kept):
            raise BadInput('say what came out, such as steps.labels("cells", labels)')
        for statement in kept:
            self._refuse(statement)
        taken = frozenset(name for one in kept for name in one.needs | one.binds)
        chooser = Chooser(taken, self._resolve)
        setup = list(self._outside(outside, chooser))
        inside, cells = self._cells(kept, chooser, frozenset(defined))
        images = {image.uid: image for image in self._images.values()}
        if not images:
            raise BadInput("no image was opened: give it a name, such as image = found[0]")
        if len(images) > 1:
            names = ", ".join(image.name for image in images.values())
            raise BadInput(f"a template runs on one image, these are {names}: record with one")
        setup = list(dict.fromkeys([*inside, *setup]))
        [image] = images.values()
        return Draft(image, chooser.found, setup, cells, self._metrics, self._left_out)

    def _cells(
        self, kept: Sequence[Statement], chooser: Chooser, functions: frozenset[str]
    ) -> tuple[list[str], list[str]]:
        """Return the imports, and the text of each cell."""
        often = Counter(name for one in kept for name in one.binds | one.changes)
        imports: list[str] = []
        cells: dict[int, list[str]] = {}
        for statement in kept:
            value = assigned(statement, often)
            if isinstance(statement.node, ast.Import | ast.ImportFrom):
                imports.append(ast.unparse(statement.node))
            elif value is not None:
                chooser.keep(*value, "")
            else:
                said = self._text(statement, chooser, functions)
                cells.setdefault(statement.cell, []).extend(said)
        return imports, ["\n".join(lines) for lines in cells.values() if lines]

    def _text(self, statement: Statement, chooser: Chooser, functions: frozenset[str]) -> list[str]:
        if self._is_input(statement):
            name = str(statement.target)
            self._images[name] = self._at(statement, name).said
            return [f"{name} = run.input"]
        instead = [Instead(one.node, one.name) for one in chooser.edits(statement, functions)]
        if (call := self._tag(statement)) is not None:
            return list(self._metrics_of(call, instead, statement.cell))
        instead += [Instead(call.func.value, "run.outputs") for call in self._calls(statement)]
        return [rendering.text(statement, instead)]

    def _metrics_of(self, call: ast.Call, instead: Sequence[Instead], cell: int) -> Iterator[str]:
        """Yield a metric for each tag that was computed: it tags what the run makes."""
        for name, value in _tags(call):
            if literal(value) is not None:
                why = f"cell {cell}: the tag {name} was said, not computed: tag the results by hand"
                self._left_out.append(why)
                continue
            names = [one for one in instead if one.node is value]
            said = names[0].text if names else ast.unparse(value)
            self._metrics.append(name)
            yield f"run.outputs.metric({name!r}, {said})"

    def _outside(self, names: frozenset[str], chooser: Chooser) -> Iterator[str]:
        """Yield the lines that make names which were there before it began."""
        recordings = {name for name, one in self._every.items() if one.kind == "recording"}
        for name in sorted(names - {*dir(builtins), FIGURE} - recordings):
            one = self._before.get(name)
            if one is not None and one.kind == "image":
                self._images[name] = one.said
                yield f"{name} = run.input"
            elif one is not None and one.kind in ("module", "importable"):
                yield one.said
            elif one is not None and one.kind == "value" and IDENTIFIER.fullmatch(name):
                chooser.keep(name, one.said, "")
            else:
                what = f"({one.said}) was there" if one is not None else "was made"
                raise BadInput(
                    f"{name} {what} before the recording, or by a cell that was left out:"
                    " record what makes it too"
                )

    def _refuse(self, statement: Statement) -> None:
        """Raise BadInput for what a run may not do, or should not show."""
        where = f"cell {statement.cell}"
        if not self._is_input(statement) and self._tag(statement) is None:
            for name in sorted(statement.needs):
                if self._at(statement, name).kind == "catalog":
                    raise BadInput(
                        f"{where} asks the catalog ({name}), a run opens its input alone: "
                        "give the image a name of its own, such as image = found[0]"
                    )
        for node in ast.walk(statement.node):
            pairs = [(word.arg, word.value) for word in getattr(node, "keywords", [])]
            if isinstance(node, ast.Assign):
                pairs += [(ast.unparse(target), node.value) for target in node.targets]
            for name, value in pairs:
                if SECRET.search(name or "") and isinstance(literal(value), str):
                    raise BadInput(f"{where}: {name} looks like a secret: it is never recorded")

    def _drawn(self, statement: Statement) -> Statement:
        """Return it with what it draws on as changed, and a figure as in need of that."""
        changes, needs = set(statement.changes), set(statement.needs)
        for node in ast.walk(statement.node):
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                name = statements.root(node.value.func) or ""
                one = self._at(statement, name)
                if getattr(one.value, "__name__", "").startswith("matplotlib"):
                    changes.add(FIGURE)
                elif statements.shown(node.value) and str(one.said).startswith(("Axes", "Figure")):
                    changes |= {name, FIGURE}
        if any(call.func.attr == "figure" for call in self._calls(statement)):
            needs.add(FIGURE)
        return replace(statement, changes=frozenset(changes), needs=frozenset(needs))

    def _is_input(self, statement: Statement) -> bool:
        name = statement.target
        return name is not None and self._at(statement, name).kind == "image"

    def _is_output(self, statement: Statement) -> bool:
        call = self._tag(statement)
        if call is not None:
            return any(literal(value) is None for _, value in _tags(call))
        return bool(self._calls(statement))

    def _tag(self, statement: Statement) -> ast.Call | None:
        """Return the call where a statement tags the image."""
        call = getattr(statement.node, "value", None)
        if not isinstance(statement.node, ast.Expr) or not isinstance(call, ast.Call):
            return None
        called = call.func
        if not isinstance(called, ast.Attribute) or called.attr != "tag":
            return None
        name = called.value.id if isinstance(called.value, ast.Name) else ""
        return call if self._at(statement, name).kind == "image" else None

    def _calls(self, statement: Statement) -> list[Any]:
        """Return the calls by which a statement says what came out."""
        return [
            call
            for call in ast.walk(statement.node)
            if isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr in OUTPUTS
            and isinstance(call.func.value, ast.Name)
            and self._at(statement, call.func.value.id).kind == "recording"
        ]

    def _at(self, statement: Statement, name: str) -> Known:
        """Return what a name was after a statement's cell."""
        nothing = Known("other")
        return self._known.get(statement.cell, {}).get(name) or self._before.get(name, nothing)

    def _resolve(self, path: str) -> Any:
        """Return the function that a dotted name means, or None."""
        first, *rest = path.split(".")
        value = self._every[first].value if first in self._every else None
        for part in rest:
            value = getattr(value, part, None)
        return value


def _tags(call: ast.Call) -> list[tuple[str, ast.expr]]:
    found = [(word.arg, word.value) for word in call.keywords if word.arg]
    for given in call.args:
        if isinstance(given, ast.Dict):
            pairs = zip(given.keys, given.values, strict=True)
            found += [(str(literal(k)), v) for k, v in pairs if k is not None]
    return found
