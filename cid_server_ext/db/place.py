"""Where a SQLite file may lie: on a disk of this machine.

Its write-ahead log needs memory that all processes share, and locks that hold; network file
systems give neither (https://www.sqlite.org/wal.html, https://www.sqlite.org/lockingv3.html).
"""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import Unavailable

MOUNTS = Path("/proc/self/mountinfo")
NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "lustre", "gpfs"}
NETWORK |= {"beegfs", "glusterfs", "pvfs2", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph"}
NETWORK |= {"fuse.s3fs", "fuse.rclone", "fuse.davfs"}


def require_local(file: str) -> None:
    """Raise Unavailable when a network file system holds `file`; where none can tell, it is fine.

    Linux says it; other systems are not asked.
    """
    if not MOUNTS.exists():
        return
    kind = file_system(Path(file), MOUNTS.read_text(encoding="utf-8", errors="replace"))
    if kind in NETWORK:
        raise Unavailable(
            f"{file} lies on a network file system ({kind}), where SQLite loses data: "
            "put it on a local disk, or use PostgreSQL"
        )


def file_system(file: Path, mounts: str) -> str | None:
    """Return the type of the file system that holds `file`, by what /proc/self/mountinfo says."""
    path = os.path.realpath(file)
    found: tuple[int, str] | None = None
    for line in mounts.splitlines():
        before, separator, after = line.partition(" - ")
        if not separator:
            continue
        point = _unescaped(before.split(" ")[4])
        below = path == point or path.startswith(point.rstrip("/") + "/")
        # of two at the same point the later one covers the earlier
        if below and (found is None or len(point) >= found[0]):
            found = len(point), after.split(" ")[0]
    return found and found[1]


def _unescaped(point: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, character)
    return point
