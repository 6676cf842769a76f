"""Inside a run's notebook: what it was given, and where its outputs go."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInput, NotConfigured
from ..records.images import Image
from ..wire import environment
from ..wire.environment import InsideRun
from ..wire.session import Session, segment
from . import byhand, roles
from .outputs import Outputs

if TYPE_CHECKING:
    import numpy as np
    from distributed import Client


@dataclass(frozen=True, slots=True)
class CurrentRun:
    """The run that this kernel executes, or what stands in its place by hand."""

    uid: str
    parameters: Mapping[str, Any]
    inputs: Mapping[str, Image]
    outputs: Outputs

    @property
    def input(self) -> Image:
        """The image it runs on; raises BadInput when there are several in that role."""
        if (image := roles.main(self.inputs)) is None:
            raise BadInput(f"this run has inputs {', '.join(self.inputs)}: choose from .inputs")
        return image

    def images(self, role: str) -> list[Image]:
        """Return the images that were given in one role, in their order; maybe none."""
        return roles.several(self.inputs, role)

    @property
    def scratch(self) -> Path:
        """A folder on this machine; that of a run goes with the run."""
        return self.outputs.folder.parent

    def client(self) -> Client:
        """Return a Dask client of the cluster that this run executes on.

        What it computes may open this run's inputs. It is no default of Dask's: say
        `with run.client().as_current():`. By hand it is threads of this kernel.
        """
        from . import cluster

        return cluster.client(self.uid, self.scratch)

    def map_tiles(
        self,
        function: Callable[..., Any],
        array: Any,
        *,
        size: int = 1024,
        overlap: int = 0,
        **keywords: Any,
    ) -> np.ndarray[Any, Any]:
        """Return `function(tile, **keywords)` of every tile of `array`, put together.

        The last two axes, y and x, are cut into tiles of `size` pixels; the function is given
        `overlap` more on each side, which is cut off its result: an array of the tile's shape. The
        workers of the run's cluster compute them, and read what is lazy themselves; progress tells
        how many are done. Raises BadInput, and what the function raises.
        """
        from . import tiles

        return tiles.map_tiles(
            self.client(),
            self.uid,
            self.scratch,
            function,
            array,
            size=size,
            overlap=overlap,
            keywords=keywords,
        )


_runs: dict[str, CurrentRun] = {}  # of this kernel: the same outputs, whoever asks for them
REHEARSAL, BY_HAND = "rehearsal", "by hand"
OUTPUTS = "outputs"  # beside the notebook, where its author runs it
# seconds before something is read again: a run outlasts a restart of the catalog
PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 25.0)


def current_run() -> CurrentRun:
    """Return the run this notebook executes in, or what was set up to stand in its place.

    By hand it is made of the notebook's variable `image`, a uid as `papermill -p image UID` sets
    it, or of `inputs`, a dict by role. Raises NotConfigured where there is nothing of all this.
    """
    told = environment.inside_run()
    if told is None:
        if REHEARSAL in _runs:
            return _runs[REHEARSAL]
        if (given := byhand.of_notebook()) is not None:
            return _set_up(given, OUTPUTS, {})
        raise NotConfigured(
            "no run here: to try a template by hand, first call "
            "cid_client.rehearse(image, name=value, ...), or cid_client.by_hand(image=...)"
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
    inputs = _by_role(byhand.roles(images))
    scratch = Path(tempfile.mkdtemp(prefix="cid-rehearsal-"))
    atexit.register(shutil.rmtree, scratch, ignore_errors=True)
    outputs = Outputs(scratch / "outputs", inputs, again=True)
    _runs[REHEARSAL] = CurrentRun(REHEARSAL, dict(parameters), inputs, outputs)
    return _runs[REHEARSAL]


def by_hand(
    *, folder: str | Path = OUTPUTS, parameters: Mapping[str, Any] | None = None, **inputs: Any
) -> CurrentRun:
    """Make `current_run()` work in this kernel: inputs by role, outputs kept in `folder`.

    An input is an image, its uid, or an array (its xarray dims name its axes); a list of them is
    several. Nothing is committed. Inside a real run it changes nothing. Raises BadInput.
    """
    if environment.inside_run() is not None:
        return current_run()
    return _set_up(inputs, folder, parameters or {})


def _set_up(
    given: Mapping[str, Any], folder: str | Path, parameters: Mapping[str, Any]
) -> CurrentRun:
    found = _by_role(byhand.images(given))
    outputs = Outputs(byhand.folder(folder), found, again=True)
    _runs[REHEARSAL] = CurrentRun(BY_HAND, dict(parameters), found, outputs)
    return _runs[REHEARSAL]


def _asked(told: InsideRun) -> CurrentRun:
    session = Session(environment.access(), pauses=PAUSES)
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
