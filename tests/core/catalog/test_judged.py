from __future__ import annotations

from typing import Any

import pytest

from cid_server_ext.core.catalog import quality
from cid_server_ext.core.catalog.judged import judged, poor


def words(**measures: Any) -> dict[str, tuple[str, str, float]]:
    told = judged({"version": 1, "channels": [{"name": "a", **measures}], "planes": {}})
    assert told is not None
    return {
        one["key"]: (one["text"], one["level"], one["part"]) for one in told["channels"][0]["told"]
    }


@pytest.mark.parametrize(
    ("snr", "text", "level"),
    [(4.99, "low: 4.99", "bad"), (5, "fair: 5", "fair"), (12, "good: 12", "good")],
)
def test_snr_has_a_word(snr: float, text: str, level: str) -> None:
    assert words(snr=snr)["snr"][:2] == (text, level)


def test_what_nobody_knows_is_unknown_with_the_reason_and_an_empty_bar() -> None:
    told = words(snr=None, reason="too few pixels")
    assert told["snr"] == ("unknown: too few pixels", "unknown", 0.0)
    assert {one[1:] for one in told.values()} == {("unknown", 0.0)}


@pytest.mark.parametrize(
    ("part", "text", "level"),
    [(0.0, "none", "good"), (5e-5, "hardly any", "good"), (0.001, "clipped 0.1 %", "fair"),
     (0.031, "clipped 3.1 %", "bad"), (1.0, "clipped 100 %", "bad")],
)  # fmt: skip
def test_clipping_is_told_in_percent(part: float, text: str, level: str) -> None:
    assert words(saturated=part)["saturated"][:2] == (text, level)


def test_range_focus_and_background_have_words() -> None:
    told = words(range=0.04, bits=14, focus=0.08, sharpest=7, background=101.26, unevenness=0.3)
    assert told["range"][:2] == ("hardly used: 4 % of 14 bits", "bad")
    assert told["focus"][:2] == ("sharp: 0.08, sharpest at z 7", "good")
    assert told["background"][:2] == ("uneven: 101.3 ± 15 %", "bad")


def poor_of(*channels: dict[str, Any]) -> list[str]:
    return list(poor(judged({"version": 1, "channels": list(channels), "planes": {"empty": 1}})))


def test_what_is_poor_names_its_channel_and_what_many_share_is_one_line() -> None:
    few = [{"name": "a", "snr": 2.0, "saturated": 0.031}, {"name": "", "snr": 20.0, "focus": 0.001}]
    assert poor_of(*few) == [
        "a: SNR low: 2",
        "a: Saturation clipped 3.1 %",
        "channel 2: Focus soft: 0.001",
        "1 empty plane",
    ]
    many = [{"name": str(400 + n), "snr": 2.0 if n < 22 else 20.0} for n in range(28)]
    assert poor_of(*many) == ["SNR low in 22 of 28 channels: 400, 401, 402, …", "1 empty plane"]
    assert poor_of({"name": "a", "snr": 2.0}) == ["SNR low: 2", "1 empty plane"]
    assert list(poor(None)) == []


def test_no_measures_no_judgement() -> None:
    assert judged(None) is None
    assert judged({"version": 1, "channels": []}) is None


def test_tags_are_the_highest_of_the_channels() -> None:
    channels = [
        {"name": "a", "snr": 4.2, "saturated": 0.03, "focus": None, "range": 0.2, "background": 9},
        {"name": "b", "snr": None, "saturated": 0.0, "focus": None, "range": 0.4, "background": -1},
        {"name": "c", "snr": float("nan"), "range": 1.0},
    ]
    assert quality.tags_of({"version": 1, "channels": channels}) == {
        "SNR": 4.2,
        "Saturation": 3.0,
        "Dynamic range": 100.0,
        "Background": 9.0,
    }
    assert quality.tags_of(None) == {}
