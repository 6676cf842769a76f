from __future__ import annotations

from pathlib import Path

import pretend_usage
import pytest
from stage import Wire, heard

from cid_widgets import Usage

pytestmark = pytest.mark.usefixtures("bundle")


def test_it_begins_with_the_only_thing_there_is() -> None:
    catalog = pretend_usage.filled()
    leader = Usage(catalog)
    assert (leader.team, leader.shown["level"]) == ("cell-division", "team")
    [row, *_] = catalog.teams["cell-division"]["projects"]
    member = Usage(pretend_usage.Catalog({}, [row]))
    assert (member.project, member.shown["level"]) == ("screen", "project")
    staff = Usage(pretend_usage.filled(staff=True))
    assert (staff.team, len(staff.shown["teams"])) == ("", 3)
    nobody = Usage(pretend_usage.Catalog({}))
    assert (nobody.error, nobody.shown["level"]) == ("", "all")


def test_python_and_view_go_to_the_same_places() -> None:
    catalog = pretend_usage.filled(staff=True)
    usage = Usage(catalog, project="screen")
    assert catalog.asked == [("project", "screen", None)]
    assert (usage.team, usage.shown["title"]) == ("cell-division", "Cytokinesis screen")
    heard(usage, method="update", state={"team": "cell-division", "dataset": "d1"})
    assert catalog.asked[1:] == [("project", "screen", "d1")]
    assert (usage.shown["level"], usage.shown["dataset"]["path"]) == ("dataset", "screen/plate 2")
    usage.project = "atlas"  # leaves the dataset
    assert (usage.dataset, usage.shown["title"]) == ("", "Embryo atlas")
    usage.team = "neuro"  # leaves the project
    assert (usage.project, usage.shown["level"]) == ("", "team")
    heard(usage, method="update", state={"team": "", "project": "", "dataset": ""})
    assert usage.shown["level"] == "all"
    before = len(catalog.asked)
    usage.refresh()
    assert catalog.asked[before:] == [("usage",)]


def test_the_numbers_are_those_that_came() -> None:
    catalog = pretend_usage.filled()
    told = catalog.teams["cell-division"]
    shown = Usage(catalog, team="cell-division").shown
    for word in ("used", "limit", "trashed", "archived", "linked", "growth", "days_to_full"):
        assert shown[word] == told[word]
        assert [row[word] for row in shown["projects"]] == [row[word] for row in told["projects"]]
    assert shown["projects"][0]["saves"] == told["projects"][0]["saves"]


def test_an_invoice_is_asked_for_where_a_team_is_shown(tmp_path: Path) -> None:
    catalog = pretend_usage.filled(staff=True)
    usage = Usage(catalog, team="cell-division")
    assert usage.invoice is None
    usage.period = "2026-10"
    assert catalog.asked[-1] == ("invoice", "cell-division", "2026-10")
    assert (usage.invoice["total"], len(usage.invoice["positions"])) == ("1237.28", 2)
    usage.project = "screen"
    assert usage.invoice is None
    heard(usage, method="update", state={"team": "neuro", "project": ""})
    assert usage.invoice["number"] == "neuro-2026-10"
    usage.period = "2025"
    assert (usage.invoice, usage.error) == (None, "")
    assert "staff publishes" in usage.invoice_error
    usage.period = ""
    assert usage.invoice_error == ""
    with pytest.raises(LookupError, match="period"):
        usage.save(tmp_path / "a.csv")


def test_the_invoice_comes_to_the_view_as_bytes() -> None:
    usage = Usage(pretend_usage.filled(), team="cell-division")
    usage.comm = wire = Wire()
    usage.period = "2026-10"
    wire.taken()
    heard(usage, method="custom", content={"ask": "save", "form": "pdf"})
    [said] = [one["content"] for one in wire.taken() if one["method"] == "custom"]
    assert said == {
        "tell": "saved",
        "form": "pdf",
        "name": "cell-division-2026-10.pdf",
        "content": "YSBwZGY=",
    }


def test_what_is_not_ours_is_one_line() -> None:
    usage = Usage(pretend_usage.filled(), project="somebody-elses")
    assert usage.error == "no project 'somebody-elses' that you can see"
    assert usage.shown is None
    usage.project = "screen"
    assert (usage.error, usage.shown["level"]) == ("", "project")
