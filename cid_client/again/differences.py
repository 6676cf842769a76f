"""What differs between two runs, as a notebook shows it; objects are compared when looked at."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .. import display
from ..errors import BadInput, NotFound
from ..records.files import File
from ..records.images import Image
from ..wire.session import Session, segment

if TYPE_CHECKING:
    from ..runs.runs import Run
    from .objects import Objects

AT_ONCE = 1 << 26  # pixels of labels that are read because somebody looks
Both = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class Output:
    """An output of each run that stand for each other; None where a run has none.

    `same`: they have the same bytes.
    """

    kind: str
    name: str
    same: bool
    before: Image | File | None
    after: Image | File | None


class RunDiff:
    """Where two runs are not alike. Values are (before, after); None where one lacks it."""

    def __init__(self, session: Session, told: Mapping[str, Any]) -> None:
        self.session = session
        self.told = dict(told)

    @property
    def same(self) -> bool:
        """Whether both made the same: each output byte for byte, and each metric."""
        return bool(self.told["same"])

    @property
    def parameters(self) -> dict[str, Both]:
        """Values that differ."""
        return self._changes("parameters")

    @property
    def environment(self) -> dict[str, Both]:
        """Packages and whatever else of the place differs."""
        return self._changes("environment")

    @property
    def inputs(self) -> dict[str, Both]:
        """Inputs that differ, by role: their uid, name and sha256."""
        return self._changes("inputs")

    @property
    def metrics(self) -> dict[str, Both]:
        """Metrics that differ."""
        return self._changes("metrics")

    @property
    def code(self) -> list[dict[str, Any]]:
        """Cells of the template that were added, removed or changed, with a diff of their lines."""
        return list(self.told["code"])

    @property
    def outputs(self) -> list[Output]:
        """All outputs in pairs; notebooks and logs, which hold times, are left out."""
        return [
            Output(
                one["kind"],
                one["name"],
                one["same"],
                self._record(one["kind"], one["before"]),
                self._record(one["kind"], one["after"]),
            )
            for one in self.told["outputs"]
        ]

    @cached_property
    def objects(self) -> dict[str, Objects]:
        """What became of the objects of each label image that both made; reads their pixels."""
        return {one.name: objects(one) for one in self._labels()}

    def picture(self, name: str | None = None) -> bytes:
        """Return a PNG of the objects that differ: lost, new, split and merged in colours."""
        from . import picture

        found = {one.name: one for one in self._labels()}
        if not found or (name is not None and name not in found):
            raise NotFound(f"both runs made no labels {name or ''}".rstrip())
        one = found[name] if name is not None else next(iter(found.values()))
        assert isinstance(one.before, Image)
        assert isinstance(one.after, Image)
        return picture.draw(one.before, one.after, self.objects[one.name])

    def __repr__(self) -> str:
        counts = [(len(self.told[word]), word) for word in WORDS]
        differ = [f"{n} {word}" for n, word in counts if n]
        outputs = sum(not one["same"] for one in self.told["outputs"])
        differ += [f"{outputs} outputs"] if outputs else []
        return f"<RunDiff {', '.join(differ) or 'nothing'} differ>"

    def _repr_html_(self) -> str:
        before, after = self.told["before"]["uid"][:8], self.told["after"]["uid"][:8]
        head = ["", f"run {before}…", f"run {after}…"]
        lines = [
            (f"{word}: {name}", *(_short(value) for value in both))
            for word in ("parameters", "inputs", "environment", "metrics")
            for name, both in self._changes(word).items()
        ]
        lines += [
            (f"{one.kind}: {one.name}", *(_there(side) for side in (one.before, one.after)))
            for one in self.outputs
            if not one.same
        ]
        code = "".join(f"<pre>{display.cell(_cell(one))}</pre>" for one in self.code)
        shown = display.table(head, lines) if lines else "<em>nothing else differs</em>"
        return shown + code + self._objects_html()

    def _objects_html(self) -> str:
        labels = [one for one in self._labels() if not one.same]
        if not labels:
            return ""
        if sum(math.prod(_image(one.before).shape) for one in labels) > AT_ONCE:
            return "<em>.objects compares the labels, .picture() draws them</em>"
        try:
            facts = [(one.name, *self.objects[one.name].facts.values()) for one in labels]
            drawn = display.picture(self.picture(labels[0].name), "objects that differ")
        except BadInput as error:
            return f"<em>{display.cell(error)}</em>"
        head = ["objects", *self.objects[labels[0].name].facts]
        return display.table(head, facts) + drawn

    def _labels(self) -> list[Output]:
        return [one for one in self.outputs if one.kind == "labels" and one.before and one.after]

    def _changes(self, word: str) -> dict[str, Both]:
        return {one["name"]: (one["before"], one["after"]) for one in self.told[word]}

    def _record(self, kind: str, told: Mapping[str, Any] | None) -> Image | File | None:
        if told is None:
            return None
        make = Image if kind in ("image", "labels") else File
        return make(self.session, told)


WORDS = ("parameters", "code", "environment", "inputs", "metrics")


def objects(output: Output) -> Objects:
    """Compare the objects of two label images, piece by piece."""
    from . import objects as compared

    sides = [_image(side).to_xarray().data for side in (output.before, output.after)]
    return compared.compare(*sides)


def diff(before: Run | str, after: Run | str) -> RunDiff:
    """Tell what differs between two runs: values, code, environment, inputs, metrics, objects.

    One of them may be a uid. Raises NotFound for a run that one may not see.
    """
    known = next((run for run in (before, after) if not isinstance(run, str)), None)
    if known is None:
        raise BadInput("one of the two is a run, as catalog.runs() lists them")
    one, two = (run if isinstance(run, str) else run.uid for run in (before, after))
    answer = known.session.get(f"runs/{segment(one)}/diff/{segment(two)}")
    return RunDiff(known.session, answer)


def _image(side: Image | File | None) -> Image:
    if not isinstance(side, Image):
        raise BadInput("this output is no image")
    return side


def _there(side: Image | File | None) -> str:
    return "" if side is None else f"{side.name} ({side.sha256[:12]}…)"


def _short(value: Any) -> Any:
    return value.get("name") if isinstance(value, Mapping) else value


def _cell(one: Mapping[str, Any]) -> str:
    place = one["after"] or one["before"]
    return "\n".join([f"cell {place} {one['change']}", *one["lines"]])
