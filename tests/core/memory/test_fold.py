"""The journal folded: the last word on every row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cid_server_ext.core.memory.fold import Fold


@pytest.fixture
def fold(tmp_path: Path) -> Iterator[Fold]:
    made = Fold(tmp_path / "rows.sqlite")
    yield made
    made.close()


def say(fold: Fold, table: str, keys: list[list[Any]], before: Any, after: Any) -> None:
    item = {"table": table, "keys": keys, "before": before, "after": after}
    fold.apply({"rows": [item]})


def test_rows_are_made_changed_and_removed(fold: Fold) -> None:
    say(fold, "team", [[1], [2]], None, {"name": "a", "address": "x"})
    say(fold, "team", [[1]], {"name": "a", "address": "x"}, {"name": "b", "address": None})
    assert list(fold.rows("team")) == [
        {"id": 1, "name": "b"},
        {"id": 2, "name": "a", "address": "x"},
    ]
    say(fold, "team", [[1]], {"name": "b"}, None)
    assert fold.count("team") == 1


def test_rows_come_in_the_order_of_their_numbers(fold: Fold) -> None:
    say(fold, "tag", [[10], [9], [100]], None, {"set_by": "a"})
    assert [row["id"] for row in fold.rows("tag")] == [9, 10, 100]


def test_a_nested_value_is_replaced_and_not_merged(fold: Fold) -> None:
    say(fold, "run", [[1]], None, {"metrics": {"a": 1, "b": 0.1}})
    say(fold, "run", [[1]], {"metrics": {"a": 1, "b": 0.1}}, {"metrics": {"c": None}})
    assert list(fold.rows("run")) == [{"id": 1, "metrics": {"c": None}}]


def test_keys_may_have_two_columns(fold: Fold) -> None:
    say(fold, "project_member", [[1, "b"], [1, "a"]], None, {"role": "viewer"})
    say(fold, "project_member", [[1, "b"]], {"role": "viewer"}, None)
    [row] = fold.rows("project_member")
    assert row == {"project_id": 1, "person": "a", "role": "viewer"}


def test_a_change_without_a_beginning_is_told(fold: Fold) -> None:
    say(fold, "team", [[7]], {"name": "a"}, {"name": "b"})
    assert fold.begun_before == {("team", (7,))}
    assert fold.count("team") == 0


def test_the_highest_number_is_known_though_its_row_is_gone(fold: Fold) -> None:
    say(fold, "team", [[9]], None, {"name": "a"})
    say(fold, "team", [[9]], {"name": "a"}, None)
    say(fold, "team", [[3]], None, {"name": "a"})
    assert fold.highest["team"] == 9
