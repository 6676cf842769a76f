"""Both digests in one reading; what was noted is believed of the very file that was written."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from blake3 import blake3

from cid_server_ext.storage import digests, manifests
from cid_server_ext.storage.intake import Intake

BODY = os.urandom(3_000_000)


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    """A file that came in, below the folder of its deposit."""
    intake = Intake(tmp_path / "in", tmp_path / "in" / "day" / "a.tif", len(BODY))
    intake.write(BODY[:1000])
    intake.write(BODY[1000:])
    intake.keep(hashlib.sha256(BODY).digest())
    return tmp_path / "in" / "day" / "a.tif"


def test_both_digests_are_the_usual_ones(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(BODY)
    made = digests.of_file(tmp_path / "a")
    assert made == digests.Digests(hashlib.sha256(BODY).hexdigest(), blake3(BODY).hexdigest())


def test_a_folder_has_the_digest_of_its_manifest(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("a", "b/c"):
        (tmp_path / name).write_text(name)
    made, lines = digests.of_folder(digests.below(tmp_path))
    assert lines == manifests.lines(tmp_path)
    assert made.sha256 == manifests.digest(lines)


def test_what_came_in_is_known_without_reading_it(staged: Path, tmp_path: Path) -> None:
    assert digests.noted(tmp_path) == {"day/a.tif": digests.of_file(staged)}


def test_a_file_that_is_another_one_is_not_known(staged: Path, tmp_path: Path) -> None:
    staged.unlink()
    staged.write_bytes(BODY)
    assert digests.noted(tmp_path) == {}


def test_what_a_kill_tore_is_not_known(staged: Path, tmp_path: Path) -> None:
    notes = tmp_path / digests.NOTED
    notes.write_bytes(notes.read_bytes()[:-20] + b"\n[]\n")
    assert digests.noted(tmp_path) == {}
    assert digests.noted(tmp_path / "elsewhere") == {}
