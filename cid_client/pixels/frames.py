"""An array's axes and pixel sizes, told by itself or by the image it was computed from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import BadInput
from ..records.images import Image

ORDER = "tczyx"
UNIFORM = 1e-3  # of a step: how much a coordinate may stray and still have one step


@dataclass(frozen=True, slots=True)
class Frame:
    """Axes in the array's order; pixel sizes, units and channels as far as they are known."""

    axes: str
    scale: dict[str, float]
    units: dict[str, str]
    channels: list[dict[str, str]]


def frame_of(
    array: Any,
    source: Image | None,
    name: str,
    axes: str | None = None,
    channels: Sequence[str] | None = None,
) -> Frame:
    """Return the frame of a numpy, dask or xarray array that was computed from `source`.

    Calibration is carried where it must still hold: from an xarray coordinate with one step, or
    from the source along axes that are as long as the source's; elsewhere it is unknown. Raises
    BadInput when the axes cannot be told.
    """
    found = _axes(array, source, name, axes)
    if len(set(found)) != len(found) or set(found) - set(ORDER) or not {"y", "x"} <= set(found):
        raise BadInput(f"axes of {name!r} are {found!r}: use letters of {ORDER!r}, y and x among")
    if len(found) != array.ndim:
        raise BadInput(f"{name!r} has {array.ndim} dimensions, not the {len(found)} of {found!r}")
    scale: dict[str, float] = {}
    units: dict[str, str] = {}
    for axis, length in zip(found, array.shape, strict=True):
        step, unit = _pixel(array, source, axis, length)
        if step is not None:
            scale[axis] = step
        if step is not None and unit:
            units[axis] = unit
    return Frame(found, scale, units, _channels(array, source, name, found, channels))


def _axes(array: Any, source: Image | None, name: str, given: str | None) -> str:
    if given is not None:
        return given
    dims = getattr(array, "dims", None)
    if dims is not None and all(dim in ORDER and len(dim) == 1 for dim in map(str, dims)):
        return "".join(map(str, dims))
    if source is not None:
        lengths = dict(zip(source.axes, source.shape, strict=True))
        spatial = "".join(axis for axis in source.axes if axis in "zyx")
        for axes in (spatial, source.axes):
            for candidate in (axes, "".join(a for a in axes if lengths[a] > 1)):
                if tuple(lengths[a] for a in candidate) == tuple(array.shape):
                    return candidate
        if array.ndim in (2, len(spatial)):
            return spatial[-array.ndim :]
    shape = "×".join(map(str, array.shape))
    like = f" like {source.name} ({source.axes})" if source is not None else ""
    raise BadInput(f'{name!r} ({shape}) is not shaped{like}: say its axes, such as axes="yx"')


def _pixel(
    array: Any, source: Image | None, axis: str, length: int
) -> tuple[float | None, str | None]:
    """Return how far apart two pixels are along an axis, and in what unit, where it is known."""
    if axis == "c":
        return None, None
    known = source.scale.get(axis) if source is not None else None
    unit = source.units.get(axis) if source is not None else None
    coordinate = _coordinate(array, axis)
    if coordinate is not None and (known is not None or "units" in coordinate.attrs):
        step = _step(coordinate.values)
        if step is not None:
            return step, coordinate.attrs.get("units", unit)
    if source is not None and known is not None:
        same = dict(zip(source.axes, source.shape, strict=True))[axis] == length
        return (known, unit) if same else (None, None)
    return None, None


def _coordinate(array: Any, axis: str) -> Any:
    """Return an axis's own coordinate, or None: xarray's `get` would make up 0, 1, 2 …"""
    coords = getattr(array, "coords", {})
    return coords[axis] if axis in coords else None  # noqa: SIM401 (see above)


def _step(values: Any) -> float | None:
    if len(values) < 2 or values.dtype.kind not in "iuf":
        return None
    steps = values[1:].astype(float) - values[:-1].astype(float)
    step = float(steps.mean())
    if step == 0 or abs(steps - step).max() > UNIFORM * abs(step):
        return None
    return abs(step)


def _channels(
    array: Any, source: Image | None, name: str, axes: str, given: Sequence[str] | None
) -> list[dict[str, str]]:
    if "c" not in axes:
        return []
    count = int(array.shape[axes.index("c")])
    theirs = source.channels if source is not None else []
    coordinate = _coordinate(array, "c")
    if given is not None:
        names = list(given)
    elif coordinate is not None and coordinate.values.dtype.kind in "UOT":
        names = [str(value) for value in coordinate.values]
    else:
        names = [channel.get("name", "") for channel in theirs]
        names = names if len(names) == count else []
    if given is not None and len(names) != count:
        raise BadInput(f"{name!r} has {count} channels, {len(names)} names were given")
    colours = {channel.get("name"): channel.get("color", "") for channel in theirs}
    return [{"name": known, "color": colours.get(known) or "FFFFFF"} for known in names]
