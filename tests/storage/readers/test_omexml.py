"""OME-XML is looked at before it is trusted: nothing is fetched, expanded or opened."""

from __future__ import annotations

import time

import pytest

from cid_server_ext.errors import BadFile
from cid_server_ext.storage.readers.ome.omexml import Malformed, inspect, looks_like_ome

HEAD = '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:1">'


def image(inside: str = "", size: str = 'SizeT="1" SizeC="2" SizeZ="3"') -> str:
    return f'{HEAD}<Image ID="Image:0"><Pixels ID="Pixels:0" {size}>{inside}</Pixels></Image></OME>'


def test_the_outline_counts_planes_of_every_image() -> None:
    outline = inspect(image(), "a.ome.tif")
    assert (outline.is_ome, outline.planes, outline.others) == (True, [6], [])


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB + "]><OME>&j;</OME>",
        '<!DOCTYPE OME [<!ENTITY x SYSTEM "file:///etc/passwd">]><OME>&x;</OME>',
        '<!DOCTYPE OME [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]><OME/>',
        '<!DOCTYPE OME SYSTEM "http://127.0.0.1:9/x.dtd"><OME/>',
        "<OME>" * 500 + "</OME>" * 500,
        image(size='SizeT="many"'),
    ],
    ids=["bomb", "file", "parameter", "dtd", "deep", "number"],
)
def test_hostile_xml_is_refused_at_once(text: str) -> None:
    start = time.thread_time()
    with pytest.raises(BadFile):
        inspect(text, "a.ome.tif")
    assert time.thread_time() - start < 1


def test_more_text_than_any_metadata_is_refused() -> None:
    with pytest.raises(BadFile, match="64 MB"):
        inspect("x" * ((64 << 20) + 1), "a.ome.tif")


def test_broken_xml_is_told_apart_from_hostile_xml() -> None:
    with pytest.raises(Malformed):
        inspect(image()[:-20], "a.ome.tif")
    assert looks_like_ome(image()[:-20])
    assert not looks_like_ome("ImageJ=1.53c\nimages=3\n")


@pytest.mark.parametrize(
    ("uuid", "name", "others"),
    [
        ("urn:uuid:1", "before-renaming.ome.tif", []),
        ("urn:uuid:2", "a.ome.tif", []),
        ("urn:uuid:2", "../../images/ab/other.tif", ["../../images/ab/other.tif"]),
        ("URN:UUID:1", "../x.tif", ["../x.tif"]),
        (" urn:uuid:1", "../x.tif", ["../x.tif"]),
    ],
)
def test_other_files_that_the_pixels_lie_in_are_named(uuid, name, others) -> None:
    """The reader would open them wherever they are, so it must not get that far."""
    text = image(f'<TiffData IFD="0"><UUID FileName="{name}">{uuid}</UUID></TiffData>')
    assert inspect(text, "a.ome.tif").others == others


def test_a_file_without_pixels_of_its_own_is_noticed() -> None:
    text = f'{HEAD}<BinaryOnly MetadataFile="x.companion.ome" UUID="urn:uuid:3"/></OME>'
    assert inspect(text, "a.ome.tif").binary_only
