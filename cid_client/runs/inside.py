"""Inside a run's notebook: what it was given, and where its outputs go."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BadInput, NotConfigured
from ..records.images import Image
from ..wire import environment
from ..wire.environment import InsideRun
from ..wire.session import Session, segment
from .outputs import Outputs


@dataclass(frozen=True, slots=True)
class CurrentRun:
    """The run that this kernel executes, or a rehearsal of one."""

    uid: str
    parameters: Mapping[str, Any]
    inputs: Mapping[str, Image]
    outputs: Outputs

    @property
    def input(self) -> Image:
        """The one image it was given; raises BadInput when there are several."""
        if len(self.inputs) != 1:
            raise BadInput(f"this run has inputs {', '.join(self.inputs)}: choose from .inputs")
        return next(iter(self.inputs.values()))


_runs: dict[str, CurrentRun] = {}  # of this kernel: the same outputs, whoever asks for them
REHEARSAL = "rehearsal"


def current_run() -> CurrentRun:
    """Return the run this notebook executes in, or the rehearsal that was set up.

    Raises NotConfigured where there is neither.
    """
    told = environment.inside_run()
    if told is None:
        if REHEARSAL in _runs:
            return _runs[REHEARSAL]
        raise NotConfigured(
            "no run here: to try a template by hand, first call "
            "cid_client.rehearse(image, name=value, ...)"
        )
    if told.uid not in _runs:
        _runs[told.uid] = _asked(told)
    return _runs[told.uid]


def rehearse(
    images: Image | Iterable[Image] | Mapping[str, Image], /, **parameters: Any
) -> CurrentRun:
    """Make `current_run()` work in this kernel, with these inputs and a scratch folder of its own.

    For the author of a template. Nothing is committed, and an output may be written again; the
    folder goes when the kernel ends. Inside a real run it changes nothing.
    """
    if environment.inside_run() is not None:
        return current_run()
    if isinstance(images, Mapping):
        inputs = dict(images)
    else:
        chosen = [images] if isinstance(images, Image) else list(images)
        inputs = _by_role([("image", image) for image in chosen])
    scratch = Path(tempfile.mkdtemp(prefix="cid-rehearsal-"))
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    outputs = Outputs(scratch / "outputs", inputs, again=True)
    _runs[REHEARSAL] = CurrentRun(REHEARSAL, dict(parameters), inputs, outputs)
    return _runs[REHEARSAL]


def _asked(told: InsideRun) -> CurrentRun:
    session = Session(environment.access())
    work = session.get(f"runs/{segment(told.uid)}/work")
    images = [Image(session, record) for record in work["inputs"]]
    inputs = _by_role(list(zip(work["roles"], images, strict=True)))
    outputs = Outputs(told.scratch / "outputs", inputs)
    return CurrentRun(told.uid, dict(work["parameters"]), inputs, outputs)


def _by_role(images: list[tuple[str, Image]]) -> dict[str, Image]:
    """Return the images by role; a role that comes again is numbered: image, image 2, ..."""
    inputs: dict[str, Image] = {}
    for role, image in images:
        again = sum(1 for known in inputs if known == role or known.startswith(f"{role} "))
        inputs[role if not again else f"{role} {again + 1}"] = image
    return inputs
