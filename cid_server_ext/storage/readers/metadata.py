"""What files say of their images: calibration, channels and machine tags. Nothing is guessed."""

from __future__ import annotations

import datetime as dt
import math
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from ome_types import model

from .source import Channel, Facts, MachineTag
from .units import calibration, micrometers, seconds

LONGEST = 400  # characters of a tag
# No print is finer: a resolution tag below this is a microscope's, above it a printer's default.
FINEST_PRINT = 10.0  # micrometers, 2540 dots per inch
# Programs that write files for others: their name says nothing of the acquisition.
CONVERTERS = (
    "tifffile",
    "ome bio-formats",
    "bio-formats",
    "bioio",
    "loci",
    "imagemagick",
    "libvips",
)


def from_ome(ome: model.OME, index: int, ome_xml: str) -> Facts:
    """Return what OME-XML says of its image number `index`."""
    image = ome.images[index]
    pixels = image.pixels
    scale, units = calibration(
        micrometers(pixels.physical_size_z, pixels.physical_size_z_unit.value),
        micrometers(pixels.physical_size_y, pixels.physical_size_y_unit.value),
        micrometers(pixels.physical_size_x, pixels.physical_size_x_unit.value),
        seconds(pixels.time_increment, pixels.time_increment_unit.value),
    )
    return Facts(
        name=clean(image.name, 255),
        scale=scale,
        units=units,
        channels=tuple(map(_ome_channel, pixels.channels)),
        ome_xml=ome_xml,
        tags=_present(_ome_tags(ome, image)),
    )


def from_imagej(imagej: dict[str, Any], tags: dict[str, Any]) -> Facts:
    """Return what an ImageJ hyperstack says; `tags` are the TIFF tags of its first page."""
    unit = _text(imagej.get("unit"))
    scale, units = calibration(
        micrometers(_number(imagej.get("spacing")), _text(imagej.get("zunit")) or unit),
        micrometers(_pixel(tags.get("YResolution")), _text(imagej.get("yunit")) or unit),
        micrometers(_pixel(tags.get("XResolution")), unit),
        seconds(_number(imagej.get("finterval")), _text(imagej.get("tunit")) or "sec"),
    )
    return Facts(scale=scale, units=units, channels=_luts(imagej), tags=_tiff_tags(tags))


def from_tiff(tags: dict[str, Any]) -> Facts:
    """Return what the tags of a plain TIFF say. Resolutions a printer could have are not sizes."""
    unit = {2: "inch", 3: "cm"}.get(_whole(tags.get("ResolutionUnit")))
    y = micrometers(_pixel(tags.get("YResolution")), unit)
    x = micrometers(_pixel(tags.get("XResolution")), unit)
    if not (y and x and y < FINEST_PRINT and x < FINEST_PRINT):
        return Facts(tags=_tiff_tags(tags))
    scale, units = calibration(None, y, x, None)
    return Facts(scale=scale, units=units, tags=_tiff_tags(tags))


def from_ngff(multiscale: dict[str, Any], omero: dict[str, Any]) -> Facts:
    """Return what NGFF metadata says of level 0: an axis without a unit is not calibrated."""
    axes = [axis for axis in multiscale["axes"] if isinstance(axis, dict)]
    sizes = np.ones(len(axes))
    for holder in (multiscale, multiscale["datasets"][0]):
        for transform in holder.get("coordinateTransformations") or []:
            if transform.get("type") == "scale":
                sizes = sizes * np.asarray(transform["scale"], float)
    known: dict[str, float | None] = dict.fromkeys("tzyx")
    for axis, size in zip(axes, sizes, strict=True):
        if axis["name"] in known:
            convert = seconds if axis["name"] == "t" else micrometers
            known[axis["name"]] = convert(float(size), _text(axis.get("unit")) or None)
    scale, units = calibration(known["z"], known["y"], known["x"], known["t"])
    channels = tuple(
        _channel(channel.get("label"), channel.get("color"))
        for channel in omero.get("channels", [])
    )
    name = clean(_text(multiscale.get("name")), 255)
    return Facts(name=name, scale=scale, units=units, channels=channels)


def clean(text: str | None, longest: int = LONGEST) -> str:
    """Return text for one line: blanks joined, control and direction signs gone, cut to length."""
    kept = "".join(
        " " if sign.isspace() else sign
        for sign in text or ""
        if sign.isspace() or unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co"}
    )
    return " ".join(kept.split())[:longest]


# --- OME --------------------------------------------------------------------------------------


def _ome_channel(channel: model.Channel) -> Channel:
    told = channel.color if "color" in channel.model_fields_set else None
    colour = "".join(f"{part:02X}" for part in told.as_rgb_tuple()[:3]) if told else None
    return _channel(channel.name or channel.fluor, colour)


def _ome_tags(ome: model.OME, image: model.Image) -> Iterable[MachineTag]:
    creator = clean(ome.creator)
    if creator and not creator.lower().startswith(CONVERTERS):
        yield "Acquisition software", creator, None
    if image.acquisition_date:
        yield "Acquisition date", image.acquisition_date.isoformat(), None
    people = _referred(ome.experimenters, image.experimenter_ref)
    if people:
        person = people[0]
        name = _joined(person.first_name, person.last_name)
        yield "User", name or clean(person.user_name), None
    instruments = _referred(ome.instruments, image.instrument_ref)
    if instruments:
        yield from _instrument_tags(instruments[0], image)


def _instrument_tags(instrument: model.Instrument, image: model.Image) -> Iterable[MachineTag]:
    channels = image.pixels.channels
    if instrument.microscope:
        scope = instrument.microscope
        yield "Microscope", _joined(scope.manufacturer, scope.model), None
    objectives = _referred(instrument.objectives, image.objective_settings)
    if objectives:
        yield "Objective", _objective(objectives[0]), objectives[0].nominal_magnification
    lasers = _used(instrument.lasers, [channel.light_source_settings for channel in channels])
    waves = [laser.wavelength for laser in lasers]
    yield "Lasers", _list(_laser(laser) for laser in lasers), waves[0] if len(waves) == 1 else None
    filters = [*instrument.filter_sets, *instrument.filters, *instrument.dichroics]
    yield "Filters", _list(_joined(part.manufacturer, part.model) for part in filters), None
    detectors = _used(instrument.detectors, [channel.detector_settings for channel in channels])
    yield "Tube/Detector", _list(_joined(part.manufacturer, part.model) for part in detectors), None


def _objective(lens: model.Objective) -> str:
    text = _joined(lens.manufacturer, lens.model)
    power = f"{lens.nominal_magnification:g}x" if lens.nominal_magnification else ""
    return _joined(
        text,
        power if power not in text.lower() else None,
        f"NA {lens.lens_na:g}" if lens.lens_na else None,
        lens.immersion.value if lens.immersion else None,
    )


def _laser(laser: model.Laser) -> str:
    text = _joined(laser.manufacturer, laser.model)
    wave = f"{laser.wavelength:g}" if laser.wavelength else ""
    return _joined(text, f"{wave} nm" if wave not in text else None)


def _referred(items: Sequence[Any], reference: Any) -> list[Any]:
    """Return the item that is referred to; without a reference the only one there is."""
    if reference is None:
        return list(items) if len(items) == 1 else []
    return [item for item in items if item.id == reference.id]


def _used(items: Sequence[Any], references: Iterable[Any]) -> list[Any]:
    """Return the items that the channels use, or all when the channels do not say."""
    named = {reference.id for reference in references if reference is not None}
    return [item for item in items if item.id in named] or list(items)


# --- TIFF -------------------------------------------------------------------------------------


def _tiff_tags(tags: dict[str, Any]) -> tuple[MachineTag, ...]:
    found: list[MachineTag] = []
    software = clean(_text(tags.get("Software")))
    if software and not software.lower().startswith(CONVERTERS):
        found.append(("Acquisition software", software, None))
    try:
        taken = dt.datetime.strptime(_text(tags.get("DateTime"))[:19], "%Y:%m:%d %H:%M:%S")
        found.append(("Acquisition date", taken.isoformat(), None))
    except ValueError:
        pass
    return tuple(found)


def _luts(imagej: dict[str, Any]) -> tuple[Channel, ...]:
    """Return the colours of a composite: each channel's look-up table at its bright end."""
    tables = imagej.get("LUTs") if _text(imagej.get("mode")) in {"composite", "color"} else None
    if not isinstance(tables, list):
        return ()
    bright = [np.asarray(table)[:, -1] for table in tables if np.shape(table) == (3, 256)]
    return tuple({"color": "".join(f"{int(part):02X}" for part in colour)} for colour in bright)


def _pixel(resolution: Any) -> float | None:
    """Return the size of a pixel from a fraction (pixels, units)."""
    try:
        pixels, units = (float(part) for part in resolution)
    except (TypeError, ValueError):
        return None
    return units / pixels if pixels > 0 and units > 0 else None


# --- values -----------------------------------------------------------------------------------


def _channel(name: Any, colour: Any) -> Channel:
    found: Channel = {}
    if text := clean(_text(name), 120):
        found["name"] = text
    code = _text(colour).removeprefix("#").upper()
    if len(code) == 6 and set(code) <= set("0123456789ABCDEF"):
        found["color"] = code
    return found


def _present(tags: Iterable[MachineTag]) -> tuple[MachineTag, ...]:
    return tuple((key, clean(text), _number(number)) for key, text, number in tags if clean(text))


def _joined(*words: str | None) -> str:
    return clean(" ".join(word for word in words if word))


def _list(items: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(item for item in items if item))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    real = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return float(value) if real and math.isfinite(value) else None


def _whole(value: Any) -> int:
    return int(value) if isinstance(value, int) else 0
