"""Keys stay below their root, and what is published is whole, final and counted."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from cid_server_ext.errors import BadInput, Conflict, NotFound
from cid_server_ext.storage.roots import Folder, file_prefix, image_prefix, staging_prefix

UID = "0b9f6c1e-3a4d-4c5b-9a58-2f6d1d2f3e4a"


def write(root: Folder, key: str, data: bytes = b"abc") -> Path:
    path = root.path(key)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a/./b",
        "a//b",
        "a/",
        "a\\b",
        "C:\\x",
        "a\0b",
        "a\nb",
        "x" * 256,
        "é" * 128,
        "a/" * 2000 + "b",
        "con",
        "CON.tif",
        "a/Lpt1.png",
        "name.",
        "name ",
        "gpj.\u202egnp",
        "half \ud800 pair",
    ],
)
def test_keys_that_are_not_plain_are_refused(root: Folder, key: str) -> None:
    with pytest.raises(BadInput) as refused:
        root.path(key)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("key", ["a", "a/b.tif", ".zattrs", "é" * 127, "a b/c (1).tif", "console"])
def test_plain_keys_lie_below_the_root(root: Folder, key: str) -> None:
    assert root.path(key) == root.root / key


def test_a_symlink_never_leads_out(root: Folder, tmp_path: Path) -> None:
    (tmp_path / "root-secret").mkdir()  # a sibling whose name begins like the root's
    (tmp_path / "root-secret" / "x").write_bytes(b"secret")
    (root.root / "out").symlink_to(tmp_path / "root-secret")
    (root.root / "leaf").symlink_to(tmp_path / "root-secret" / "x")
    for key in ("out/x", "out", "leaf"):
        with pytest.raises(BadInput, match="leads out"):
            root.path(key)


def test_a_folder_is_published_whole_and_once(root: Folder) -> None:
    write(root, "staging/d/out/0/a/b.bin")
    root.publish("staging/d/out/0", "images/0b/u")
    assert root.path("images/0b/u/a/b.bin").read_bytes() == b"abc"
    assert not root.path("staging/d/out/0").exists()
    write(root, "staging/d/out/1/a/b.bin", b"other")
    with pytest.raises(Conflict):
        root.publish("staging/d/out/1", "images/0b/u")
    assert root.path("images/0b/u/a/b.bin").read_bytes() == b"abc"


def test_a_published_file_is_never_replaced(root: Folder) -> None:
    write(root, "staging/d/in/x", b"first")
    root.publish("staging/d/in/x", "files/0b/u/x")
    write(root, "staging/d/in/x", b"second")
    with pytest.raises(Conflict):
        root.publish("staging/d/in/x", "files/0b/u/x")
    assert root.path("files/0b/u/x").read_bytes() == b"first"


def test_what_is_published_has_no_right_to_write_and_can_be_removed(root: Folder) -> None:
    write(root, "staging/d/out/0/a/b.bin")
    write(root, "staging/d/in/x")
    root.publish("staging/d/out/0", "images/0b/u")
    root.publish("staging/d/in/x", "files/0b/u/x")
    files = [root.path("images/0b/u/a/b.bin"), root.path("files/0b/u/x")]
    assert [oct(file.stat().st_mode & 0o777) for file in files] == ["0o444"] * 2
    root.remove("images/0b/u")
    root.remove("files/0b/u")
    assert not any(file.exists() for file in files)


def test_publishing_goes_on_after_a_kill_between_its_two_steps(root: Folder) -> None:
    source = write(root, "staging/d/in/x")
    target = root.path("files/0b/u/x")
    target.parent.mkdir(parents=True)
    os.link(source, target)
    root.publish("staging/d/in/x", "files/0b/u/x")
    assert (source.exists(), target.read_bytes()) == (False, b"abc")


def test_publishing_nothing_says_so(root: Folder) -> None:
    with pytest.raises(NotFound):
        root.publish("staging/absent", "images/0b/u")


def test_a_link_inside_is_not_published(root: Folder) -> None:
    write(root, "staging/d/out/0/a")
    (root.path("staging/d/out/0") / "b").symlink_to("/etc/passwd")
    with pytest.raises(OSError, match=r"(?i)symbolic"):
        root.publish("staging/d/out/0", "images/0b/u")
    assert not root.path("images/0b/u").exists()


def test_removing_twice_is_no_error_and_spares_what_links_point_to(
    root: Folder, tmp_path: Path
) -> None:
    (tmp_path / "precious").write_bytes(b"x")
    write(root, "staging/d/in/x")
    (root.path("staging/d") / "link").symlink_to(tmp_path / "precious")
    root.remove("staging/d")
    root.remove("staging/d")
    assert not root.path("staging/d").exists()
    assert (tmp_path / "precious").exists()


def test_sizes_and_digests_cover_every_file(root: Folder) -> None:
    write(root, "images/u/b", b"12")
    write(root, "images/u/a/c", b"345")
    write(root, "images/u/a.x", b"6")
    assert root.nbytes("images/u") == 6
    assert root.nbytes("images/u/b") == 2
    assert root.digest("images/u/b") == hashlib.sha256(b"12").hexdigest()
    lines = sorted(
        f"{name} {hashlib.sha256(data).hexdigest()}\n"
        for name, data in {"b": b"12", "a/c": b"345", "a.x": b"6"}.items()
    )
    assert root.digest("images/u") == hashlib.sha256("".join(lines).encode()).hexdigest()
    with pytest.raises(NotFound):
        root.digest("images/absent")


def test_a_renamed_file_changes_the_digest_of_its_folder(root: Folder) -> None:
    write(root, "images/u/a")
    before = root.digest("images/u")
    root.path("images/u/a").rename(root.path("images/u/b"))
    assert root.digest("images/u") != before


def test_free_space_is_what_can_be_written(root: Folder) -> None:
    assert 0 < root.free() < 1 << 60


def test_prefixes_shelve_by_the_first_two_signs() -> None:
    assert image_prefix(UID) == f"images/0b/{UID}"
    assert file_prefix(UID) == f"files/0b/{UID}"
    assert staging_prefix(UID) == f"staging/{UID}"
    for bad in ("", "..", "../../etc", "a/b", "short"):
        with pytest.raises(BadInput):
            image_prefix(bad)
