"""Which trees may be adopted is the operator's word; nothing leads out of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cid_server_ext.errors import BadInput, NotFound
from cid_server_ext.storage.inplace import Place, Roots
from cid_server_ext.storage.tickets import Right, Signer


@pytest.mark.parametrize(
    "told", ["/mnt", "Old=/mnt", "old=mnt", "old=/mnt/../x", "old=/a:old=/b", "=/mnt"]
)
def test_a_setting_that_is_wrong_is_told(told: str) -> None:
    with pytest.raises(BadInput, match="CID_ADOPT_ROOTS"):
        Roots.read(told)


def test_none_is_named_by_default() -> None:
    with pytest.raises(
        BadInput, match=r"CID_ADOPT_ROOTS: none\. Name its tree there, such as old=/mnt/old"
    ):
        Roots.read("").locate(Path("/etc"))


def test_what_is_adopted_lies_in_a_named_tree(tmp_path: Path) -> None:
    (tmp_path / "old/ana").mkdir(parents=True)
    (tmp_path / "old/out").symlink_to(tmp_path)
    roots = Roots.read(f"old={tmp_path}/old")
    assert roots.locate(tmp_path / "old/ana") == ("old", "ana")
    assert roots.locate(tmp_path / "old") == ("old", "")
    for path, why in (
        (tmp_path, "lies in no tree"),
        (tmp_path / "old/ana/../ana", r"without '\.\.'"),
        (tmp_path / "older", "lies in no tree"),
        (tmp_path / "old/out", "link"),
    ):
        with pytest.raises(BadInput, match=why):
            roots.locate(path)
    with pytest.raises(NotFound, match="names no tree"):
        roots.path("other", "x")
    for inside in ("../x", "a//b", "/etc", "a\nb", "a/./b", "x" * 700):
        with pytest.raises(BadInput):
            roots.path("old", inside)


def test_storage_and_trees_lie_apart(tmp_path: Path) -> None:
    roots = Roots.read(f"old={tmp_path}/old")
    roots.refuse_within(tmp_path / "storage")
    for storage in (tmp_path / "old/storage", tmp_path / "old", tmp_path):
        with pytest.raises(BadInput, match="in each other"):
            roots.refuse_within(storage)


def test_a_ticket_carries_the_place() -> None:
    signer = Signer((b"k" * 32,))
    right = Right("files/ab/x", "r", place=Place("old", "a/b.tif", "file", 3, 2**60))
    assert signer.verify(signer.sign(right)) == right
