"""OME-XML for a file that is made of a stored image: its own, told anew where the file differs."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from .picture import Picture
from .said import Said

if TYPE_CHECKING:
    from ome_types import OME, model

SIDECAR = "OME/METADATA.ome.xml"
NAMESPACE = "cid/tags"
ANNOTATION = "Annotation:CID"
ROOM, A_TAG, A_CHANNEL = 8 << 10, 64, 256  # bytes beside what is told
LARGEST = 32 << 20  # of a sidecar that is told again: a larger one stays where it is
END = "</OME>"
TYPES = {"float32": "float", "float64": "double"}


def room(picture: Picture, said: Said) -> int:
    """Return how many bytes the text gets, known without reading any of it."""
    tags = sum(len(key.encode()) + len(value.encode()) + A_TAG for key, value in said.tags)
    names = 6 * (tags + len(said.name.encode()))  # "&quot;" for each letter at worst
    return ROOM + 2 * _sidecar(picture.store) + names + A_CHANNEL * picture.size("c")


def described(picture: Picture, said: Said, planes: int, nbytes: int) -> bytes:
    """Return the text of exactly `nbytes`, the blanks before its last element, and a NUL."""
    from ..readers.ome.omemodel import to_xml  # a second, for those who need it

    ome = _told(picture, said, planes)
    text = to_xml(ome)
    if len(text.encode()) >= nbytes:  # what is told of each plane and region takes the room
        ome.rois, ome.images[0].roi_refs = [], []
        ome.images[0].pixels.planes = []
        text = to_xml(ome)
    if len(text.encode()) >= nbytes:
        text = to_xml(_told(picture, said, planes, anew=True))
    start = text.rstrip().removesuffix(END).encode()
    return start + b" " * (nbytes - 1 - len(start) - len(END)) + END.encode() + b"\0"


def _sidecar(store: Path) -> int:
    try:
        nbytes = (store / SIDECAR).stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return 0
    return nbytes if nbytes <= LARGEST else 0


def _told(picture: Picture, said: Said, planes: int, *, anew: bool = False) -> OME:
    from ome_types import model

    ome = _own(picture.store) if not anew and _sidecar(picture.store) else None
    if ome is None or len(ome.images) != 1:
        pixels = model.Pixels(
            id="Pixels:0", dimension_order="XYZCT", type="uint8",
            size_x=1, size_y=1, size_z=1, size_c=1, size_t=1, metadata_only=model.MetadataOnly(),
        )  # fmt: skip
        ome = model.OME(images=[model.Image(id="Image:0", pixels=pixels)])
    ome.plates, ome.screens, ome.datasets, ome.projects, ome.folders = [], [], [], [], []
    ome.binary_only = None
    ome.uuid = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'cid:{said.uid}:ome-tiff')}"
    image = ome.images[0]
    image.name = said.name
    _measure(picture, image.pixels)
    _lay_out(picture, image.pixels, planes)
    _tag(ome, said)
    return ome


def _own(store: Path) -> OME | None:
    from ..readers.ome.omemodel import from_xml

    try:
        return from_xml((store / SIDECAR).read_text("utf-8"))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _measure(picture: Picture, pixels: model.Pixels) -> None:
    """Say how large a pixel is, as the store has it; what that does not know stays as it was."""
    from ome_types.model import UnitsLength, UnitsTime

    for axis in "xyz":
        if axis in picture.scale:
            setattr(pixels, f"physical_size_{axis}", picture.scale[axis])
            setattr(pixels, f"physical_size_{axis}_unit", UnitsLength.MICROMETER)
    if "t" in picture.scale:
        pixels.time_increment, pixels.time_increment_unit = picture.scale["t"], UnitsTime.SECOND


def _lay_out(picture: Picture, pixels: model.Pixels, planes: int) -> None:
    """Say how the planes lie in this file."""
    from ome_types import model

    for axis in "xyzct":
        setattr(pixels, f"size_{axis}", picture.size(axis))
    kind = model.PixelType(TYPES.get(picture.dtype.name, picture.dtype.name))
    if pixels.type != kind:
        pixels.type, pixels.significant_bits = kind, 8 * picture.dtype.itemsize
    pixels.dimension_order = model.Pixels_DimensionOrder.XYZCT
    pixels.big_endian, pixels.interleaved = False, True if picture.rgb else None
    pixels.bin_data_blocks, pixels.metadata_only = [], None
    pixels.tiff_data_blocks = [model.TiffData(ifd=0, plane_count=planes)]
    pixels.channels = _channels(picture, pixels)
    size = (picture.size("c") // (3 if picture.rgb else 1), picture.size("z"), picture.size("t"))
    pixels.planes = [
        plane
        for plane in pixels.planes
        if plane.the_c < size[0] and plane.the_z < size[1] and plane.the_t < size[2]
    ]


def _channels(picture: Picture, pixels: model.Pixels) -> list[model.Channel]:
    from ome_types import model

    if picture.rgb:
        first = pixels.channels[0] if len(pixels.channels) == 1 else model.Channel(id="Channel:0:0")
        first.samples_per_pixel = 3
        return [first]
    if len(pixels.channels) == picture.size("c"):
        for channel in pixels.channels:
            channel.samples_per_pixel = 1
        return list(pixels.channels)
    return [
        model.Channel(id=f"Channel:0:{at}", samples_per_pixel=1, **_look(picture, at))
        for at in range(picture.size("c"))
    ]


def _look(picture: Picture, at: int) -> dict[str, str]:
    if at >= len(picture.channels):
        return {}
    told = picture.channels[at]
    return {"name": told.name, "color": f"#{told.colour}"}


def _tag(ome: OME, said: Said) -> None:
    """Put the catalog's tags into it, beside what was annotated before."""
    from ome_types import model

    found = ome.structured_annotations or model.StructuredAnnotations()
    pairs = [("CID", said.uid), *said.tags]
    told = model.Map(ms=[model.Map.M(k=key, value=value) for key, value in pairs])
    tags = model.MapAnnotation(id=ANNOTATION, namespace=NAMESPACE, value=told)
    others = [one for one in found.map_annotations if one.id != ANNOTATION]
    found.map_annotations = [*others, tags]
    ome.structured_annotations = found
    image = ome.images[0]
    refs = [one for one in image.annotation_refs if one.id != ANNOTATION]
    image.annotation_refs = [*refs, model.AnnotationRef(id=ANNOTATION)]
