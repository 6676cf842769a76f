"""Looking at OME-XML before anything else parses it: no entities, no DTD, no other files."""

from __future__ import annotations

import xml.parsers.expat
from dataclasses import dataclass, field

from ....errors import BadFile

LARGEST = 64 << 20  # characters; real ones reach some tens of MB with a line for each plane
DEEPEST = 100


class Malformed(Exception):
    """The text is no well-formed XML; the pixels may still be good."""


@dataclass
class Outline:
    """What the OME-XML promises of the file it is in.

    planes: planes of each Image; uuid: what the file is called whatever its name is.
    files: (name, UUID) of every file that its pixels lie in; others: the names of further ones.
    metadata_file: where the metadata of a file without its own is.
    """

    planes: list[int] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    binary_only: bool = False
    uuid: str = ""
    files: dict[tuple[str, str], None] = field(default_factory=dict)
    metadata_file: tuple[str, str] = ("", "")
    is_ome: bool = False


def looks_like_ome(text: str) -> bool:
    """Say whether a TIFF's description is OME-XML, well formed or not."""
    return "<OME" in text[:4096] or "<ome:OME" in text[:4096]


def inspect(text: str, filename: str) -> Outline:
    """Return the outline of OME-XML in the file called `filename`.

    BadFile: it is too large or too deep, or declares a DTD or entities, which could read other
    files or grow without end. Malformed: it is no XML.
    """
    if len(text) > LARGEST:
        raise BadFile("its OME-XML is larger than 64 MB: no real metadata is")
    return _Inspector(filename).run(text)


class _Inspector:
    """One pass of expat, which fetches nothing."""

    def __init__(self, filename: str) -> None:
        self.filename = filename
        self.outline = Outline()
        self.depth = 0
        self.named: str | None = None  # FileName of the UUID element we are in
        self.text = ""

    def run(self, text: str) -> Outline:
        parser = xml.parsers.expat.ParserCreate(namespace_separator=" ")
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            parser.Parse(text, True)
        except xml.parsers.expat.ExpatError as error:
            raise Malformed(str(error)) from None
        return self.outline

    def _refuse(self, *_: object) -> None:
        raise BadFile("its OME-XML declares a DTD or entities: export the file again without them")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise BadFile("its OME-XML is nested deeper than any real metadata")
        name = tag.rpartition(" ")[2]
        if name == "OME":
            self.outline.is_ome = True
            self.outline.uuid = attributes.get("UUID", "")
        elif name == "BinaryOnly":
            self.outline.binary_only = True
            told = attributes.get("MetadataFile", ""), attributes.get("UUID", "")
            self.outline.metadata_file = told
        elif name == "Pixels":
            self.outline.planes.append(_planes(attributes))
        elif name == "UUID":
            self.named, self.text = attributes.get("FileName", ""), ""

    def _characters(self, text: str) -> None:
        if self.named is not None:
            self.text += text

    def _end(self, tag: str) -> None:
        self.depth -= 1
        if tag.rpartition(" ")[2] != "UUID" or self.named is None:
            return
        self.outline.files[self.named, self.text] = None
        own = self.text == self.outline.uuid  # to the letter, as the reader compares them
        if not own and self.named != self.filename:  # a renamed file still knows its own UUID
            self.outline.others.append(self.named or self.text)
        self.named = None


def _planes(attributes: dict[str, str]) -> int:
    planes = 1
    for key in ("SizeT", "SizeC", "SizeZ"):
        try:
            planes *= max(1, int(attributes.get(key, "1")))
        except ValueError:
            raise BadFile(f"its OME-XML gives a {key} that is no number") from None
    return planes
