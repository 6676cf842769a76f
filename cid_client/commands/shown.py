"""How runs and batches look on a terminal: bars that move, or plain lines where nobody looks."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from ..again.differences import RunDiff
from ..errors import one_line
from ..runs.batch import Batch
from ..runs.runs import ENDED, Run
from ..wire import waiting


def wait(what: Run | Batch) -> None:
    """Return when it has ended, or raise RunFailed; Ctrl-C leaves it going."""
    if not sys.stderr.isatty():
        _plainly(what)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f}%"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:
        bar = progress.add_task("queued", total=1.0)

        def ended() -> bool:
            what.refresh()
            progress.update(bar, completed=_fraction(what), description=_said(what))
            return what.record["state"] in ENDED

        waiting.until(ended, None, what.uid)
    _raise(what)


def show(what: Run | Batch) -> None:
    """Print what a person wants to know of it."""
    for name, told in what.facts():
        if told not in ("", None):
            print(f"{name:<12}{told}")
    if isinstance(what, Batch):
        for failure in what.failures:
            where = "" if failure["cell"] is None else f" in cell {failure['cell']}"
            said = f"{failure['error']}{where}: {one_line(failure['message'])}"
            print(f"{'failed':<12}{failure['count']} x {said} ({failure['run']})")


def batches(rows: Iterable[Batch]) -> None:
    """Print a line for each."""
    for row in rows:
        told = row.record
        counts = ", ".join(f"{count} {state}" for state, count in told["counts"].items())
        when = str(told["created_at"])[:16].replace("T", " ")
        print("  ".join((row.uid, when, told["template"]["name"], told["state"], counts)))


def runs(rows: Iterable[Run]) -> None:
    """Print a line for each."""
    for row in rows:
        told = row.record
        names = ", ".join(one["name"] for one in told.get("inputs") or ())
        error = one_line(str((told.get("error") or {}).get("message") or ""))
        print("  ".join(part for part in (row.uid, told["state"], names, error[:80]) if part))


def diff(told: RunDiff) -> None:
    """Print what differs between two runs."""
    for what in ("parameters", "environment", "inputs", "metrics"):
        for name, both in getattr(told, what).items():
            print(f"{what:<12}{name}: {' -> '.join(map(str, both))}")
    for cell in told.code:
        place = cell.get("after") or cell.get("before")
        print(f"{'code':<12}cell {place} {cell['change']}")
        for line in cell.get("lines") or ():
            print(f"{'':<12}{line}")
    for output in told.outputs:
        print(f"{'output':<12}{output.name}: {'same' if output.same else 'differs'}")


def _plainly(what: Run | Batch) -> None:
    last = ""

    def ended() -> bool:
        nonlocal last
        what.refresh()
        if (said := _said(what)) != last:
            last = said
            print(f"{said} {_fraction(what):.0%}", file=sys.stderr, flush=True)
        return what.record["state"] in ENDED

    waiting.until(ended, None, what.uid)
    _raise(what)


def _raise(what: Run | Batch) -> None:
    if (failure := what.failure()) is not None:
        raise failure


def _fraction(what: Run | Batch) -> float:
    told: dict[str, Any] = what.record
    if isinstance(what, Batch):
        return float(told["fraction"])
    if told["state"] in ENDED:
        return 1.0
    return float((told.get("progress") or {}).get("fraction") or 0.0)


def _said(what: Run | Batch) -> str:
    told: dict[str, Any] = what.record
    if isinstance(what, Batch):
        ended = sum(told["counts"].get(state, 0) for state in ENDED)
        failed = told["counts"].get("failed")
        return f"{told['state']}: {ended} of {told['runs']} ended" + (
            f", {failed} failed" if failed else ""
        )
    progress = told.get("progress") or {}
    cell = f"cell {progress['cell']} of {progress['cells']}" if progress.get("cells") else ""
    return ": ".join(part for part in (told["state"], cell) if part)
