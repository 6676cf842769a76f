"""Write tickets hold no more than was reserved, however many writers there are, nor more files."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from cid_server_ext.errors import OverQuota, TooLarge
from cid_server_ext.storage import arriving, uploads
from cid_server_ext.storage import gauge as module
from cid_server_ext.storage.gauge import Gauge
from cid_server_ext.storage.intake import Intake
from cid_server_ext.storage.roots import Folder

IN = "staging/d/in"


@pytest.fixture
def gauge(root: Folder) -> Gauge:
    return Gauge(root)


def test_what_lies_there_already_counts(gauge: Gauge, root: Folder) -> None:
    path = root.path("staging/d/in/x")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x" * 90)
    gauge.admit(IN, 10, 100)
    with pytest.raises(OverQuota, match="reserved"):
        gauge.admit(IN, 1, 100)


def test_what_is_on_its_way_counts_until_it_is_given_back(gauge: Gauge) -> None:
    gauge.admit(IN, 60, 100)
    with pytest.raises(OverQuota):
        gauge.admit(IN, 60, 100)
    gauge.release(IN, 60)
    gauge.admit(IN, 60, 100)


def test_another_replicas_writes_are_seen_when_the_count_is_renewed(
    gauge: Gauge, root: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FRESH", 0.0)
    monkeypatch.setattr(module, "CALM", 0.0)
    gauge.admit(IN, 1, 100)
    path = root.path("staging/d/in/x")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x" * 100)
    with pytest.raises(OverQuota):
        gauge.admit(IN, 1, 100)


def test_each_prefix_has_its_own_room(gauge: Gauge) -> None:
    gauge.admit("staging/a/in", 100, 100)
    gauge.admit("staging/b/in", 100, 100)


def test_an_upload_whose_process_was_killed_takes_no_room(gauge: Gauge, root: Folder) -> None:
    folder = root.path(IN)
    folder.mkdir(parents=True)
    (folder / ".part-0123").write_bytes(b"x" * 100)  # nobody holds its lock
    gauge.admit(IN, 100, 100)
    assert list(folder.iterdir()) == []


def test_an_upload_on_its_way_is_not_swept(gauge: Gauge, root: Folder) -> None:
    intake = Intake(root.path(IN), root.path("staging/d/in/x"), 60)
    with pytest.raises(OverQuota):
        gauge.admit(IN, 60, 100)
    assert intake.temporary.exists()
    intake.discard()
    gauge.release(IN, 60)
    gauge.admit(IN, 60, 100)


def test_so_many_threads_as_there_are_together_bring_no_byte_more(gauge: Gauge) -> None:
    together = threading.Barrier(20)

    def bring(_: int) -> bool:
        together.wait()
        try:
            gauge.admit(IN, 10, 50)
        except OverQuota:
            return False
        return True

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(bring, range(20))) == 5


def counted_anew(gauge: Gauge) -> None:
    """Have another process look, which saw nothing yet."""
    gauge._seen.clear()


def test_files_that_take_no_room_are_counted_too_with_their_folders(root: Folder) -> None:
    gauge, place = Gauge(root, most_files=4), root.path(IN)
    (place / "a/b").mkdir(parents=True)
    (place / "a/b/c").touch()
    gauge.admit(IN, 0, 0)
    with pytest.raises(TooLarge, match="at most 4 files and folders"):
        gauge.admit(IN, 0, 0)
    gauge.release(IN, 0)
    gauge.admit(IN, 0, 0)
    (place / "d").touch()
    gauge.admit("staging/other/in", 0, 0)
    counted_anew(gauge)
    with pytest.raises(TooLarge):
        gauge.admit(IN, 0, 0)


def test_uploads_are_counted_while_they_come_and_when_they_came_to_one_place(root: Folder) -> None:
    gauge, place = Gauge(root, most_files=3), root.path(IN)
    (place / "a").mkdir(parents=True)
    for number in range(3):
        gauge.admit(IN, 0, 10)
        upload = uploads.begin(place, place / "a/x", uploads.Said("a/x", number // 2))
        arriving.settle(upload, arriving.Hashes())  # two are empty, and complete
        counted_anew(gauge)
    assert [path.name for path in place.rglob("*")] == ["a", "x"]
    with pytest.raises(TooLarge):
        gauge.admit(IN, 0, 10)
    uploads.remove(upload)
    counted_anew(gauge)
    gauge.admit(IN, 0, 10)
