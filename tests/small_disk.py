"""Run in a mount namespace of its own: a catalog on a disk that fills up, as JSON lines.

    unshare --mount python small_disk.py FOLDER OPTIONS STEP...

OPTIONS are the disk's, as `mount` takes them. FOLDER gets a real disk in memory, with the storage
and the database of the real service. A STEP is what is left of it while a large image is brought:
so many bytes, or files if that is less than 1,000.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import tifffile
import world
from processes import STAFF, Service, content_digest, start_service, stop, wait_until

from cid_server_ext.db.session import open_database
from cid_server_ext.memory.migration import to_newest

PROJECT = "small-disk"


def tell(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def bring(service: Service, path: Path) -> dict[str, Any]:
    """Deposit a file as far as it goes; return the last answer, or the deposit as it ended."""
    body = path.read_bytes()
    declared = {"files": [{"path": path.name, "nbytes": len(body)}]}
    opened = service.ask("POST", f"projects/{PROJECT}/deposits", "contributor", json=declared)
    if opened.status_code != 201:
        return {"at": "open", "status": opened.status_code, **opened.json()}
    headers = {"Content-Digest": content_digest(body)}
    url = service.origin + opened.json()["upload"] + path.name
    put = httpx.put(url, content=body, headers=headers, timeout=60)
    uid = opened.json()["uid"]
    if not put.is_success:
        given_up = service.ask("DELETE", f"deposits/{uid}", "contributor")
        gone = {"status": put.status_code, "given_up": given_up.status_code}
        return {"at": "upload", **gone, **put.json()}
    begun = service.ask("POST", f"deposits/{uid}/commit", "contributor", json={})
    if begun.status_code != 202:
        return {"at": "commit", "status": begun.status_code, **begun.json()}

    def ended() -> dict[str, Any] | None:
        asked = service.ask("GET", f"deposits/{uid}", "contributor")
        now: dict[str, Any] = asked.json()
        return now if now.get("state") in ("done", "failed", "aborted") else None

    return {"at": "import", **wait_until(ended, 60, f"import of {path.name}")}


def fill(disk: Path, left: int) -> None:
    stat = os.statvfs(disk)
    if left < 1000:
        many = disk / "many"
        many.mkdir(exist_ok=True)
        for number in range(stat.f_ffree - left - 1):
            (many / str(number)).touch()
    else:
        with (disk / "filler").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, stat.f_bavail * stat.f_frsize - left)


def relieve(disk: Path) -> None:
    (disk / "filler").unlink(missing_ok=True)
    shutil.rmtree(disk / "many", ignore_errors=True)


def state(service: Service, image: str) -> dict[str, Any]:
    """What is still right while the disk is full: reads, and what the project has taken."""
    read = service.ask("GET", f"images/{image}", "viewer")
    ticket = service.origin + read.json().get("data", "") if read.is_success else ""
    pixels = httpx.get(ticket + "zarr.json") if ticket else None
    usage = service.ask("GET", f"projects/{PROJECT}/usage", STAFF).json()
    return {
        "read": read.status_code,
        "pixels": pixels.status_code if pixels is not None else None,
        "staged": service.staged(),
        "reserved": usage.get("reserved", usage),
    }


def main(disk: Path, options: str, steps: list[str]) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "small", str(disk)], check=True)
    elsewhere = disk.parent / "sources"
    elsewhere.mkdir()
    random = np.random.default_rng(3)
    for name, size in (("small.tif", 400), ("large.tif", 2600)):
        pixels = random.integers(0, 60000, (size, size), dtype=np.uint16)
        tifffile.imwrite(elsewhere / name, pixels)
    digest = hashlib.sha256((elsewhere / "large.tif").read_bytes()).hexdigest()
    url = f"sqlite:///{disk}/catalog.sqlite"
    to_newest(url)
    sessions = open_database(url)
    with sessions.begin() as session:
        world.make_project(session, PROJECT)
    sessions.kw["bind"].dispose()
    service = start_service(disk)
    try:
        first = bring(service, elsewhere / "small.tif")
        image = first["images"][0]
        tell(step="before", state=first["state"], **state(service, image))
        for step in steps:
            fill(disk, int(step))
            tell(step=step, **bring(service, elsewhere / "large.tif"))
            tell(step=f"{step} still", **state(service, image))
            relieve(disk)
        again = bring(service, elsewhere / "large.tif")
        tell(step="after", state=again["state"], **state(service, image))
        same = hashlib.sha256((elsewhere / "large.tif").read_bytes()).hexdigest() == digest
        tell(step="source", same=same)
    finally:
        stop(service.process)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
