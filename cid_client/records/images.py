"""Images: what they are, what people say of them, and their pixels on demand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .. import display
from ..downloads import batch
from ..downloads.batch import As
from ..errors import BadInput, CidError, NotFound
from ..instruments.controls import Controls
from ..instruments.instruments import Instrument
from ..instruments.versions import read
from ..wire.downloads import download
from ..wire.tickets import Ticket
from .inplace import InPlace
from .lineage import DEEPEST, Lineage, Step
from .quality import Quality
from .record import Field, Listing
from .stored import FOLDER, Stored

if TYPE_CHECKING:
    import xarray as xr

    from ..runs.runs import Run

Direction = Literal["from", "used", "both"]


class Image(Stored):
    """One image (kind image) or label image (kind labels) of the catalog; its pixels never change.

    `axes` is a string of t c z y x in order, `shape` its lengths at level 0. `scale` and `units`
    hold the physical pixel size of the axes for which it is known.
    """

    collection = "images"
    kind_of = "image"
    tickets = ("thumbnail", "data", "original_url")

    axes = Field[str]()
    dtype = Field[str]()
    levels = Field[int]()
    scale = Field[dict[str, float]]()
    units = Field[dict[str, str]]()
    channels = Field[list[dict[str, str]]]()
    source = Field[str | None]()  # uid of the image it was made from
    completeness = Field["float | None"]()  # 0 to 1; None where nothing is asked of it
    unknown = Field[dict[str, str]]()  # what is asked of it and missing -> why

    @property
    def quality(self) -> Quality | None:
        """What was measured of its pixels: SNR, saturation, focus …; None where nothing was."""
        told = self.wire("quality")
        return Quality(told) if told else None

    @property
    def in_place(self) -> InPlace | None:
        """Where its original lies and how it is there; None: in the catalog's storage."""
        return InPlace.of((self.wire("original") or {}).get("in_place"))

    @property
    def shape(self) -> tuple[int, ...]:
        """The length of each axis at level 0, in pixels."""
        return tuple(self.wire("shape"))

    def to_xarray(self, level: int = 0) -> xr.DataArray:
        """Return the pixels of one level, lazily: nothing is read before it is computed.

        Dims are named by `axes`, coordinates are physical where `scale` knows them (their units in
        the coordinate's attrs) and absent elsewhere; `c` carries the channel names. Raises BadInput
        for a level it does not have.
        """
        from ..pixels.arrays import to_xarray

        return to_xarray(self, level)

    @property
    def data_url(self) -> str:
        """The OME-Zarr's address for a viewer, with a new ticket each time it is looked at."""
        return self.session.absolute(self.refresh().record["data"])

    @property
    def thumbnail(self) -> bytes:
        """A small picture of it, PNG."""
        return Ticket(self.session, self.path, "thumbnail", self.record).read()

    def lineage(self, depth: int = 1, direction: Direction = "both") -> Lineage:
        """Return what it was made from and what was made from it, through `depth` runs.

        `direction`: "from" what it was made, or for what it was "used".
        """
        answer = self.session.get(f"{self.path}/lineage", depth=depth, direction=direction)
        parents, children, images = (
            Listing(Image(self.session, row) for row in answer.get(name) or ())
            for name in ("parents", "children", "images")
        )
        runs = tuple(map(Step.of, answer.get("runs") or ()))
        return Lineage(parents, children, images, runs, bool(answer.get("more")))

    def derived(self) -> Listing[Image]:
        """All that was made from it, over any number of runs, the nearest first."""
        return self.lineage(DEEPEST, "used").images

    def origins(self) -> Listing[Image]:
        """All that it was made from, over any number of runs, the nearest first."""
        return self.lineage(DEEPEST, "from").images

    @property
    def made_by(self) -> Run | None:
        """The run that made it; None for what was imported, or when you may not see the run."""
        runs = self.lineage(1, "from").runs
        return next((self._run(step) for step in runs if self.uid in step.outputs), None)

    @property
    def used_by(self) -> list[Run]:
        """The runs that read it, in the order of their submit."""
        runs = self.lineage(1, "used").runs
        return [self._run(step) for step in runs if self.uid in step.inputs]

    def _run(self, step: Step) -> Run:
        from ..runs.runs import Run

        told = {"name": step.template, "version": step.version}
        return Run(self.session, {"uid": step.run, "template": told, "person": step.person})

    def download(self, folder: str | os.PathLike[str] = ".", as_: As = "originals") -> Path:
        """Write the original file below `folder`, as it came and verified; return its path.

        As "ome-tiff", "imagej" or "ome-zarr" it is made of the stored pixels and lies in
        `folder/project/dataset`. Raises BadInput for a form that cannot hold it, NotFound for the
        original of an image that came from no file (a result), and for one that came from several,
        which `catalog.download(image)` brings.
        """
        if as_ != "originals":
            return self._made(folder, as_)
        original = self.wire("original")
        if not original:
            raise NotFound(f"{self.name} came from no file: read it with to_xarray()")
        if original.get("media_type") == FOLDER or original["name"].endswith(".zarr"):
            raise NotFound(f"{self.name} came from several files: take catalog.download(image)")
        if self.record.get("original_url", "") is None:
            raise NotFound(f"the file of {self.name} holds images too that you may not see")
        ticket = Ticket(self.session, self.path, "original_url", self.record)
        return download(ticket, original["name"], original["sha256"], folder)

    def _made(self, folder: str | os.PathLike[str], as_: As) -> Path:
        came = batch.download(self.session, {"records": [self.uid]}, folder, as_)
        if came.left:
            raise BadInput(f"{self.name}: {came.left_out[0].why}")
        first = came.paths[0]
        return next((way for way in first.parents if way.name.endswith(".ome.zarr")), first)

    @property
    def instrument(self) -> Instrument | None:
        """The microscope that took it, if it is known."""
        taken = self.wire("instrument")
        return taken and Instrument(self.session, taken)

    @property
    def mask(self) -> tuple[str, int] | None:
        """The name of the mask that its upload was held to, and which version; None: none."""
        held = self.wire("mask")
        return held and (held["name"], held["version"])

    @property
    def controls(self) -> Controls:
        """What was last measured of its microscope before it was taken, one for each series."""
        return Controls(self.session.get(f"{self.path}/controls"))

    def apply_settings(self, file: str | os.PathLike[str]) -> Image:
        """Fill what it lacks from a Settings.JSON of the Micro-Meta App; `undo()` takes it back."""
        return self._changed("PUT", "/settings", {"document": read(Path(file))})

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        size = " × ".join(f"{axis} {n}" for axis, n in zip(self.axes, self.shape, strict=True))
        return [
            ("name", self.name),
            ("kind", self.kind),
            ("size", size),
            ("type", self.dtype),
            ("pixel", self._pixel()),
            ("complete", self._complete()),
            ("in", "/".join(part for part in (self.project, self.dataset) if part)),
            ("in place", self._in_place()),
            ("uid", self.uid),
        ]

    def _in_place(self) -> str:
        return str(self.in_place or "") if "original" in self.record else ""

    def _complete(self) -> str:
        known = self.record.get("completeness")
        return "" if known is None else f"{known:.0%}"

    def _pixel(self) -> str:
        known = [axis for axis in self.axes if axis in self.scale]
        return ", ".join(
            f"{axis} {self.scale[axis]:g} {self.units.get(axis, '')}".strip() for axis in known
        )

    def _repr_html_(self) -> str:
        picture = display.picture(thumbnail_or_none(self), self.name)
        tags = list(self.tags.items())
        unknown = list((self.record.get("unknown") or {}).items())
        told = "".join(display.facts(some) for some in (self.facts(), tags) if some)
        missing = f"<b>not known</b>{display.facts(unknown)}" if unknown else ""
        return f"{picture}{told}{missing}"


def thumbnail_or_none(image: Image) -> bytes | None:
    """Return the thumbnail, or None: a picture that is missing must not hide the rest."""
    try:
        return image.thumbnail
    except CidError:
        return None
