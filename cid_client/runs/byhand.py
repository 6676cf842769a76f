"""Inputs for a notebook that its author runs by hand: images, their uids, or plain arrays."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import BadInput
from ..records.images import Image
from ..wire.session import Session

if TYPE_CHECKING:
    import xarray as xr

AXES = "tczyx"
PLAIN = {2: "yx", 3: "zyx", 4: "tzyx", 5: "tczyx"}  # of an array that does not name its axes
ROLE = "image"

Given: TypeAlias = "Image | str | Any"  # an image, its uid, or an array


class Handed(Image):
    """An array in an image's place. It is in no catalog: only its pixels can be asked for."""

    def __init__(self, array: Any, name: str) -> None:
        dims = [str(dim) for dim in getattr(array, "dims", PLAIN.get(array.ndim, ""))]
        if not dims or any(len(dim) != 1 or dim not in AXES for dim in dims):
            raise BadInput(f"{name}: name its axes as an xarray's dims, letters of {AXES!r}")
        self._array = array
        steps = {dim: _step(array, dim) for dim in dims if dim != "c"}
        names = _names(array) if "c" in dims else []
        about = {
            "uid": f"by-hand-{name}",
            "name": name,
            "kind": "image",
            "project": "",
            "dataset": "",
            "axes": "".join(dims),
            "shape": list(array.shape),
            "dtype": str(array.dtype),
            "levels": 1,
            "scale": {dim: step for dim, (step, _) in steps.items() if step},
            "units": {dim: unit for dim, (step, unit) in steps.items() if step and unit},
            "channels": [{"name": channel, "color": "FFFFFF"} for channel in names],
            "source": None,
            "tags": [],
        }
        super().__init__(Session(None), about)

    def to_xarray(self, level: int = 0) -> xr.DataArray:
        """Return the array, with its axes named."""
        import xarray as xr

        if level != 0:
            raise BadInput(f"{self.name} has one level; not {level}")
        if isinstance(self._array, xr.DataArray):
            return self._array
        return xr.DataArray(self._array, dims=tuple(self.axes), name=self.name)


def image(given: Given, role: str) -> Image:
    """Return what is given for a role as an image; of a uid the catalog's."""
    if isinstance(given, Image):
        return given
    if isinstance(given, str):
        from ..catalog import connect

        return connect().image(given)
    if hasattr(given, "ndim") and hasattr(given, "dtype"):
        return Handed(given, role)
    raise BadInput(f"{role} by hand is an image, its uid or an array; not {type(given).__name__}")


def images(given: Mapping[str, Given]) -> list[tuple[str, Image]]:
    """Return roles and images; a role may have several."""
    found = []
    for role, some in given.items():
        several = some if isinstance(some, list | tuple) else [some]
        found += [(role, image(one, role)) for one in several]
    return found


def of_notebook() -> dict[str, Given] | None:
    """Return what the notebook's own variables give: `image`, or `inputs` by role; else None.

    Such is `papermill -p image UID`.
    """
    shell = sys.modules.get("IPython")
    kernel = shell.get_ipython() if shell is not None else None
    names: Mapping[str, Any] = getattr(kernel, "user_ns", {})
    if isinstance(inputs := names.get("inputs"), dict) and inputs:
        return inputs
    chosen = names.get(ROLE)
    return {ROLE: chosen} if isinstance(chosen, str | Image) and chosen else None


def roles(given: Image | Iterable[Image] | Mapping[str, Image]) -> list[tuple[str, Image]]:
    """Return images in the manner of a rehearsal, as one, several or by role."""
    if isinstance(given, Mapping):
        return list(given.items())
    return [(ROLE, one) for one in ([given] if isinstance(given, Image) else given)]


def folder(where: str | Path) -> Path:
    """Return the folder for outputs, absolute: a notebook may change where it works."""
    return Path(where).resolve()


def _step(array: Any, dim: str) -> tuple[float | None, str]:
    coords = getattr(array, "coords", {})
    if dim not in coords or array.sizes[dim] < 2:
        return None, ""
    values = coords[dim].values
    return abs(float(values[1] - values[0])), str(coords[dim].attrs.get("units", ""))


def _names(array: Any) -> list[str]:
    coords = getattr(array, "coords", {})
    return [str(name) for name in coords["c"].values] if "c" in coords else []
