"""What damage leaves behind fits together again, and is told row by row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cid_server_ext.core.memory.fold import Fold
from cid_server_ext.core.memory.mend import Mended, mend


@pytest.fixture
def fold(tmp_path: Path) -> Iterator[Fold]:
    made = Fold(tmp_path / "rows.sqlite")
    put(made, "team", 1, name="lab", uid="t")
    put(made, "project", 1, team_id=1, name="screen", uid="p")
    put(made, "dataset", 1, project_id=1, path="", uid="d")
    put(made, "record", 1, project_id=1, dataset_id=1, name="cells", uid="r")
    put(made, "term", 1, key="Tissue", folded="tissue", uid="k")
    put(made, "value", 1, term_id=1, text="Kidney", uid="v")
    put(made, "tag", 1, record_id=1, term_id=1, value_id=1)
    yield made
    made.close()


def put(fold: Fold, table: str, number: int, **row: Any) -> None:
    item = {"table": table, "keys": [[number]], "before": None, "after": row}
    fold.apply({"rows": [item]})


def test_what_fits_is_left_alone(fold: Fold) -> None:
    assert mend(fold) == []


def test_a_row_that_needs_what_is_lost_is_dropped_with_all_that_need_it(fold: Fold) -> None:
    put(fold, "record", 2, project_id=1, dataset_id=99, name="lost", uid="l")
    put(fold, "tag", 2, record_id=2, term_id=1, value_id=1)
    assert mend(fold) == [
        Mended("record", (2,), "dropped", "dataset_id"),
        Mended("tag", (2,), "dropped", "record_id"),
    ]
    assert [fold.count(name) for name in ("record", "tag")] == [1, 1]


def test_a_reference_that_may_be_empty_is_emptied(fold: Fold) -> None:
    put(fold, "record", 2, project_id=1, dataset_id=1, original_id=99, name="x", uid="x")
    assert mend(fold) == [Mended("record", (2,), "emptied", "original_id")]
    assert "original_id" not in list(fold.rows("record"))[1]


def test_a_tag_without_its_value_is_no_tag(fold: Fold) -> None:
    put(fold, "tag", 2, record_id=1, term_id=1, value_id=99)
    assert mend(fold) == [Mended("tag", (2,), "dropped", "value_id")]


def test_of_two_with_one_name_the_older_gets_its_number(fold: Fold) -> None:
    put(fold, "team", 2, name="lab", uid="u")
    assert mend(fold) == [Mended("team", (1,), "renamed", "name")]
    assert [row["name"] for row in fold.rows("team")] == ["lab~1", "lab"]


def test_a_rule_with_a_condition_holds_only_under_it(fold: Fold) -> None:
    put(fold, "term", 2, key="Tissue", folded="tissue", project_id=1, uid="l")
    assert mend(fold) == []
    put(fold, "term", 3, key="Tissue", folded="tissue", uid="m")
    assert mend(fold) == [Mended("term", (1,), "renamed", "folded")]


def test_the_same_tag_twice_is_there_once(fold: Fold) -> None:
    put(fold, "tag", 2, record_id=1, term_id=1, value_id=1)
    assert mend(fold) == [Mended("tag", (1,), "dropped", "value_id")]
