from __future__ import annotations

import pytest

from cid_server_ext.core import names
from cid_server_ext.errors import BadInput


def test_paths_are_trimmed_part_by_part() -> None:
    assert names.dataset_path(" screen / plate 1 ") == "screen/plate 1"
    assert names.dataset_path("") == names.dataset_path("/") == ""


@pytest.mark.parametrize("path", ["../x", "a//b", "a/./b", "a\x00b", "a/" + "x" * 201, "‮gpj.a"])
def test_paths_that_lie_are_refused(path: str) -> None:
    with pytest.raises(BadInput):
        names.dataset_path(path)


def test_twins_of_one_name_are_one() -> None:
    assert names.label("cafe\u0301", "image") == names.label("caf\u00e9", "image")
    assert names.label("a\u00a0b\u3000", "image") == "a b"


@pytest.mark.parametrize("name", ["CON", "nul.txt", "trailing.", "..%2fx", "C:\\x", "'; --"])
def test_a_name_that_only_disks_dislike_is_kept_as_it_is(name: str) -> None:
    assert names.label(name, "image") == name


def test_a_name_fits_in_what_a_disk_calls_a_file() -> None:
    assert names.label("\u00e9" * 127, "image")
    with pytest.raises(BadInput, match="255 bytes"):
        names.label("\u00e9" * 128, "image")


def test_what_is_wrong_with_a_path_is_said_with_the_field() -> None:
    with pytest.raises(BadInput, match="dataset: dataset name"):
        names.dataset_path("a/\x00", "dataset")


@pytest.mark.parametrize("name", ["", "a", "Screen", "a b", "-ab", "ab-", "a" * 65, "a/b"])
def test_names_for_addresses_are_plain(name: str) -> None:
    with pytest.raises(BadInput, match="lower-case"):
        names.slug(name, "project")
