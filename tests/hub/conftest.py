"""What the tests on the real hub share: people, a project, the template, a picture."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

import cid_client as cid

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parent.parent / "templates"))

from spots import CENTRES, ROOM


@pytest.fixture(scope="session")
def staff(hub: Any) -> cid.Catalog:
    return cid.connect(hub.service_url, hub.token("staff"))


@pytest.fixture(scope="session")
def researcher(hub: Any) -> cid.Catalog:
    return cid.connect(hub.service_url, hub.token("researcher"))


@pytest.fixture(scope="session")
def project(staff: cid.Catalog) -> str:
    new = {
        "name": "whole-way",
        "team": "imaging",
        "limit": ROOM,
        "leaders": ["leader"],
        "members": {"researcher": "contributor", "guest": "viewer"},
    }
    staff.session.send("POST", "projects", new)
    return "whole-way"


@pytest.fixture(scope="session")
def segment(staff: cid.Catalog) -> str:
    folder = Path(__file__).parents[2] / "notebooks" / "templates" / "segment-cells"
    manifest = tomllib.loads((folder / "template.toml").read_text())
    return staff.publish(manifest, (folder / "template.ipynb").read_text()).name


@pytest.fixture(scope="session")
def picture(researcher: cid.Catalog, project: str, tmp_path_factory: Any) -> cid.Image:
    y, x = np.mgrid[:200, :240]
    spots = sum(np.exp(-((y - r) ** 2 + (x - c) ** 2) / 60) for r, c in CENTRES)
    path = tmp_path_factory.mktemp("picture") / "spots.ome.tif"
    tifffile.imwrite(
        path,
        (spots * 3000 + 100).astype(np.uint16),
        metadata={
            "axes": "YX",
            "PhysicalSizeX": 0.25,
            "PhysicalSizeXUnit": "µm",
            "PhysicalSizeY": 0.25,
            "PhysicalSizeYUnit": "µm",
        },
    )
    return researcher.upload(path, project, "day 1")[0]
