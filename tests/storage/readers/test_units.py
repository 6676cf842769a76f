"""Lengths and durations are converted when their unit is known, and unknown otherwise."""

from __future__ import annotations

import math

import pytest

from cid_server_ext.storage.readers.units import calibration, micrometers, seconds


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (0.1, "µm", 0.1),
        (0.1, "μm", 0.1),
        (0.1, "\\u00B5m", 0.1),
        (2, "micron", 2.0),
        (499.0, "nm", 0.499),
        (0.5, "mm", 500.0),
        (1, "cm", 10000.0),
        (1 / 300, "inch", 25400 / 300),
        (3.0, "Å", 3e-4),
        (1.0, "millimeter", 1000.0),
        (1.0, "millimetre", 1000.0),
        (1.0, "pixel", None),
        (1.0, "reference frame", None),
        (1.0, "", None),
        (1.0, None, None),
        (0.0, "µm", None),
        (-1.0, "µm", None),
        (math.nan, "µm", None),
        (math.inf, "µm", None),
        ("1", "µm", None),
        (None, "µm", None),
    ],
)
def test_lengths_become_micrometers(value, unit, expected) -> None:
    assert micrometers(value, unit) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [(50, "ms", 0.05), (2, "min", 120.0), (1.5, "s", 1.5), (1, "µm", None), (0, "s", None)],
)
def test_durations_become_seconds(value, unit, expected) -> None:
    assert seconds(value, unit) == pytest.approx(expected)


def test_only_known_axes_are_calibrated() -> None:
    scale, units = calibration(None, 0.1, 0.2, 3.0)
    assert scale == {"t": 3.0, "y": 0.1, "x": 0.2}
    assert units == {"t": "second", "y": "micrometer", "x": "micrometer"}
