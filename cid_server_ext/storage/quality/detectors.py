"""What the file says of its detectors, as far as measuring can use it: the bits of a pixel.

OME's Detector Gain and Offset are what a knob was set to (volts of a photomultiplier, steps of a
camera), seldom the grey levels of one photon. So they are used where the image's own noise agrees.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from .noise import Detector

OME = Path("OME") / "METADATA.ome.xml"
LARGEST = 64 << 20  # bytes of OME-XML
AGREES = 1.25  # the file's gain and that of the noise, the one over the other


@dataclass(frozen=True, slots=True)
class Said:
    """bits: of one pixel. detectors: one for each channel, None where the file does not say."""

    bits: int | None = None
    detectors: tuple[Detector | None, ...] = ()

    def of(self, channel: int) -> Detector | None:
        """Return what is said of a channel's detector."""
        return self.detectors[channel] if channel < len(self.detectors) else None


def said(store: Path, channels: int) -> Said:
    """Return what the store's OME-XML says of its only image; nothing where there are several."""
    path = store / OME
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return Said()
        root = ElementTree.parse(path).getroot()
        (pixels,) = root.iterfind("{*}Image/{*}Pixels")
        known = {d.get("ID"): d for d in root.iterfind("{*}Instrument/{*}Detector")}
        told = tuple(_detector(c, known) for c in pixels.iterfind("{*}Channel"))
        bits = pixels.get("SignificantBits")
        return Said(int(bits) if bits else None, told if len(told) == channels else ())
    except (OSError, ValueError, ElementTree.ParseError):
        return Said()  # a sidecar that cannot be read says nothing


def agree(one: Detector | None, gain: float | None) -> bool:
    """Say whether a file's gain is what the noise tells."""
    if one is None or gain is None or not gain > 0:
        return False
    return 1 / AGREES <= one.gain / gain <= AGREES


def _detector(channel: Element, known: Mapping[str | None, Element]) -> Detector | None:
    settings = channel.find("{*}DetectorSettings")
    if settings is None:
        return None
    device = known.get(settings.get("ID"))
    both = [settings] if device is None else [settings, device]
    gain, offset = (
        next((float(one.attrib[name]) for one in both if name in one.attrib), 0.0)
        for name in ("Gain", "Offset")
    )
    good = gain > 0 and math.isfinite(gain) and math.isfinite(offset)
    return Detector(gain, offset) if good else None
