from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cid_client as cid

sys.path.insert(0, str(Path(__file__).parents[1] / "widgets"))
import pretend_quality


def image(quality: dict[str, Any] | None) -> cid.Image:
    record = {"uid": "u", "name": "cell", "quality": quality}
    return cid.Image(None, record)  # type: ignore[arg-type]


def test_quality_is_channels_by_name_in_numbers_and_in_the_catalogs_words() -> None:
    told = image(pretend_quality.quality()).quality
    assert told is not None
    assert list(told) == ["DAPI", "GFP", "Phalloidin"]
    assert (told.version, told.snr) == (1, [18.4, 4.13, None])
    assert told["GFP"]["saturated"] == 0.031
    assert told.planes["empty"] == 2
    assert "GFP: SNR low: 4.13, Saturation clipped 3.1 %" in repr(told)
    html = told._repr_html_()
    assert "<td style='text-align:left'>clipped 3.1 %</td>" in html
    assert "2 empty planes" in html
    table = told.to_pandas()
    assert list(table.index) == list(told)
    assert table.loc["DAPI", "snr"] == 18.4
    assert "told" not in table


def test_channels_without_a_name_and_with_the_same_name_are_told_apart() -> None:
    raw = pretend_quality.quality()
    for channel, name in zip(raw["channels"], ["", "GFP", "GFP<b>"], strict=True):
        channel["name"] = name
    told = image(raw).quality
    assert told is not None
    assert list(told) == ["channel 1", "GFP", "GFP<b>"]
    assert "GFP<b>" not in told._repr_html_()
    raw["channels"][2]["name"] = "GFP"
    assert list(image(raw).quality or ()) == ["channel 1", "GFP", "channel 3"]


def test_an_image_that_was_not_measured_has_none() -> None:
    assert image(None).quality is None
