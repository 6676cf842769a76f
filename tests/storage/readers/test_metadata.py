"""What the file says is taken, what it does not say stays unknown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import ome_types
import pytest
import tifffile

from cid_server_ext.storage.readers.ngff import facts
from cid_server_ext.storage.readers.ome import metadata
from cid_server_ext.storage.readers.tiffs import plain
from cid_server_ext.storage.readers.values import clean

PLAIN = {"XResolution": (100000, 1), "YResolution": (100000, 1), "ResolutionUnit": 3}


def ome(real: Path) -> ome_types.OME:
    with tifffile.TiffFile(real / "crafted/ometiff/rich_dna_conf_wf.ome.tif") as file:
        return ome_types.from_xml(file.pages.first.description)


def test_ome_tells_calibration_channels_and_machine_tags(real: Path) -> None:
    facts = metadata.from_ome(ome(real), 0, "<xml/>")
    assert facts.scale == {"t": 59.86, "z": 0.499, "y": 0.512, "x": 0.512}
    assert facts.channels == (
        {"name": "confocal 488", "color": "00FF00", "excitation": "488", "emission": "525"},
        {"name": "widefield 561", "color": "FF0000", "excitation": "561", "emission": "607"},
    )
    assert {key: (text, number) for key, text, number in facts.tags} == {
        "Acquisition software": ("crafted test file", None),
        "Acquisition date": ("2024-03-31T02:30:00", None),
        "User": ("Zoë Müller-Łukasz", None),
        "Microscope": ("Nikon Ti-E", None),
        "Objective": ("Nikon Plan Apo VC 100x NA 1.4 Oil", 100.0),
        "Lasers": ("Coherent Sapphire 488; Cobolt Jive 561", None),
        "Filters": ("Chroma GFP; Chroma ET470/40x; Chroma ET525/50m; Chroma T495lpxr", None),
        "Tube/Detector": ("Photometrics Evolve 512", None),
    }


def test_ome_that_says_nothing_yields_nothing() -> None:
    pixels = ome_types.model.Pixels(
        size_c=1, size_t=1, size_x=2, size_y=2, size_z=1, type="uint8", dimension_order="XYZCT"
    )
    pixels.channels = [ome_types.model.Channel()]
    text = ome_types.OME(images=[ome_types.model.Image(pixels=pixels)], creator="tifffile.py 2026")
    facts = metadata.from_ome(text, 0, "")
    assert (facts.scale, facts.units, facts.channels, facts.tags) == ({}, {}, ({},), ())


@pytest.mark.filterwarnings("ignore:Casting invalid")  # the library's remark on bad.ome.xml
@pytest.mark.parametrize(
    "name", ["instrument", "tubhiswt", "filter", "hcs", "bad", "mapannotation"]
)
def test_real_ome_xml_is_understood(real: Path, name: str) -> None:
    model = ome_types.from_xml((real / f"omexml/{name}.ome.xml").read_text())
    facts = metadata.from_ome(model, 0, "")
    assert set(facts.scale) == set(facts.units)
    assert all(text and len(text) <= 400 for _, text, _ in facts.tags)


@pytest.mark.parametrize(
    ("imagej", "scale"),
    [
        ({"unit": "um", "spacing": 0.5}, {"z": 0.5, "y": 0.1, "x": 0.1}),
        ({"unit": "nm", "spacing": 250.0}, {"z": 0.25, "y": 1e-4, "x": 1e-4}),
        ({"unit": "pixel", "spacing": 1.0}, {}),
        ({"spacing": 1.0}, {}),
        ({"unit": "um", "finterval": 2.0}, {"t": 2.0, "y": 0.1, "x": 0.1}),
        ({"unit": "um", "finterval": 0.0, "spacing": "x"}, {"y": 0.1, "x": 0.1}),
    ],
)
def test_imagej_calibration(imagej, scale) -> None:
    tags = {"XResolution": (10, 1), "YResolution": (10, 1), "ResolutionUnit": 1}
    assert plain.from_imagej(imagej, tags).scale == pytest.approx(scale)


@pytest.mark.parametrize(
    ("tags", "scale"),
    [
        (PLAIN, {"y": 0.1, "x": 0.1}),
        ({**PLAIN, "ResolutionUnit": 2}, {"y": 0.254, "x": 0.254}),
        ({**PLAIN, "ResolutionUnit": 1}, {}),
        ({**PLAIN, "XResolution": (96, 1), "YResolution": (96, 1), "ResolutionUnit": 2}, {}),
        ({**PLAIN, "XResolution": (1200, 1), "YResolution": (1200, 1), "ResolutionUnit": 2}, {}),
        ({**PLAIN, "XResolution": (1, 1), "YResolution": (1, 1), "ResolutionUnit": 2}, {}),
        ({**PLAIN, "XResolution": (0, 0)}, {}),
        ({**PLAIN, "XResolution": (1, 0)}, {}),
        ({**PLAIN, "XResolution": "wrong"}, {}),
        ({}, {}),
    ],
)
def test_a_printers_resolution_is_no_pixel_size(tags, scale) -> None:
    assert plain.from_tiff(tags).scale == pytest.approx(scale)


def test_tiff_tags_tell_software_and_date_unless_a_converter_wrote_them() -> None:
    told = plain.from_tiff({"Software": "MetaMorph 7.8", "DateTime": "2019:03:31 02:30:00"}).tags
    assert told == (
        ("Acquisition software", "MetaMorph 7.8", None),
        ("Acquisition date", "2019-03-31T02:30:00", None),
    )
    assert plain.from_tiff({"Software": "tifffile.py", "DateTime": "yesterday"}).tags == ()


def test_composites_have_the_colours_of_their_tables() -> None:
    ramp = np.arange(256, dtype=np.uint8)
    none = np.zeros(256, np.uint8)
    imagej = {
        "mode": "composite",
        "LUTs": [np.array([ramp, none, ramp]), np.array([none, ramp, none])],
    }
    found = plain.from_imagej(imagej, {}).channels
    assert found == ({"color": "FF00FF"}, {"color": "00FF00"})
    assert plain.from_imagej({**imagej, "mode": "grayscale"}, {}).channels == ()


def test_ngff_axes_without_a_unit_are_not_calibrated() -> None:
    multiscale = {
        "axes": [
            {"name": "z", "type": "space", "unit": "nanometer"},
            {"name": "y", "type": "space"},
            {"name": "x", "type": "space", "unit": "micrometer"},
        ],
        "datasets": [{"coordinateTransformations": [{"type": "scale", "scale": [200, 1, 0.1]}]}],
        "coordinateTransformations": [{"type": "scale", "scale": [2, 1, 3]}],
    }
    omero = {"channels": [{"label": "a", "color": "#00ff00"}, {"label": 7, "color": "red"}]}
    found = facts.from_ngff(multiscale, omero)
    assert found.scale == pytest.approx({"z": 0.4, "x": 0.3})
    assert found.channels == ({"name": "a", "color": "00FF00"}, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  a \n\t b\x00 ", "a b"),
        ("x\u202egnp.exe", "xgnp.exe"),
        (None, ""),
        ("é" * 500, "é" * 400),
    ],
)
def test_text_is_cleaned_to_one_line(text, expected) -> None:
    assert clean(text) == expected
