"""Whether a template takes an image: asked before anything starts, told with what would mend it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ...errors import BadInput
from .manifest import Contract, Manifest

Light = Literal["green", "amber", "red"]

SCALES = {"pixel size": "yx", "z step": "z", "time step": "t"}
"""What a contract may need of the calibration, and the axes that must have it."""

WAVELENGTHS = {"excitation": "excitation", "emission": "emission"}
"""What a contract may need of every channel. Any other word is a key of the vocabulary."""

FEW = 6  # names in a sentence

Asked = Any  # an Image, or a row with name, kind, axes, shape, dtype, scale and channels


@dataclass(frozen=True, slots=True)
class Note:
    """One thing to know: `red` and it cannot run, `amber` and it can. `fix` says what to do."""

    light: Light
    about: str  # axes, channels, dtype, a parameter, a key
    message: str
    fix: str


def require(
    manifest: Manifest, image: Asked, values: Mapping[str, Any], keys: Collection[str] = ()
) -> None:
    """Raise BadInput with the first reason why the template does not take the image."""
    for note in notes(manifest, image, values, keys):
        if note.light == "red":
            title = manifest.template.name
            raise BadInput(f"{title} does not take {image.name!r}: {note.message}; {note.fix}")


def notes(
    manifest: Manifest, image: Asked, values: Mapping[str, Any], keys: Collection[str] = ()
) -> Iterator[Note]:
    """Say all that is to say of one image; `keys` are those of the tags that it has."""
    yield from of(manifest.inputs, image, keys)
    if image.kind != manifest.inputs.kind:
        return
    lengths = dict(zip(image.axes, image.shape, strict=True))
    for name, parameter in manifest.parameters.items():
        if parameter.type == "channel" and name in values:
            yield from _one_channel(name, values[name], lengths, image)


def of(asked: Contract, image: Asked, keys: Collection[str] = ()) -> Iterator[Note]:
    """Say what one contract says of an image: that of the main one, or of a further input."""
    if image.kind != asked.kind:
        fix = (
            "choose the image that it was made from" if image.kind == "labels" else "choose labels"
        )
        yield Note("red", "kind", f"it takes {_a(asked.kind)}, this is {_a(image.kind)}", fix)
        return
    lengths = dict(zip(image.axes, image.shape, strict=True))
    yield from _axes(asked, lengths)
    yield from _channels(asked, lengths)
    if asked.dtypes and image.dtype not in asked.dtypes:
        kinds = ", ".join(asked.dtypes)
        fix = f"convert it to {asked.dtypes[0]} with a template that does"
        yield Note("red", "dtype", f"it takes {kinds}, this is {image.dtype}", fix)
    yield from _size(asked, image)
    yield from _known("red", asked.needs, lengths, image, keys)
    yield from _known("amber", asked.wants, lengths, image, keys)


def keys(manifest: Manifest) -> frozenset[str]:
    """Return the keys of the vocabulary that the contracts name."""
    words: set[str] = set()
    for asked in (manifest.inputs, *manifest.inputs.also):
        words |= {*asked.needs, *asked.wants}
    return frozenset(words - SCALES.keys() - WAVELENGTHS.keys())


def channel(value: int | str, image: Asked) -> int:
    """Return the index that a channel's number or name means here; raises ValueError with why."""
    count = _count(dict(zip(image.axes, image.shape, strict=True)))
    names = [str(one.get("name", "")) for one in image.channels]
    told = ", ".join(filter(None, names)) if 0 < len(names) <= FEW else f"{count} of them"
    if isinstance(value, int):
        if value >= count:
            raise ValueError(f"there is no channel {value}: counted from 0 it has {told}")
        return int(value)
    same = [at for at, name in enumerate(names) if name.casefold() == value.strip().casefold()]
    if len(same) != 1:
        found = f"{len(same)} channels are called" if same else "there is no channel"
        raise ValueError(f"{found} {value!r}: it has {told}")
    return int(same[0])


def nbytes(image: Asked) -> int:
    """Return the bytes of its pixels, not compressed."""
    digits = "".join(filter(str.isdigit, image.dtype))
    return int(math.prod(image.shape)) * (int(digits) // 8 if digits else 1)


def _axes(asked: Contract, lengths: Mapping[str, int]) -> Iterator[Note]:
    for axis in asked.axes:
        what, thing = {"z": ("a stack", "plane"), "t": ("a series", "time point")}.get(
            axis, ("", "")
        )
        if axis not in lengths:
            fix = f"choose {what or 'another image'}"
            yield Note("red", "axes", f"it needs axis {axis}, this has {''.join(lengths)}", fix)
        elif what and lengths[axis] == 1:
            yield Note("red", "axes", f"it needs {what}, this is one {thing}", f"choose {what}")
    for axis in asked.without:
        if lengths.get(axis, 1) > 1:
            fix = "crop it, or use a template for this kind"
            message = f"it takes none with axis {axis}, this has {lengths[axis]} in {axis}"
            yield Note("red", "axes", message, fix)


def _channels(asked: Contract, lengths: Mapping[str, int]) -> Iterator[Note]:
    low, high = asked.least_channels, asked.most_channels
    count = _count(lengths)
    if low <= count and (high is None or count <= high):
        return
    takes = f"{low}" if low == high else f"at least {low}" if high is None else f"{low} to {high}"
    words = "channel" if takes == "1" else "channels"
    fix = "choose an image that has them" if count < low else "crop it to the channels it is about"
    yield Note("red", "channels", f"it takes {takes} {words}, this has {count}", fix)


def _size(asked: Contract, image: Asked) -> Iterator[Note]:
    if asked.largest_bytes and nbytes(image) > asked.largest_bytes:
        has = nbytes(image) / 1e9
        message = f"it takes up to {asked.largest}, this has {has:.1f} GB of pixels"
        yield Note("red", "size", message, "crop it, or ask staff for a template with more memory")


def _known(
    light: Light,
    words: Sequence[str],
    lengths: Mapping[str, int],
    image: Asked,
    keys: Collection[str],
) -> Iterator[Note]:
    says = "it needs" if light == "red" else "it is better with"
    for word in words:
        if word in SCALES:
            if any(axis in lengths and axis not in image.scale for axis in SCALES[word]):
                fix = "register the microscope's calibration, or import the file that has it"
                yield Note(light, word, f"{says} the {word}, which is not known here", fix)
        elif word in WAVELENGTHS:
            dark = [
                str(one.get("name") or at)
                for at, one in enumerate(image.channels or [{}])
                if one.get(WAVELENGTHS[word]) is None
            ]
            if dark:
                of = ", ".join(dark[:FEW])
                message = f"{says} the {word} wavelength, which is not known of {of}"
                yield Note(light, word, message, "give it as a parameter, or register the filters")
        elif word not in keys:
            message = f"{says} the tag {word!r}, which it does not have"
            yield Note(light, word, message, f"tag it: annotate(images, set={{{word!r}: …}})")


def _one_channel(name: str, value: Any, lengths: Mapping[str, int], image: Asked) -> Iterator[Note]:
    try:
        channel(value, image)
    except ValueError as error:
        yield Note("red", name, str(error), f"choose another {name}")


def _count(lengths: Mapping[str, int]) -> int:
    return lengths.get("c", 1)


def _a(kind: str) -> str:
    return "labels" if kind == "labels" else f"an {kind}"
