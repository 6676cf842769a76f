"""What OME says of an image: calibration, channels and machine tags. Nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from ome_types import model

from ..source import Channel, Facts, MachineTag
from ..units import calibration, micrometers, seconds
from ..values import as_channel, clean, joined, listed, present
from .omemodel import to_xml

ACQUIRED = "Acquisition date"
MACHINE = (
    "Microscope",
    "Acquisition software",
    "Objective",
    "Lasers",
    "Filters",
    "Tube/Detector",
    ACQUIRED,
    "User",
)
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


def from_ome(ome: model.OME, index: int, ome_xml: str | None = None) -> Facts:
    """Return what OME says of its image number `index`.

    ome_xml: the text it was read from, kept as it is when it is of one image; else the model is
    written out, with this image only.
    """
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
        ome_xml=ome_xml if ome_xml is not None and len(ome.images) == 1 else only(ome, index),
        tags=present(_ome_tags(ome, image)),
        unknown=dict(_ome_unknown(ome, image)),
    )


def only(ome: model.OME, index: int) -> str:
    """Return OME-XML of one image, with all that is said of instruments and people."""
    return to_xml(ome.model_copy(update={"images": [ome.images[index]]}))


def _ome_channel(channel: model.Channel) -> Channel:
    told = channel.color if "color" in channel.model_fields_set else None
    colour = "".join(f"{part:02X}" for part in told.as_rgb_tuple()[:3]) if told else None
    found = as_channel(channel.name or channel.fluor, colour)
    for key in ("excitation", "emission"):
        unit = getattr(channel, f"{key}_wavelength_unit").value
        if wave := micrometers(getattr(channel, f"{key}_wavelength"), unit):
            found[key] = f"{wave * 1000:.6g}"
    return found


def _ome_tags(ome: model.OME, image: model.Image) -> Iterable[MachineTag]:
    creator = clean(ome.creator)
    if creator and not creator.lower().startswith(CONVERTERS):
        yield "Acquisition software", creator, None
    if image.acquisition_date:
        yield ACQUIRED, image.acquisition_date.isoformat(), None
    people = _referred(ome.experimenters, image.experimenter_ref)
    if people:
        person = people[0]
        name = joined(person.first_name, person.last_name)
        yield "User", name or clean(person.user_name), None
    instruments = _referred(ome.instruments, image.instrument_ref)
    if instruments:
        yield from _instrument_tags(instruments[0], image)
    yield from _well_tags(ome, image)


def _ome_unknown(ome: model.OME, image: model.Image) -> Iterable[tuple[str, str]]:
    """Yield reasons that say more than that the file does not say."""
    creator = clean(ome.creator)
    if creator.lower().startswith(CONVERTERS):
        yield "Acquisition software", f"the file names only the program that wrote it: {creator}"
    for instrument in _referred(ome.instruments, image.instrument_ref):
        lamps = [lamp for lamp in instrument.light_source_group if lamp not in instrument.lasers]
        if lamps and not instrument.lasers:
            named = listed(_part(lamp) or type(lamp).__name__ for lamp in lamps)
            yield "Lasers", clean(f"the file names other light sources: {named}")


def _instrument_tags(instrument: model.Instrument, image: model.Image) -> Iterable[MachineTag]:
    channels = image.pixels.channels
    if instrument.microscope:
        scope = instrument.microscope
        yield "Microscope", joined(scope.manufacturer, scope.model), None
    objectives = _referred(instrument.objectives, image.objective_settings)
    if objectives:
        yield "Objective", _objective(objectives[0]), objectives[0].nominal_magnification
    lasers = _used(instrument.lasers, [channel.light_source_settings for channel in channels])
    waves = [laser.wavelength for laser in lasers]
    yield "Lasers", listed(_laser(laser) for laser in lasers), waves[0] if len(waves) == 1 else None
    filters = [*instrument.filter_sets, *instrument.filters, *instrument.dichroics]
    yield "Filters", listed(map(_part, filters)), None
    detectors = _used(instrument.detectors, [channel.detector_settings for channel in channels])
    yield "Tube/Detector", listed(map(_part, detectors)), None


def _well_tags(ome: model.OME, image: model.Image) -> Iterable[MachineTag]:
    for plate in ome.plates:
        for well in plate.wells:
            for at, sample in enumerate(well.well_samples):
                if sample.image_ref is not None and sample.image_ref.id == image.id:
                    yield "Well", well_name(well.row, well.column), None
                    yield "Field", str(at + 1), float(at + 1)


def well_name(row: int, column: int) -> str:
    """Return what is written on the plate: 0, 2 is A03."""
    letters = ""
    while row >= 0:
        letters = chr(ord("A") + row % 26) + letters
        row = row // 26 - 1
    return f"{letters}{column + 1:02d}"


def _objective(lens: model.Objective) -> str:
    text = joined(lens.manufacturer, lens.model)
    immersion = lens.immersion.value if lens.immersion else ""
    power = f"{lens.nominal_magnification:g}x" if lens.nominal_magnification else ""
    return joined(
        text,
        power if power not in text.lower() else None,
        f"NA {lens.lens_na:g}" if lens.lens_na and not _says(text, f"{lens.lens_na:g}") else None,
        immersion if not _says(text, immersion) else None,
    )


def _says(text: str, word: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(word)}(?![\w.])", text, re.IGNORECASE) is not None


def _part(part: Any) -> str:
    return joined(part.manufacturer, part.model)


def _laser(laser: model.Laser) -> str:
    text = joined(laser.manufacturer, laser.model)
    wave = f"{laser.wavelength:g}" if laser.wavelength else ""
    return joined(text, f"{wave} nm" if wave not in text else None)


def _referred(items: Sequence[Any], reference: Any) -> list[Any]:
    """Return the item that is referred to; without a reference the only one there is."""
    if reference is None:
        return list(items) if len(items) == 1 else []
    return [item for item in items if item.id == reference.id]


def _used(items: Sequence[Any], references: Iterable[Any]) -> list[Any]:
    """Return the items that the channels use, or all when the channels do not say."""
    named = {reference.id for reference in references if reference is not None}
    return [item for item in items if item.id in named] or list(items)
