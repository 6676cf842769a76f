"""Write tickets hold no more than was reserved, however many writers there are."""

from __future__ import annotations

import pytest

from cid_server_ext.errors import OverQuota
from cid_server_ext.storage import plane
from cid_server_ext.storage.intake import Intake
from cid_server_ext.storage.plane import DataPlane
from cid_server_ext.storage.roots import Folder
from cid_server_ext.storage.tickets import Signer


@pytest.fixture
def gauge(root: Folder) -> plane.Gauge:
    return DataPlane(root, Signer((b"k" * 32,))).gauge


def test_what_lies_there_already_counts(gauge: plane.Gauge, root: Folder) -> None:
    path = root.path("staging/d/in/x")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x" * 90)
    gauge.admit("staging/d/in", 10, 100)
    with pytest.raises(OverQuota, match="reserved"):
        gauge.admit("staging/d/in", 1, 100)


def test_what_is_on_its_way_counts_until_it_is_given_back(gauge: plane.Gauge) -> None:
    gauge.admit("staging/d/in", 60, 100)
    with pytest.raises(OverQuota):
        gauge.admit("staging/d/in", 60, 100)
    gauge.release("staging/d/in", 60)
    gauge.admit("staging/d/in", 60, 100)


def test_another_replicas_writes_are_seen_when_the_count_is_renewed(
    gauge: plane.Gauge, root: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plane, "FRESH", 0.0)
    monkeypatch.setattr(plane, "CALM", 0.0)
    gauge.admit("staging/d/in", 1, 100)
    path = root.path("staging/d/in/x")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"x" * 100)
    with pytest.raises(OverQuota):
        gauge.admit("staging/d/in", 1, 100)


def test_each_prefix_has_its_own_room(gauge: plane.Gauge) -> None:
    gauge.admit("staging/a/in", 100, 100)
    gauge.admit("staging/b/in", 100, 100)


def test_an_upload_whose_process_was_killed_takes_no_room(gauge: plane.Gauge, root: Folder) -> None:
    folder = root.path("staging/d/in")
    folder.mkdir(parents=True)
    (folder / ".part-0123").write_bytes(b"x" * 100)  # nobody holds its lock
    gauge.admit("staging/d/in", 100, 100)
    assert list(folder.iterdir()) == []


def test_an_upload_on_its_way_is_not_swept(gauge: plane.Gauge, root: Folder) -> None:
    intake = Intake(root.path("staging/d/in"), root.path("staging/d/in/x"), 60)
    with pytest.raises(OverQuota):
        gauge.admit("staging/d/in", 60, 100)
    assert intake.temporary.exists()
    intake.discard()
    gauge.admit("staging/d/in", 60, 100)
