"""SQLite keeps its promises on local disks only, so elsewhere it is not opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from cid_server_ext.db import place
from cid_server_ext.db.session import connect
from cid_server_ext.errors import Unavailable

MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:40 / /srv rw shared:2 - nfs4 server:/export rw,vers=4.2
41 40 0:41 / /srv/local\\040disk rw - xfs /dev/sdb1 rw
42 22 0:42 / /srvice rw - tmpfs tmpfs rw
43 40 0:43 / /srv rw - cifs //server/share rw
a line that says nothing
"""


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("/catalog.sqlite", "ext4"),
        ("/srv/catalog.sqlite", "cifs"),
        ("/srv/local disk/catalog.sqlite", "xfs"),
        ("/srvice/catalog.sqlite", "tmpfs"),
    ],
)
def test_the_nearest_and_latest_mount_holds_a_file(file: str, kind: str) -> None:
    assert place.file_system(Path(file), MOUNTS) == kind


def test_a_file_on_the_network_is_refused_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "mountinfo"
    said.write_text(f"22 1 8:1 / {tmp_path} rw - nfs4 server:/export rw\n")
    monkeypatch.setattr(place, "MOUNTS", said)
    with pytest.raises(Unavailable, match=r"network file system \(nfs4\), .* or use PostgreSQL"):
        connect(f"sqlite:///{tmp_path}/catalog.sqlite")
    connect("sqlite://").dispose()  # in memory


def test_a_file_on_this_machines_disk_is_opened(tmp_path: Path) -> None:
    place.require_local(str(tmp_path / "catalog.sqlite"))
