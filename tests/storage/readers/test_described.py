"""The OME model of one image: what was told, each part once, and nothing that was not."""

from __future__ import annotations

import datetime as dt

import numpy as np
import ome_types
import pytest

from cid_server_ext.storage.readers.described import Described, Lit, positive, rgb

UINT16 = np.dtype("uint16")


def test_nothing_told_makes_nothing_up() -> None:
    facts = Described().facts("yx", (4, 5), UINT16)
    assert (facts.name, facts.scale, facts.tags) == ("", {}, ())
    ome = ome_types.from_xml(facts.ome_xml or "")
    assert ome.instruments[0].microscope is None
    assert ome.images[0].acquisition_date is None
    assert not ome.structured_annotations.map_annotations
    assert (ome.images[0].pixels.size_x, ome.images[0].pixels.size_y) == (5, 4)


def test_what_is_told_is_kept_whole() -> None:
    told = Described(
        name="cells",
        maker="Maker",
        microscope="Stand",
        software="Program 2",
        user="a.b",
        taken=dt.datetime(2020, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
        scale={"x": 0.1, "y": 0.1, "z": 0.0, "t": None},
        notes={"maker.com/x": {"Zoom": 2, "empty": " ", "bad\0sign": "a\x07b"}},
    )
    told.objective("Plan 60x", magnification="60", aperture=1.4, immersion="OIL ")
    laser = told.light("laser", "Line", wavelength=488)
    assert told.light("laser", "Line", wavelength=488) == laser
    named = told.filter("", low=500, high=550)
    told.channels = [
        Lit("GFP", "00FF00", 488, 509, "EGFP", laser, told.detector("PMT 1", kind="PMT"), (named,)),
        Lit("DIC", contrast="dic"),
    ]
    facts = told.facts("cyx", (2, 4, 5), UINT16)
    assert facts.scale == {"x": 0.1, "y": 0.1}
    assert [one["name"] for one in facts.channels] == ["GFP", "DIC"]
    tags = {key: text for key, text, _ in facts.tags}
    assert tags["Lasers"] == "Line 488 nm"
    assert tags["Filters"] == "500 - 550 nm"
    ome = ome_types.from_xml(facts.ome_xml or "")
    (lens,) = ome.instruments[0].objectives
    assert (lens.nominal_magnification, lens.immersion.value) == (60, "Oil")
    gfp, dic = ome.images[0].pixels.channels
    assert gfp.light_source_settings.id == laser
    assert dic.contrast_method.value == "DIC"
    (note,) = ome.structured_annotations.map_annotations
    assert {pair.k: pair.value for pair in note.value.ms} == {"Zoom": "2", "badsign": "ab"}


def test_channels_of_another_number_are_not_believed() -> None:
    told = Described(channels=[Lit("A"), Lit("B"), Lit("C")])
    facts = told.facts("cyx", (2, 4, 5), UINT16)
    assert all("A" not in one.values() for one in facts.channels)


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint32", "float32", "float64"])
def test_every_type_of_pixels_has_its_word(kind: str) -> None:
    facts = Described().facts("yx", (4, 5), np.dtype(kind))
    assert (
        ome_types.from_xml(facts.ome_xml or "")
        .images[0]
        .pixels.type.value.startswith({"float32": "float", "float64": "double"}.get(kind, kind))
    )


@pytest.mark.parametrize(
    ("value", "number"), [("1.5", 1.5), (0, None), (-1, None), ("nan", None), (None, None)]
)
def test_zero_is_what_makers_write_for_unknown(value: object, number: float | None) -> None:
    assert positive(value) == number


@pytest.mark.parametrize(
    ("told", "code"),
    [("#FF00AA11", "00AA11"), ("#00aa11", "00AA11"), ("Green", "00FF00"), ("?", ""), ("", "")],
)
def test_a_colour_is_six_digits_or_none(told: str, code: str) -> None:
    assert rgb(told) == code
