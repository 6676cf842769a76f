"""Images in place in another form, for batch downloads. Limited children read the foreign bytes."""

from __future__ import annotations

import base64
import binascii
import json
import threading
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import BadFile, BadInput, CidError
from ..storage.afar import Doubted
from ..storage.forms import Said
from ..storage.inplace import Place
from .children import MESSAGE
from .limits import Limits
from .workers import Worker

AT_ONCE = 2  # children; others wait for their turn
SECONDS = 120  # that one part may take


@dataclass(frozen=True)
class Abroad:
    """Makes parts of files of pixels in place, a child for each part; see `storage.afar.Maker`."""

    limits: Limits = field(default_factory=Limits)
    turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(AT_ONCE))

    def measure(
        self, folder: Path, form: str, several: Sequence[tuple[Place, Said]]
    ) -> list[int | CidError]:
        """Return how many bytes each will have, or why it has none."""
        found: list[int | CidError] = []
        with self.turn, Worker(self._bounds()) as worker:
            for place, said in several:
                try:
                    found.append(_size(self._asked(worker, folder, place, form, said, None)))
                except CidError as error:
                    found.append(error)
        return found

    def make(
        self, folder: Path, place: Place, form: str, said: Said, part: tuple[int, int]
    ) -> list[bytes]:
        """Return a part of its bytes."""
        with self.turn, Worker(self._bounds()) as worker:
            told = self._asked(worker, folder, place, form, said, part)
        try:
            pieces = [base64.b64decode(one["bytes"], validate=True) for one in told]
        except (KeyError, TypeError, binascii.Error):
            pieces = []
        if sum(map(len, pieces)) != part[1] - part[0]:
            raise BadInput("reading it led astray: it may be hostile")
        return pieces

    def _bounds(self) -> Limits:
        return replace(self.limits, planning_seconds=SECONDS, wall_seconds=SECONDS)

    def _asked(
        self,
        worker: Worker,
        folder: Path,
        place: Place,
        form: str,
        said: Said,
        part: tuple[int, int] | None,
    ) -> list[dict[str, Any]]:
        job: dict[str, Any] = {"form": form, "folder": str(folder.absolute()), "part": part}
        job |= {"place": astuple(place), "said": [said.uid, said.name, said.tags]}
        if len(json.dumps(job)) > MESSAGE:
            raise BadInput("it has more tags than fit into a file: take it as ome-zarr")
        told: list[dict[str, Any]] = []
        try:
            worker.ask(job, lambda said: told.append(said) if said else None)
        except BadFile as error:
            raise BadInput(str(error)) from None
        if told and "doubt" in told[-1]:
            raise Doubted(str(told[-1]["doubt"])[:600])
        return told


def _size(told: list[dict[str, Any]]) -> int:
    nbytes = told[-1].get("nbytes") if told else None
    if isinstance(nbytes, bool) or not isinstance(nbytes, int) or nbytes < 0:
        raise BadInput("its size could not be told: it may be hostile")
    return nbytes
