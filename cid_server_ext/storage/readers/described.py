"""What a maker's own metadata says of one image, gathered into one OME model."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ome_types import OME, model

from .ome import metadata
from .source import Facts
from .values import clean

NOTE = 2000  # characters of one value that OME has no place for
IMMERSIONS = {"oil": "Oil", "wat": "Water", "w": "Water", "gly": "Glycerol", "air": "Air"} | {
    "dry": "Air",
    "multi": "Multi",
    "sil": "Other",
}
TYPES = {"float32": "float", "float64": "double"}


@dataclass
class Lit:
    """One channel: what it is called and shown as, and which light and detector it used."""

    name: str = ""
    color: str = ""  # RRGGBB
    excitation: float | None = None  # nanometers
    emission: float | None = None
    fluor: str = ""
    light: str = ""  # the name that `Described.light` returned
    detector: str = ""
    filters: tuple[str, ...] = ()
    pinhole: float | None = None  # micrometers
    contrast: str = ""
    mode: str = ""


@dataclass
class Described:
    """Fill in what the file tells; what it does not tell stays empty, and is never guessed.

    scale: by axis, in micrometers or seconds. notes: what OME has no place for, by namespace.
    """

    name: str = ""
    maker: str = ""
    microscope: str = ""
    serial: str = ""
    software: str = ""
    user: str = ""
    taken: dt.datetime | None = None
    scale: dict[str, float | None] = field(default_factory=dict)
    channels: list[Lit] = field(default_factory=list)
    notes: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    refraction: float | None = None
    instrument: model.Instrument = field(
        default_factory=lambda: model.Instrument(id="Instrument:0")
    )

    def objective(
        self,
        name: str = "",
        *,
        magnification: Any = None,
        aperture: Any = None,
        immersion: str = "",
        maker: str = "",
        serial: str = "",
        working: Any = None,
    ) -> None:
        """Add the objective; nothing is added when nothing is told."""
        made = _told(
            model=clean(name),
            manufacturer=clean(maker),
            serial_number=clean(serial),
            nominal_magnification=positive(magnification),
            lens_na=positive(aperture),
            working_distance=positive(working),
            immersion=_immersion(immersion),
        )
        if made:
            at = len(self.instrument.objectives)
            self.instrument.objectives.append(model.Objective(id=f"Objective:0:{at}", **made))

    def light(self, kind: str, name: str = "", *, wavelength: Any = None, maker: str = "") -> str:
        """Add a "laser", "led", "arc", "filament" or other light; return its name for channels."""
        classes: dict[str, tuple[Any, list[Any]]] = {
            "laser": (model.Laser, self.instrument.lasers),
            "led": (model.LightEmittingDiode, self.instrument.light_emitting_diodes),
            "arc": (model.Arc, self.instrument.arcs),
            "filament": (model.Filament, self.instrument.filaments),
        }
        other = (model.GenericExcitationSource, self.instrument.generic_excitation_sources)
        made, there = classes.get(kind, other)
        told = _told(model=clean(name), manufacturer=clean(maker))
        if kind == "laser":
            told |= _told(wavelength=positive(wavelength))
        return _once(there, made, f"LightSource:{kind}:{len(there)}", told)

    def detector(self, name: str = "", *, kind: str = "", maker: str = "", **told: Any) -> str:
        """Add a detector (kind: "PMT", "CCD", "CMOS" ...); return its name for channels."""
        values = _told(model=clean(name), manufacturer=clean(maker), type=_kind(kind), **told)
        there = self.instrument.detectors
        return _once(there, model.Detector, f"Detector:0:{len(there)}", values)

    def filter(self, name: str = "", *, low: Any = None, high: Any = None, maker: str = "") -> str:
        """Add a filter that lets light through from `low` to `high` nanometers."""
        band = _told(cut_in=positive(low), cut_out=positive(high))
        title = " - ".join(f"{edge:g}" for edge in band.values()) + " nm" if band else ""
        values = _told(model=clean(name) or title, manufacturer=clean(maker))
        if band:
            values["transmittance_range"] = model.TransmittanceRange(**band)
        there = self.instrument.filters
        return _once(there, model.Filter, f"Filter:0:{len(there)}", values)

    def facts(self, axes: str, shape: Iterable[int], dtype: np.dtype[Any]) -> Facts:
        """Return all of it as Facts of an image with these axes."""
        size = dict(zip(axes, shape, strict=True))
        ome = OME(creator=clean(self.software) or None)
        ome.images.append(self._image(size, dtype))
        scope = _told(
            manufacturer=clean(self.maker),
            model=clean(self.microscope),
            serial_number=clean(self.serial),
        )
        if scope and self.microscope:
            self.instrument.microscope = model.Microscope(**scope)
        ome.instruments.append(self.instrument)
        if clean(self.user):
            ome.experimenters.append(
                model.Experimenter(id="Experimenter:0", user_name=clean(self.user))
            )
            ome.images[0].experimenter_ref = model.ExperimenterRef(id="Experimenter:0")
        if noted := [one for one in map(_note, enumerate(self.notes.items())) if one]:
            ome.structured_annotations = model.StructuredAnnotations(map_annotations=noted)
            ome.images[0].annotation_refs = [model.AnnotationRef(id=one.id) for one in noted]
        return metadata.from_ome(ome, 0)

    def _image(self, size: dict[str, int], dtype: np.dtype[Any]) -> model.Image:
        sizes: dict[str, Any] = {f"size_{axis}": size.get(axis, 1) for axis in "xyzct"}
        known = {axis: positive(value) for axis, value in self.scale.items()}
        pixels = model.Pixels(
            id="Pixels:0",
            dimension_order=model.Pixels_DimensionOrder.XYZCT,
            type=model.PixelType(TYPES.get(dtype.name, dtype.name)),
            metadata_only=model.MetadataOnly(),
            **sizes,
            **_told(
                time_increment=known.get("t"),
                **{f"physical_size_{axis}": known.get(axis) for axis in "xyz"},
            ),
        )
        count = size.get("c", 1)
        told = self.channels if len(self.channels) == count else [Lit() for _ in range(count)]
        pixels.channels = [_channel(at, one) for at, one in enumerate(told)]
        image = model.Image(
            id="Image:0",
            name=clean(self.name, 255) or None,
            acquisition_date=self.taken,
            instrument_ref=model.InstrumentRef(id=self.instrument.id),
            pixels=pixels,
        )
        if self.instrument.objectives:
            image.objective_settings = model.ObjectiveSettings(
                id=self.instrument.objectives[0].id,
                **_told(refractive_index=positive(self.refraction)),
            )
        return image


def positive(value: Any) -> float | None:
    """Return a finite number above 0, or None: makers write 0 for what they do not know."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def rgb(color: str) -> str:
    """Return "RRGGBB" of "#AARRGGBB", "#RRGGBB" or a colour's English name; "" for another."""
    code = color.strip().lstrip("#").upper()
    code = code[2:] if len(code) == 8 else code
    if len(code) == 6 and set(code) <= set("0123456789ABCDEF"):
        return code
    return COLOURS.get(color.strip().lower(), "")


COLOURS = {
    "red": "FF0000",
    "green": "00FF00",
    "blue": "0000FF",
    "cyan": "00FFFF",
    "magenta": "FF00FF",
    "yellow": "FFFF00",
    "gray": "FFFFFF",
    "grey": "FFFFFF",
    "white": "FFFFFF",
}


def _channel(at: int, one: Lit) -> model.Channel:
    made = model.Channel(
        id=f"Channel:0:{at}",
        samples_per_pixel=1,
        **_told(
            name=clean(one.name, 120),
            fluor=clean(one.fluor),
            color=f"#{one.color}" if one.color else None,
            excitation_wavelength=positive(one.excitation),
            emission_wavelength=positive(one.emission),
            pinhole_size=positive(one.pinhole),
            contrast_method=_member(model.Channel_ContrastMethod, one.contrast),
            acquisition_mode=_member(model.Channel_AcquisitionMode, one.mode),
        ),
    )
    if one.light:
        made.light_source_settings = model.LightSourceSettings(id=one.light)
    if one.detector:
        made.detector_settings = model.DetectorSettings(id=one.detector)
    if one.filters:
        made.light_path = model.LightPath(
            emission_filters=[model.FilterRef(id=name) for name in one.filters]
        )
    return made


def _once(there: list[Any], made: Any, name: str, told: dict[str, Any]) -> str:
    """Add what is not there yet; return the name of the one that says the same."""
    if not told:
        return ""
    new = made(id=name, **told)
    for old in there:
        if old.model_copy(update={"id": name}) == new:
            return str(old.id)
    there.append(new)
    return name


def _note(numbered: tuple[int, tuple[str, Mapping[str, Any]]]) -> model.MapAnnotation | None:
    at, (namespace, values) = numbered
    pairs = [
        model.Map.M(k=clean(str(key)), value=clean(str(value), NOTE))
        for key, value in values.items()
        if clean(str(value))
    ]
    if not pairs:
        return None
    value = model.Map(ms=pairs)
    return model.MapAnnotation(id=f"Annotation:{at}", namespace=namespace, value=value)


def _told(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, "")}


def _immersion(text: str) -> str | None:
    low = text.strip().lower()
    found = (name for start, name in IMMERSIONS.items() if low.startswith(start))
    return next(found, "Other" if low and low not in {"unknown", "other", "-"} else None)


def _kind(text: str) -> Any:
    return _member(model.Detector_Type, text)


def _member(kinds: Any, text: str) -> Any:
    """Return the word of an OME enumeration that `text` is, blanks and case aside."""
    low = text.replace(" ", "").replace("-", "").lower()
    found = (one for one in kinds if one.value.replace(" ", "").lower() == low)
    return next(found, None) if low else None
