"""Reading what no other reader knows through Bio-Formats, where a jar and a Java are configured.

Bio-Formats is under the GPL and needs Java: CID brings neither. `CID_BIOFORMATS_JAR` names a
`bioformats_package.jar`, `CID_BIOFORMATS_JVM` a `libjvm.so` (by default the one that JPype finds).
Nothing is fetched from anywhere.
"""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import ome_types
from numpy.typing import NDArray

from ...errors import BadFile
from .lazy import lazy
from .ome import metadata, omexml
from .source import Source, source

JAR, JVM = "CID_BIOFORMATS_JAR", "CID_BIOFORMATS_JVM"
MOST_IMAGES = 1000
# Formats of microscopes that only Bio-Formats reads; those that name other files at will are not
# among them.
SUFFIXES = frozenset(
    {".dv", ".r3d", ".d3d", ".ims", ".oir", ".poir", ".zvi", ".lei", ".xlef", ".lof", ".ipl"}
    | {".ics", ".ids", ".mvd2", ".sld", ".spl", ".scn", ".pic", ".liff", ".flex", ".1sc", ".cxd"}
    | {".dm3", ".dm4", ".dm2", ".al3d", ".am", ".amiramesh", ".mrc", ".st", ".ali", ".map", ".rec"}
    | {".obf", ".msr", ".fdf", ".ipm", ".ipw", ".hed", ".img", ".xdce", ".vms", ".qptiff"}
)
# A Java that fits into the address space of a child.
OPTIONS = (
    "-Xmx1g",
    "-Xss1m",
    "-XX:+UseSerialGC",
    "-XX:CompressedClassSpaceSize=64m",
    "-XX:ReservedCodeCacheSize=64m",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
)
TYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where Bio-Formats and Java are; `jvm` is empty for the Java that is found."""

    jar: Path
    jvm: str = ""


def settings(environ: Mapping[str, str]) -> Settings | None:
    """Return what is configured, or None."""
    jar = environ.get(JAR, "")
    return Settings(Path(jar), environ.get(JVM, "")) if jar else None


def is_for_bioformats(path: Path, head: bytes) -> bool:
    """Say whether Bio-Formats is configured and a file is of a kind that only it reads."""
    return path.suffix.lower() in SUFFIXES and path.is_file() and settings(os.environ) is not None


def open_bioformats(path: Path) -> list[Source]:
    """Return every series of a file. BadFile: not configured, or it cannot be read."""
    told = settings(os.environ)
    if told is None:
        raise BadFile(
            f"Bio-Formats is not configured: ask the facility to set {JAR} to a"
            " bioformats_package.jar, or convert the file to OME-TIFF"
        )
    held = _Held(_start(told))
    reader, xml = held.reader, held.open(path)
    if reader.getSeriesCount() > MOST_IMAGES:
        raise BadFile(f"it holds {reader.getSeriesCount()} images, more than {MOST_IMAGES}")
    return list(_images(held, xml))


def _images(held: _Held, xml: str) -> Iterator[Source]:
    reader = held.reader
    try:
        omexml.inspect(xml, "metadata")
        ome = ome_types.from_xml(xml)
    except (omexml.Malformed, ValueError, TypeError) as error:
        raise BadFile(f"Bio-Formats tells of it what cannot be read: {error!s:.100}") from None
    for number in range(reader.getSeriesCount()):
        reader.setSeries(number)
        if reader.isThumbnailSeries():
            continue
        kind = np.dtype(TYPES[int(reader.getPixelType())])
        dtype = kind.newbyteorder("<" if reader.isLittleEndian() else ">")
        samples = int(reader.getRGBChannelCount())
        sizes = [int(reader.getSizeT()), int(reader.getEffectiveSizeC()), int(reader.getSizeZ())]
        height, width = int(reader.getSizeY()), int(reader.getSizeX())
        shape = (*sizes, samples, height, width)
        read = _window(held, number, samples, dtype)
        array = lazy(shape, kind, read, together=(1, 1, 1, samples))
        facts = metadata.from_ome(ome, number, xml)
        yield source(facts, "TCZSYX" if samples > 1 else "TCZQYX", array)


def _window(held: _Held, number: int, samples: int, dtype: np.dtype[Any]) -> Any:
    def read(index: tuple[int, ...], rows: slice, columns: slice) -> NDArray[Any]:
        t, c, z, sample = index
        reader = held.reader
        reader.setSeries(number)
        plane = reader.getIndex(z, c, t)
        high, wide = rows.stop - rows.start, columns.stop - columns.start
        data = bytes(reader.openBytes(plane, columns.start, rows.start, wide, high))
        pixels = np.frombuffer(data, dtype, high * wide * samples)
        if samples > 1 and reader.isInterleaved():
            pixels = pixels.reshape(high, wide, samples)[..., sample]
        else:
            pixels = pixels.reshape(samples, high, wide)[sample]
        return pixels[:: rows.step or 1, :: columns.step or 1]

    return read


# --- Java -------------------------------------------------------------------------------------


def _start(told: Settings) -> Any:
    """Return the package `loci` of a running Java; it ends with this process."""
    try:
        import jpype
    except ImportError:
        raise BadFile(
            "Bio-Formats is not configured: the Python package JPype1 is not installed"
        ) from None
    if not told.jar.is_file():
        raise BadFile(f"Bio-Formats is not configured: {JAR} names no file ({told.jar.name})")
    if not jpype.isJVMStarted():
        try:
            where = told.jvm or jpype.getDefaultJVMPath()
            scratch = f"-Djava.io.tmpdir={tempfile.gettempdir()}"  # the only folder it may write
            how = {"classpath": [str(told.jar)], "convertStrings": True}
            jpype.startJVM(where, *OPTIONS, scratch, **how)
        except Exception as error:
            raise BadFile(
                f"Bio-Formats is not configured: no Java could be started ({error!s:.120})"
            ) from None
        # what a file makes it say does not reach the log
        jpype.JClass("loci.common.DebugTools").setRootLevel("OFF")
    return jpype.JPackage("loci")


class _Held:
    """A reader of Bio-Formats, closed when the last image of its file is forgotten."""

    def __init__(self, loci: Any) -> None:
        self.service = loci.common.services.ServiceFactory().getInstance(
            loci.formats.services.OMEXMLService.class_
        )
        self.reader = loci.formats.ImageReader()
        weakref.finalize(self, self.reader.close)

    def open(self, path: Path) -> str:
        """Open a file and return its OME-XML; BadFile when it leads to files elsewhere."""
        told = self.service.createOMEXMLMetadata()
        try:
            self.reader.setMetadataStore(told)
            self.reader.setOriginalMetadataPopulated(False)
            self.reader.setId(str(path))
            used = [Path(str(name)).resolve() for name in self.reader.getUsedFiles()]
        except Exception as error:
            text = " ".join(str(error).split())
            raise BadFile(f"Bio-Formats cannot read it: {text[:160]}") from None
        if any(path.resolve().parent not in name.parents for name in used):
            raise BadFile("it leads to files in other folders: upload them together")
        return str(self.service.getOMEXML(told))
