"""What every run can do once more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from ..records.datasets import Dataset
from ..records.images import Image
from ..records.record import Record
from . import differences, replays

if TYPE_CHECKING:
    from ..runs.batch import Batch
    from ..runs.runs import Run
    from .differences import RunDiff
    from .replays import ReplayResult


class Again(Record):
    """The part of a run that makes others like it, and compares them."""

    @property
    def replay_of(self) -> str | None:
        """The uid of the run that this one repeats; None: it is no replay."""
        found: str | None = self.wire("replay_of")
        return found

    def replay(self) -> Self:
        """Run the same once more and return it: the stored version, values and inputs.

        Also of a template that was withdrawn. Raises Conflict for an input that changed.
        """
        return type(self)(self.session, self.session.send("POST", f"{self.path}/replay"))

    def replay_result(self) -> ReplayResult:
        """Tell of a replay whether it made the same as the run that it repeats.

        Raises BadInput for a run that is no replay, Conflict before both have ended with results.
        """
        return replays.result(self)  # type: ignore[arg-type]

    def diff(self, other: Run | str) -> RunDiff:
        """Tell what differs between this run and another."""
        return differences.diff(self, other)  # type: ignore[arg-type]

    def apply_to(self, images: Dataset | Image | str | Iterable[Image | str]) -> Batch:
        """Run the same version with the same values on other images.

        They are a dataset, a query, an image or several; further inputs are those of this run.
        Raises Conflict for a version that was withdrawn, which a replay may still repeat.
        """
        from ..catalog import Catalog
        from ..runs.orders import Order

        catalog = Catalog(self.session)
        chosen: Any = images
        if isinstance(images, Dataset):
            chosen = catalog.search(project=images.project, dataset=images.path)
        elif isinstance(images, str):
            chosen = catalog.search(images)
        template = self.wire("template")
        reference = f"{template['reference']}@{template['version']}"
        further: dict[str, list[str]] = {}
        for given in self.wire("inputs")[1:]:
            further.setdefault(given["role"], []).append(given["uid"])
        return catalog.submit(Order(reference, chosen, self.wire("parameters"), further))
