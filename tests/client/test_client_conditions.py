"""Conditions in Python are text of the query language."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

import cid_client as cid
from cid_client.search import conditions


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"objective": "63x"}, 'objective:"63x"'),
        ({"cell_type": ["HeLa", "HEK"]}, 'cell_type:"HeLa","HEK"'),
        ({"snr__gt": 10}, 'snr>"10"'),
        ({"snr__ge": 2.5, "snr__lt": np.float64(7)}, 'snr>="2.5" snr<"7"'),
        ({"pixel_size__le": "0.1 um"}, 'pixel_size<="0.1 um"'),
        ({"staining__not": ["DAPI", "GFP"]}, '-staining:"DAPI","GFP"'),
        ({"staining": None, "stage__not": None}, "-has:staining has:stage"),
        ({"in_": "screen/plate 1"}, 'in:"screen/plate 1"'),
        ({"Cell type": 'a "b" \\'}, '"Cell type":"a \\"b\\" \\\\"'),
        ({"acquired__ge": dt.date(2026, 3, 1)}, 'acquired>="2026-03-01"'),
        (
            {"created__lt": dt.datetime.fromisoformat("2026-03-01T02:30+02:00")},
            'created<"2026-03-01T00:30"',
        ),
    ],
)
def test_a_condition_is_written_as_the_language_has_it(given: dict[str, Any], text: str) -> None:
    assert conditions.text("", given) == text


def test_alternatives_of_the_query_stay_together() -> None:
    assert conditions.text("a OR b", {"snr__gt": 1}) == '(a OR b) snr>"1"'
    assert conditions.text("a OR b", {}) == "a OR b"


@pytest.mark.parametrize("value", [[], True, float("nan"), " ", {"a": 1}])
def test_what_cannot_be_looked_for_is_named(value: Any) -> None:
    with pytest.raises(cid.BadInput, match="snr"):
        conditions.text("", {"snr": value})
