"""The last touch to what readers give: OME-XML where there is none, why a tag is unknown."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ome_types import model

from .ome.metadata import ACQUIRED, MACHINE
from .ome.omemodel import to_xml
from .source import Channel, Source

TYPES = {
    "float32": "float",
    "float64": "double",
    "int64": "int32",  # OME has no wider whole numbers: SignificantBits then says 64
    "uint64": "uint32",
}


def complete(image: Source, reader: str) -> Source:
    """Return the image with OME-XML, and a reason for each machine tag that it does not have."""
    known = {key for key, _, _ in image.tags}
    reason = f"the file does not say ({reader})"
    unknown = {key: image.unknown.get(key, reason) for key in MACHINE if key not in known}
    return replace(image, ome_xml=image.ome_xml or describe(image), unknown=unknown)


def describe(image: Source) -> str:
    """Return OME-XML of what is known of an image: sizes, calibration, channels, date and tags."""
    size = dict(zip(image.axes, image.shape, strict=True))
    channels = list(_channels(image.channels, size.get("c", 1)))
    pixels = model.Pixels(
        id="Pixels:0",
        dimension_order=model.Pixels_DimensionOrder.XYZCT,
        type=model.PixelType(TYPES.get(image.dtype.name, image.dtype.name)),
        significant_bits=image.dtype.itemsize * 8,
        size_x=size["x"],
        size_y=size["y"],
        size_z=size.get("z", 1),
        size_c=size.get("c", 1),
        size_t=size.get("t", 1),
        physical_size_x=image.scale.get("x"),
        physical_size_y=image.scale.get("y"),
        physical_size_z=image.scale.get("z"),
        time_increment=image.scale.get("t"),
        channels=channels,
        metadata_only=model.MetadataOnly(),
    )
    described = model.Image(id="Image:0", name=image.name or None, pixels=pixels)
    pairs = {key: text for key, text, _ in image.tags if key != ACQUIRED}
    for key, text, _ in image.tags:
        if key == ACQUIRED:
            with suppress(ValueError):
                described.acquisition_date = dt.datetime.fromisoformat(text)
    ome = model.OME(images=[described])
    if pairs:
        value = model.Map(ms=[model.Map.M(k=key, value=text) for key, text in pairs.items()])
        told = model.MapAnnotation(id="Annotation:0", value=value)
        ome.structured_annotations = model.StructuredAnnotations(map_annotations=[told])
        described.annotation_refs = [model.AnnotationRef(id=told.id)]
    return to_xml(ome)


def _channels(channels: tuple[Channel, ...], count: int) -> Iterator[model.Channel]:
    for at in range(count):
        told = channels[at] if at < len(channels) else {}
        more: dict[str, Any] = {}
        if "color" in told:
            more["color"] = f"#{told['color']}"
        if "excitation" in told:
            more["excitation_wavelength"] = told["excitation"]
        if "emission" in told:
            more["emission_wavelength"] = told["emission"]
        yield model.Channel(
            id=f"Channel:0:{at}", name=told.get("name"), samples_per_pixel=1, **more
        )
