"""An image registered as the service does it, without the network: bytes in, import, commit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import deposits, projects
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import open_database
from cid_server_ext.ingest.children import cool_down, warm_up
from cid_server_ext.ingest.importer import Importer
from cid_server_ext.memory.migration import to_newest
from cid_server_ext.storage import arriving, uploads
from cid_server_ext.storage.roots import Folder

PIECE = 1 << 20
WHO = Actor("staff", staff=True)


class Registration:
    """A catalog of its own in a new folder, and its import queue."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        url = f"sqlite:///{folder}/catalog.sqlite"
        to_newest(url)
        self.importer = Importer(open_database(url), Folder(folder / "storage"))
        with self.importer.sessions.begin() as session:
            wanted = projects.Wanted("bench", "bench", "", 10**13, {}, ("staff",))
            projects.create(session, WHO, wanted)
        warm_up()

    def open(self, declared: list[dict[str, Any]]) -> str:
        """Open a deposit of these files; return its uid."""
        how = {"dataset": "", "kind": "import", "declared": declared, "again": True}
        with self.importer.sessions.begin() as session:
            return str(deposits.open_import(session, WHO, "bench", **how).uid)

    def bring(self, uid: str, path: str, source: Path) -> None:
        """Copy a file in as an upload that came whole: hashed, and on disk."""
        prefix = self.importer.root.path(f"staging/{uid}/in")
        said = uploads.Said(path, source.stat().st_size)
        upload = uploads.begin(prefix, prefix / path, said)
        writing = arriving.Writing(upload, arriving.Hashes())
        with source.open("rb", buffering=0) as file:
            while piece := file.read(PIECE):
                writing.write(piece)
        writing.finish()
        writing.leave()

    def import_all(self, uid: str, count: int) -> list[str]:
        """Run the import as its queue does; return the uids of the images that came."""
        with self.importer.sessions.begin() as session:
            deposits.begin(session, WHO, uid, {})
        self.importer._import(uid)
        with self.importer.sessions() as session:
            deposit = session.query(t.Deposit).filter_by(uid=uid).one()
            assert deposit.state == "done", deposit.error
            found = [str(image) for image in deposit.results["images"]]
        assert len(found) == count
        return found

    def take(self, source: Path, target: Path) -> None:
        """Register one file; `target` becomes a link to the image's store."""
        name = f"{target.name}.ome.tif"
        uid = self.open([{"path": name, "nbytes": source.stat().st_size}])
        self.bring(uid, name, source)
        [image] = self.import_all(uid, 1)
        prefix = self.importer.root.path(f"images/{image[:2]}/{image}")
        os.symlink(prefix / "image.ome.zarr", target)

    def close(self) -> None:
        """End its threads and children."""
        self.importer.close()
        cool_down()
