"""The words of MetaMorph, as XML or as lines, tell of a plane; broken ones tell nothing."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from cid_server_ext.storage.readers.metamorph.uic import Told, date, properties


class Stack:
    """What tifffile gives of a STK."""

    is_stk = True

    def __init__(self, **told: object) -> None:
        self.stk_metadata = {"PlaneDescriptions": ["Exposure: 100 ms\r\nBinning: 1 x 1"], **told}


def test_lines_and_xml_say_the_same() -> None:
    lines = "Exposure: 80 ms\r\nAcquired from Prime 95B\r\nGain: 1.0x\r\nno pair"
    assert properties(lines) == {
        "Exposure": "80 ms",
        "Acquired from": "Prime 95B",
        "Gain": "1.0x",
    }
    xml = (
        '<MetaData><prop id="Description" type="string" value="Exposure: 80 ms&#13;&#10;Gain: 1"/>'
        '<PlaneInfo><prop id="_MagSetting_" value="60x"/></PlaneInfo></MetaData>'
    )
    found = properties(xml)
    assert (found["Exposure"], found["Gain"], found["_MagSetting_"]) == ("80 ms", "1", "60x")


@pytest.mark.parametrize(
    "text",
    [
        "<MetaData><prop id=",
        '<!DOCTYPE x [<!ENTITY a "b">]><MetaData/>',
        '<MetaData><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>&a;</MetaData>',
        "<MetaData>" * 500 + "</MetaData>" * 500,
        "",
        "\0\0",
    ],
    ids=["cut", "entity", "file", "deep", "empty", "nothing"],
)
def test_what_is_broken_or_hostile_tells_nothing(text: str) -> None:
    assert "root:" not in str(properties(text))
    assert not set(properties(text)) & {"a", "x"}


@pytest.mark.parametrize(
    ("told", "scale"),
    [
        ({"CalibrationUnits": "um"}, {"y": 0.5, "x": 0.25}),
        ({"CalibrationUnits": "u"}, {"y": 0.5, "x": 0.25}),
        ({"CalibrationUnits": "nm"}, {"y": 0.0005, "x": 0.00025}),
        ({"CalibrationUnits": "pixel"}, {}),
        ({"CalibrationUnits": "um", "SpatialCalibration": 0}, {}),
        ({"CalibrationUnits": "um", "XCalibration": float("nan")}, {"y": 0.5}),
        ({"ZDistance": np.full(3, 0.2)}, {"z": 0.2}),
        ({"ZDistance": np.array([0.0, 0.2, 0.4])}, {"z": 0.2}),
        ({"ZDistance": np.array([5.0, 4.0, 3.0])}, {"z": 1.0}),
        ({"ZDistance": np.array([0.0, 0.2, 0.9])}, {}),
        ({"ZDistance": np.zeros(3)}, {}),
        ({"ZDistance": np.array([0.1])}, {}),
    ],
)
def test_calibration_is_taken_where_it_is_told(told, scale) -> None:
    basis = {"XCalibration": 0.25, "YCalibration": 0.5, "SpatialCalibration": 1}
    found = Told(Stack(**{**basis, **told})).scale
    assert {axis: size for axis, size in found.items() if size} == pytest.approx(scale)


def test_a_time_lapse_in_a_stack_has_its_interval() -> None:
    start = np.datetime64("2024-01-01T00:00:00")
    times = start + np.arange(5) * np.timedelta64(1500, "ms")
    told = Told(Stack(DatetimeCreated=times))
    assert (told.interval, told.taken) == (1.5, dt.datetime(2024, 1, 1))
    assert Told(Stack(DatetimeCreated=times[:1])).interval is None
    assert Told(Stack()).taken is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("20240417 14:03:21.125", dt.datetime(2024, 4, 17, 14, 3, 21, 125000)),
        ("20240417 14:03:21", dt.datetime(2024, 4, 17, 14, 3, 21)),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates_are_read_as_metamorph_writes_them(text: str, found) -> None:
    assert date(text) == found
