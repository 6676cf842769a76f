"""A template's truth cases, run as any run is: imported, queued, executed, committed, compared."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import tifffile

import cid_client
from cid_client.errors import CidError

from ..core.templates.manifest import Truth
from ..errors import BadInput
from . import scoring

PROJECT = "truth"
ROOM = 10**12


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one case: what was found, and what is wrong with it."""

    name: str
    found: str
    wrong: tuple[str, ...]


def run(
    catalog: cid_client.Catalog, template: str, cases: list[Truth], folder: Path, scratch: Path
) -> Iterator[Outcome]:
    """Run each case of a template that is published in this catalog, one after the other.

    `folder` has the template's scripts; pictures are written to `scratch`.
    """
    for number, case in enumerate(cases):
        try:
            pixels, truth, axes, scale = made(folder, case)
            path = scratch / f"{number}.ome.tif"
            _write(path, pixels, axes, scale)
            [image] = catalog.upload(path, PROJECT, f"case {number}")
            done = catalog.run(template, image, **case.parameters)
            done.wait(progress=False)
            yield _compared(case, truth, done)
        except (CidError, BadInput) as error:
            yield Outcome(case.name, "", (str(error),))


def made(folder: Path, case: Truth) -> tuple[Any, Any, str, tuple[float, ...]]:
    """Return what a case's script makes: pixels, true labels, axes, size of a pixel by axis.

    Where it returns pixels alone there are no labels. The script may say AXES (default: yx, zyx or
    tzyx by the pixels; s is colours) and PROPORTION, the size of a pixel in z, y and x. Raises
    BadInput with what is wrong with it.
    """
    script = _module(folder / case.script)
    try:
        found = script.make(case.seed)
        pixels, truth = found if isinstance(found, tuple) else (found, None)
    except Exception as error:  # it is the author's code: whatever it is, it is told
        raise BadInput(f"{case.script}: {type(error).__name__}: {error}") from None
    pixels, truth = np.asarray(pixels), None if truth is None else np.asarray(truth)
    axes = str(getattr(script, "AXES", "tzyx"[-pixels.ndim :])).lower()
    if len(axes) != pixels.ndim:
        raise BadInput(f"{case.script}: AXES {axes!r} and pixels of {pixels.ndim} axes differ")
    if truth is not None and not np.issubdtype(truth.dtype, np.integer):
        raise BadInput(f"{case.script}: labels are whole numbers, not {truth.dtype}")
    return pixels, truth, axes, tuple(getattr(script, "PROPORTION", ()))


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise BadInput(f"there is no {path.name} in the template's folder")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # the author's code again
        raise BadInput(f"{path.name}: {type(error).__name__}: {error}") from None
    if not callable(getattr(module, "make", None)):
        raise BadInput(f"{path.name} has no function make(seed)")
    return module


def _write(path: Path, pixels: Any, axes: str, scale: tuple[float, ...]) -> None:
    """Write an OME-TIFF, calibrated in micrometers where the script says how."""
    told: dict[str, Any] = {"axes": axes.upper()}
    for axis, size in zip("XYZ", reversed(scale), strict=False):
        told |= {f"PhysicalSize{axis}": float(size), f"PhysicalSize{axis}Unit": "µm"}
    colour = {"photometric": "rgb"} if axes.endswith("s") else {"photometric": "minisblack"}
    tifffile.imwrite(path, pixels, ome=True, metadata=told, **colour)


def _compared(case: Truth, truth: Any, done: cid_client.Run) -> Outcome:
    """Hold labels and metrics against what is known."""
    told = [_labels(case, truth, done.result)] if truth is not None else []
    told.append(_metrics(case, done.metrics))
    if truth is None and not case.metrics:
        return Outcome(case.name, "", ("nothing is compared: return labels, or say metrics",))
    found = ", ".join(one.found for one in told if one.found)
    return Outcome(case.name, found, tuple(line for one in told for line in one.wrong))


def _metrics(case: Truth, measured: dict[str, Any]) -> Outcome:
    found, wrong = [], []
    for name, expected in case.metrics.items():
        value = measured.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            wrong.append(f"it measured no number {name}")
            continue
        found.append(f"{name} {value:g}")
        if not abs(value - expected.value) <= expected.tolerance:
            within = f" within {expected.tolerance:g}" if expected.tolerance else ""
            wrong.append(f"{name} is {value:g}, and it is {expected.value:g}{within}")
    return Outcome(case.name, ", ".join(found), tuple(wrong))


def _labels(case: Truth, truth: Any, result: Any) -> Outcome:
    found, wrong = [], []
    labels = result.labels
    if labels is None:
        return Outcome(case.name, "", ("it wrote no labels",))
    pixels = np.squeeze(np.asarray(labels.to_xarray()))
    truth = np.squeeze(truth)
    if pixels.shape != truth.shape:
        message = f"its labels are {pixels.shape}, the truth is {truth.shape}"
        return Outcome(case.name, "", (message,))
    count = int(np.setdiff1d(np.unique(pixels), [0]).size)
    found.append(f"{count} objects")
    if case.objects is not None and abs(count - case.objects) > case.tolerance:
        more = f" within {case.tolerance}" if case.tolerance else ""
        wrong.append(f"{count} objects, and there are {case.objects}{more}")
    score = scoring.f1(truth, pixels, case.overlap)
    found.append(f"F1 {score:.3f} at overlap {case.overlap:g}")
    if case.f1 is not None and score < case.f1:
        wrong.append(f"F1 {score:.3f} at overlap {case.overlap:g}, and {case.f1:g} is asked for")
    return Outcome(case.name, ", ".join(found), tuple(wrong))
