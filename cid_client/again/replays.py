"""What became of a replay: the same bytes, the same pixels, or which objects differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import display
from ..errors import BadInput, Conflict
from ..records.files import File
from ..records.images import Image
from . import differences
from .differences import Output, RunDiff

if TYPE_CHECKING:
    import pandas as pd

    from ..runs.runs import Run


@dataclass(frozen=True, slots=True)
class Judged:
    """One output of both: whether it says the same, and how that is known or what differs."""

    kind: str
    name: str
    same: bool
    told: str


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """Whether a run gave the same once more; `outputs` say it of each, `difference` the rest."""

    run: str
    same: bool
    outputs: list[Judged]
    difference: RunDiff

    def __bool__(self) -> bool:
        return self.same

    def __repr__(self) -> str:
        if self.same:
            return f"<ReplayResult the same: {len(self.outputs)} outputs>"
        wrong = [f"{one.name}: {one.told}" for one in self.outputs if not one.same]
        wrong += [f"metric {name}: {a} and {b}" for name, (a, b) in self._metrics()]
        return f"<ReplayResult differs: {'; '.join(wrong)}>"

    def _repr_html_(self) -> str:
        lines = [(one.kind, one.name, "same" if one.same else "differs", one.told)
                 for one in self.outputs]  # fmt: skip
        return display.table(["kind", "output", "", "how"], lines) + self.difference._repr_html_()

    def _metrics(self) -> list[tuple[str, tuple[Any, Any]]]:
        return list(self.difference.metrics.items())


def result(run: Run) -> ReplayResult:
    """Compare a replay that has ended with the run that it repeats.

    Bytes are compared by the catalog; where they differ, pixels and values are read and compared
    here. Raises BadInput for a run that is no replay, Conflict before both have ended with results.
    """
    answer: Mapping[str, Any] = run.session.get(f"{run.path}/comparison")
    if answer["verdict"] == "no replay":
        raise BadInput(f"run {run.uid}: {answer['text']}")
    if answer["difference"] is None:
        raise Conflict(f"run {run.uid}: {answer['text']}")
    found = RunDiff(run.session, answer["difference"])
    judged = [_judged(one) for one in found.outputs]
    same = not found.metrics and all(one.same for one in judged)
    return ReplayResult(run.uid, same, judged, found)


def _judged(one: Output) -> Judged:
    if one.same:
        return Judged(one.kind, one.name, True, "the same bytes")
    if one.before is None or one.after is None:
        only = "the replay" if one.before is None else "the original"
        return Judged(one.kind, one.name, False, f"only {only} made it")
    same, told = _read(one)
    return Judged(one.kind, one.name, same, told)


def _read(one: Output) -> tuple[bool, str]:
    """Return whether two outputs of other bytes say the same, and how."""
    before, after = one.before, one.after
    try:
        if isinstance(before, Image) and isinstance(after, Image):
            differ, most = _pixels(before, after)
            if not differ:
                return True, "the same pixels"
            if one.kind == "labels":
                return False, str(differences.objects(one))
            return False, f"{differ} pixels differ, by up to {most:g}"
        if one.kind == "table" and isinstance(before, File) and isinstance(after, File):
            columns = _columns(before.to_pandas(), after.to_pandas())
            return (not columns), ", ".join(columns) or "the same values"
    except BadInput as error:  # other shapes
        return False, str(error)
    return False, "other bytes"


def _pixels(before: Image, after: Image) -> tuple[int, float]:
    """Return how many pixels differ, and by how much at most; a NaN is like a NaN."""
    import numpy as np

    from . import blocks

    many, most = 0, 0.0
    for one, two in blocks.pairs(before.to_xarray().data, after.to_xarray().data):
        differ = one != two
        if one.dtype.kind == two.dtype.kind == "f":
            differ &= ~(np.isnan(one) & np.isnan(two))
        if differ.any():
            many += int(differ.sum())
            apart = np.abs(one[differ].astype(np.float64) - two[differ].astype(np.float64))
            most = max(most, float(np.nanmax(apart, initial=0.0)))
    return many, most


def _columns(before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    """Return a sentence for each column that differs."""
    if len(before) != len(after):
        return [f"{len(before)} rows and {len(after)} rows"]
    told = [
        f"column {name} in one only" for name in before.columns.symmetric_difference(after.columns)
    ]
    for name in before.columns.intersection(after.columns):
        one, two = before[name].reset_index(drop=True), after[name].reset_index(drop=True)
        if not one.equals(two):
            rows = int(((one != two) & ~(one.isna() & two.isna())).sum())
            told.append(f"column {name}: {rows} of {len(one)} values differ")
    return told
