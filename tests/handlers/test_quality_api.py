"""Quality the whole way: a file comes in, and what was measured is told, searched and shown."""

from __future__ import annotations

import itertools
from pathlib import Path

import httpx
import numpy as np
import pytest
import scenes
import tifffile
import world
from processes import Service, deposit, identity
from sqlalchemy import select

from cid_server_ext.core import journal
from cid_server_ext.db.session import Sessions
from cid_server_ext.db.tables import Image, Journal
from cid_server_ext.measuring import measure_again
from cid_server_ext.storage.roots import Folder

unique = itertools.count()


@pytest.fixture
def project(service_database: Sessions) -> str:
    name = f"quality-{next(unique)}"
    with service_database.begin() as session:
        world.make_project(session, name, 10**8)
    return name


def test_an_import_is_measured_told_searched_shown_and_measured_again(
    service: Service, service_database: Sessions, project: str, tmp_path: Path
) -> None:
    shape = scenes.discs((300, 300), 0.3, 1)
    grey = np.stack([scenes.exposed(scenes.lit(shape, n), "uint12", 5, 60) for n in (4, 25)])
    told = {"axes": "CYX", "unit": "um", "Labels": ["a", "b"]}
    tifffile.imwrite(tmp_path / "cells.tif", grey, imagej=True, metadata=told)
    done = deposit(service, "contributor", project, tmp_path / "cells.tif")
    assert done["state"] == "done", done
    uid = done["images"][0]
    image = service.ask("GET", f"images/{uid}", "viewer").json()
    channels = image["quality"]["channels"]
    assert [one["snr"] for one in channels] == pytest.approx([4, 25], rel=0.1)
    words = {one["key"]: one for one in channels[0]["told"]}
    assert words["snr"]["level"] == "bad"
    assert words["snr"]["text"].startswith("low: ")
    assert image["quality"]["version"] == 1
    assert image["quality"]["told"] == ""

    tags = {tag["key"]: tag for tag in image["tags"]}
    assert tags["SNR"]["number"] == pytest.approx(25, rel=0.1)
    assert (tags["SNR"]["kind"], tags["SNR"]["source"]) == ("machine", "file")
    assert (tags["Saturation"]["number"], tags["Saturation"]["unit"]) == (0.0, "%")
    assert set(tags) >= {"SNR", "Saturation", "Focus", "Dynamic range", "Background"}

    def found(query: str) -> list[str]:
        asked = {"q": query, "project": project}
        rows = service.ask("GET", "images", "viewer", params=asked).json()["images"]
        return [row["uid"] for row in rows]

    assert (found("snr>20"), found("snr>40")) == ([uid], [])
    assert found('"Dynamic range">50 saturation<1') == [uid]
    page = httpx.get(f"{service.url}images/{uid}", headers=identity("viewer"), timeout=30)
    assert channels[0]["told"][0]["text"] in page.text

    root = Folder(service.folder / "storage")
    with service_database.begin() as session:
        row = session.scalars(select(Image).where(Image.uid == uid)).one()
        row.quality = {"version": 0, "channels": [{"name": "x", "snr": 1.0}], "planes": {}}
        journal.record(session, "cid", "measure quality", f"image:{uid}", {})
    dry = measure_again(service_database, root, project=project, dry=True)
    assert (dry.older, dry.measured) == (1, 0)
    again = measure_again(service_database, root, project=project)
    assert (again.older, again.measured, again.failed) == (1, 1, {})
    assert measure_again(service_database, root, project=project).older == 0
    with service_database.begin() as session:
        entry = session.scalars(select(Journal).order_by(Journal.id.desc())).first()
        assert entry is not None
        assert (entry.action, entry.person) == ("measure quality", "cid")
    now = service.ask("GET", f"images/{uid}", "viewer").json()
    assert now["quality"] == image["quality"]
    assert now["tags"] == image["tags"]
