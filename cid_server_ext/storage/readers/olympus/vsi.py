"""Reading Olympus and Evident VSI: the pixels lie in `_name_/stack*/*.ets` beside the file."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....errors import BadFile
from ..described import Described, Lit
from ..lazy import lazy
from ..policy import Tree
from ..scenes import Scene, open_slide
from ..source import Source, source
from ..xmltext import number
from . import ets

NAMESPACE = "olympus.com/cellSens"
TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
NEVER = re.compile(r"^\s*(label|overview|macro|thumbnail)\b", re.IGNORECASE)  # these name patients
MOST_SCENES = 1000
MOST_NOTES = 3000
CAMERA, STAND, TURRET, FILTERS, LASER = "0", "40500", "20000", "20002", "20016"
RGB = (("Red", "FF0000"), ("Green", "00FF00"), ("Blue", "0000FF"))

Node = dict[str, Any]


def is_vsi(path: Path, head: bytes) -> bool:
    """Say whether a file is a VSI: a TIFF by its bytes, of which its name alone tells."""
    return head.startswith(TIFF) and path.suffix.lower() == ".vsi"


def members(main: str, tree: Tree) -> set[str] | None:
    """Return the files of the folder `_name_` that belongs to a VSI."""
    folder, _, name = main.rpartition("/")
    stem = name[: -len(".vsi")]
    return (
        set(tree.below(f"{folder}/_{stem}_".strip("/"))) if name.lower().endswith(".vsi") else set()
    )


def open_vsi(path: Path) -> list[Source]:
    """Return each image of a VSI, with its depths, times and channels; never a label or overview.

    BadFile: the folder of its pixels is not beside it.
    """
    folder = path.parent / f"_{path.stem}_"
    if folder.is_symlink() or any(one.is_symlink() for one in folder.rglob("*")):
        raise BadFile("its folder holds a link to somewhere else: copy the files instead")
    counts = set().union(*map(ets.planes, sorted(folder.rglob("*.ets"))))
    try:
        scenes, text = open_slide(path, "VSI")
    except BadFile:
        raise
    except Exception:  # slideio speaks of its own source files
        raise BadFile("it is truncated or damaged: copy it again, with its folder") from None
    wanted = [scene for scene in scenes if not NEVER.match(scene.name)]
    if not wanted and not any(folder.rglob("*.ets")):
        raise BadFile(f"its folder {folder.name[:80]!r} is not beside it: upload both together")
    if not wanted:
        raise BadFile("it holds no image that can be read: its pixels are damaged or incomplete")
    for scene in wanted:
        held = scene.size["t"] * scene.size["z"] * scene.size["c"]
        if counts and not counts & {held, held // 3}:  # three samples lie in one tile
            raise BadFile(f"it tells of {held} planes, its .ets hold others: it is damaged")
    if len(wanted) > MOST_SCENES:
        raise BadFile(f"it holds {len(wanted)} images, more than {MOST_SCENES}")
    try:
        root = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        root = {}
    volumes = [node for node in _all(root) if _name(node) == "Multidimensional image volume"]
    return [image for scene in wanted for image in _images(scene, root, volumes)]


def _images(scene: Scene, root: Node, volumes: list[Node]) -> Iterator[Source]:
    if len(set(scene.dtypes)) != 1:
        raise BadFile("its channels have different types of pixels: export them one by one")
    dtype = scene.dtypes[0]
    shape = tuple(scene.size[axis] for axis in "tczyx")

    def read(index: tuple[int, ...], rows: slice, columns: slice) -> NDArray[Any]:
        t, c, z = index
        pixels: NDArray[Any] = scene.read(t, c, z, rows, columns)
        return pixels[..., 0]

    mine = [node for node in volumes if _value(node, "Stack name") == scene.name]
    told = _describe(scene, root, mine[0] if mine else {})
    yield source(told.facts("tczyx", shape, np.dtype(dtype)), "TCZYX", lazy(shape, dtype, read))


def _describe(scene: Scene, root: Node, volume: Node) -> Described:
    own = scene.extra
    told = Described(name=scene.name, maker="Olympus")
    told.software = " ".join(filter(None, map(_cut(root), ("Product Name", "Product Version"))))
    told.user = _value(root, "Document author")
    told.taken = _date(_value(volume, "Creation time") or _value(root, "Document creation time"))
    wide, high = own.resolution
    told.scale = {
        "x": _scaled(wide),
        "y": _scaled(high),
        "z": _scaled(own.z_resolution) if scene.size["z"] > 1 else None,
        "t": number(str(own.t_resolution)) if scene.size["t"] > 1 else None,
    }
    told.notes[NAMESPACE] = dict(_flat(volume or root))
    for device in _devices(volume):
        kind, title = device["subtype"], device["Device Model"] or device["Device Name"]
        node, maker = device["node"], device["Device Manufacturer"]
        if kind == CAMERA and title:
            told.detector(title, maker=maker)
        elif kind == STAND:
            told.microscope = title
        elif kind == TURRET:
            _objective(told, node)
        elif kind == FILTERS and _value(node, "Objective Name"):
            told.filter(_value(node, "Objective Name"))
        elif kind == LASER:
            wave = re.match(r"(\d+(?:\.\d+)?)\s*nm", title)
            told.light("laser", title, wavelength=wave[1] if wave else None, maker=maker)
    if not told.instrument.objectives:
        told.objective(magnification=own.magnification)
    told.channels = _channels(own, scene, volume)
    return told


def _objective(told: Described, node: Node) -> None:
    index = number(_value(node, "Objective Refractive Index"))
    told.refraction = index
    told.objective(
        _value(node, "Objective Description") or _value(node, "Objective Name"),
        magnification=_value(node, "Magnification"),
        aperture=_value(node, "Numerical Aperture"),
        maker=_value(node, "Device Manufacturer"),
    )


def _channels(own: Any, scene: Scene, volume: Node) -> list[Lit]:
    waves: dict[str, float | None] = {}
    colors: dict[str, str] = {}
    for node in _all(volume):
        if _name(node) == "Channel properties" and (title := _own(node, "Channel name")):
            for part in _children(node):
                if _name(part) == "Channel Wavelength":
                    waves[title] = number(_value(part, "Value"))
            table = _value(node, "Value", below="Stack display LUT")
            if color := re.search(r"red = (\d+), green = (\d+), blue = (\d+)", table):
                colors[title] = "".join(f"{min(int(part), 255):02X}" for part in color.groups())
    titles = [own.get_channel_name(at) or "" for at in range(scene.size["c"])]
    if len(titles) == 3 and scene.dtypes[0] == np.uint8 and not any(titles):
        return [Lit(name=name, color=color) for name, color in RGB]
    return [Lit(name=t, color=colors.get(t, ""), emission=waves.get(t)) for t in titles]


# --- the tree of tags -------------------------------------------------------------------------


def _children(node: Node) -> list[Node]:
    value = node.get("value")
    held = value if isinstance(value, list) else [value]
    return [one for one in held if isinstance(one, dict)]


def _all(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += reversed(_children(one))


def _name(node: Node) -> str:
    return str(node.get("name") or "").strip()


def _own(node: Node, name: str) -> str:
    """Return the value of a tag right below a node."""
    for one in _children(node):
        if _name(one) == name and not isinstance(one.get("value"), (list, dict)):
            return str(one.get("value") or "").strip()
    return ""


def _value(node: Node, name: str, below: str = "") -> str:
    """Return the value of the first tag of this name anywhere below a node."""
    tops = [one for one in _all(node) if _name(one) == below] if below else [node]
    for top in tops:
        for one in _all(top):
            if found := _own(one, name):
                return found
    return ""


def _cut(root: Node) -> Any:
    return lambda name: _value(root, name)


def _devices(volume: Node) -> Iterator[dict[str, Any]]:
    keys = ("Device Name", "Device Model", "Device Manufacturer")
    for node in _all(volume):
        if kind := _own(node, "Device Subtype"):
            yield {"node": node, "subtype": kind, **{key: _own(node, key) for key in keys}}


def _flat(root: Node) -> Iterator[tuple[str, str]]:
    waiting, count = [("", root)], 0
    while waiting and count < MOST_NOTES:
        place, node = waiting.pop()
        here = f"{place}/{_name(node)}".strip("/")
        for at, one in enumerate(_children(node)):
            waiting.append((f"{here}[{at + 1}]", one))
        value = node.get("value")
        if (
            isinstance(value, (str, int, float))
            and "Unknown" not in _name(node)
            and str(value).strip()
        ):
            count += 1
            yield here, str(value)


def _scaled(meters: float) -> float | None:
    return float(f"{meters * 1e6:.9g}") if meters else None


def _date(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(text, "%d-%m-%Y %H-%M-%S")
    except ValueError:
        return None
