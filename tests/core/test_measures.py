"""Units are known in one spelling, convert exactly, and no text makes the parser compute."""

from __future__ import annotations

import pytest

from cid_server_ext.core import units
from cid_server_ext.errors import BadInput


@pytest.mark.parametrize(
    ("number", "unit", "to", "found"),
    [
        (250, "nm", "um", 0.25),
        (499, "nm", "µm", 0.499),
        (37, "°C", "K", 310.15),
        (1, "mg/mL", "g/L", 1.0),
        (2, "cells/mL", "cells/uL", 0.002),
        (3, "s^-1", "Hz", 3.0),
    ],
)
def test_a_number_is_taken_to_another_unit(number, unit, to, found) -> None:
    assert units.convert(number, units.known(unit), units.known(to)) == found


def test_the_same_sign_in_two_alphabets_is_one_unit() -> None:
    assert units.known("\u03bcm") == units.known("\u00b5m") == "µm"
    assert units.known("") == ""


@pytest.mark.parametrize(
    "text", ["furlongs per", "9**9**9**9", "__import__('os')", "m" * 60, "x", "'; DROP", "1e999 m"]
)
def test_what_is_no_unit_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="unit"):
        units.known(text)


def test_units_that_measure_other_things_do_not_convert() -> None:
    with pytest.raises(BadInput, match="'s' cannot be converted to 'um'"):
        units.convert(1, "s", "um")
