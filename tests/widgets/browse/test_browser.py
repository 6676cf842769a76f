from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pretend
import pytest
from stage import Wire, heard

from cid_widgets import Browser
from cid_widgets.lib import view

HEAVY = {"sqlalchemy", "zarr", "dask", "xarray", "cid_client", "cid_server_ext"}

pytestmark = pytest.mark.usefixtures("bundle")


def on_wire(widget: Browser) -> Wire:
    wire = Wire()
    widget.comm = wire
    wire.taken()
    return wire


def searches(catalog: pretend.Catalog) -> list[tuple[object, ...]]:
    return [asked[1:] for asked in catalog.asked if asked[0] == "search"]


def test_import_is_light() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys, cid_widgets; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "anywidget" in loaded
    assert loaded & HEAVY == set()


def test_widgets_that_are_not_built_say_how(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(view, "STATIC", tmp_path)

    class Unbuilt(view.View):
        _esm, _css = view.built("browser")

    with pytest.raises(FileNotFoundError, match="make setup"):
        Unbuilt(pretend.Catalog())


def test_project_and_dataset_set_together_search_once(catalog: pretend.Catalog) -> None:
    browser = Browser(catalog)
    heard(browser, method="update", state={"project": "demo", "dataset": "screen/plate 1"})
    assert searches(catalog) == [
        ("", None, None, None, None),
        ("", "demo", "screen/plate 1", None, None),
    ]


def test_a_browser_of_one_project_asks_for_nothing_else(catalog: pretend.Catalog) -> None:
    browser = Browser(catalog, project="histology")
    assert searches(catalog) == [("", "histology", None, None, None)]
    assert [row["name"] for row in browser.rows] == ["ihc"]


def test_images_are_the_selected_in_their_order(catalog: pretend.Catalog) -> None:
    browser = Browser(catalog)
    browser.selected = ["i3", "i1"]
    assert [one.record["name"] for one in browser.images] == ["nuclei A04", "nuclei A02"]
    assert browser.inputs == [
        {"uid": "i3", "name": "nuclei A04"},
        {"uid": "i1", "name": "nuclei A02"},
    ]


def test_another_question_ends_the_selection_of_what_is_gone(catalog: pretend.Catalog) -> None:
    browser = Browser(catalog)
    browser.selected = ["i3", "p0"]
    browser.query = "ihc"
    assert browser.selected == ["p0"]


def test_refresh_keeps_the_selection_and_shows_new_results(catalog: pretend.Catalog) -> None:
    browser = Browser(catalog)
    browser.selected, browser.focused = ["i3"], "i3"
    catalog.records.insert(0, pretend.image("l3", "nuclei A04 cells", kind="labels", source="i3"))
    heard(browser, method="custom", content={"ask": "refresh"})
    assert browser.rows[0]["uid"] == "l3"
    assert browser.selected == ["i3"]
    assert browser.detail["results"] == [
        {"uid": "l3", "name": "nuclei A04 cells", "kind": "labels"}
    ]


def test_pages_are_told_where_they_start_and_late_ones_are_not() -> None:
    catalog = pretend.filled(119)  # and labels, and one photo: 121
    browser = Browser(catalog)
    wire = on_wire(browser)
    assert (len(browser.rows), browser.more, browser.status) == (50, True, "first 50 images")
    heard(browser, method="custom", content={"ask": "more", "start": 100, "found": browser.found})
    told = [sent["content"] for sent in wire.taken() if sent["method"] == "custom"]
    assert [(one["start"], len(one["rows"]), one["more"]) for one in told] == [(100, 21, False)]
    assert browser.status == "121 images"
    heard(
        browser, method="custom", content={"ask": "more", "start": 50, "found": browser.found - 1}
    )
    assert wire.taken() == []


def test_fresh_thumbnails_are_told_together_and_a_gone_image_has_none(
    catalog: pretend.Catalog,
) -> None:
    browser = Browser(catalog)
    wire = on_wire(browser)
    heard(browser, method="custom", content={"ask": "thumbnails", "uids": ["i1", "gone"]})
    [answer] = wire.taken()
    urls = answer["content"]["urls"]
    assert urls["gone"] == ""
    assert urls["i1"].endswith("/i1.png")
    assert urls["i1"] != next(row["thumbnail"] for row in browser.rows if row["uid"] == "i1")


def test_a_refusal_is_told_in_its_own_words_and_goes_when_all_is_well(
    catalog: pretend.Catalog,
) -> None:
    browser = Browser(catalog)
    catalog.trouble = pretend.Refused("you left this project;\nchoose another")
    browser.project = "demo"
    assert browser.error == "you left this project; choose another"
    assert browser.rows == []
    catalog.trouble = None
    browser.project = ""
    assert browser.error == ""
    assert len(browser.rows) == 14


def test_a_mistake_of_ours_is_one_line_and_no_stack_trace(catalog: pretend.Catalog) -> None:
    catalog.trouble = KeyError("next")
    browser = Browser(catalog)
    assert browser.error.startswith("This did not work (KeyError: 'next').")
    assert "\n" not in browser.error


def test_no_pixels_and_no_tokens_are_in_the_state(catalog: pretend.Catalog) -> None:
    browser = Browser(catalog)
    browser.focused = "i0"
    for one in [*browser.rows, browser.detail]:
        assert one["thumbnail"].startswith("/data/")
        assert not any(isinstance(value, bytes) for value in one.values())


def test_details_tell_where_an_image_comes_from(catalog: pretend.Catalog) -> None:
    browser = Browser(catalog)
    browser.focused = "l0"
    assert browser.detail["sources"] == [{"uid": "i0", "name": "nuclei A01"}]
    made = {"uid": "run of l0", "name": "segment-cells 1.0.0", "state": "done"}
    assert browser.detail["made_by"] == [made | {"person": "researcher"}]
    assert browser.detail["used_by"] == []
    assert browser.detail["original"] is None
    there = {"where": "nas:2019/a.tif", "state": "ok", "reason": ""}
    catalog.records[0]["original"] |= {"in_place": {**there, "hashed": True}}
    browser.focused = "i0"
    assert browser.detail["original"]["in_place"] == there
    browser.focused = ""
    assert browser.detail is None
