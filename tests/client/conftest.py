"""A catalog on loopback, a client of it, and an image whose pixels are really stored."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from processes import Service
from speaking import As
from stored_things import PNG, SHAPE, store_image
from tiny_catalog import TOKEN, Running, Tiny

import cid_client as cid
from cid_client.runs import inside
from cid_client.wire import session, waiting
from cid_client.wire.environment import Access


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the machine reaches a test, and nobody waits longer than needed."""
    for name in [n for n in os.environ if n.startswith("CID_") or n == "JUPYTERHUB_API_TOKEN"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CID_STATE", str(tmp_path / "state"))
    monkeypatch.setattr(waiting, "FIRST", 0.01)
    monkeypatch.setattr(waiting, "SLOWEST", 0.02)
    monkeypatch.setattr(session, "PAUSES", (0.01, 0.01, 0.01))
    monkeypatch.setattr(inside, "_runs", {})


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Tiny]:
    with Running(Tiny(tmp_path / "stored")) as running:
        yield running


@pytest.fixture
def catalog(tiny: Tiny) -> Iterator[cid.Catalog]:
    connected = cid.connect(tiny.url, TOKEN)
    yield connected
    connected.close()


@pytest.fixture(scope="session")
def pixels() -> np.ndarray:
    return np.random.default_rng(2).integers(1, 60_000, SHAPE, dtype="uint16")


@pytest.fixture
def cell(tiny: Tiny, catalog: cid.Catalog, pixels: np.ndarray) -> cid.Image:
    """A calibrated two-channel stack, two levels, sharded; t is absent and c has names."""
    place = tiny.folder / "cell"
    store_image(place / "image.ome.zarr", pixels)
    (place / "thumbnail.png").write_bytes(PNG)
    tiny.add_image(
        "cell",
        axes="czyx",
        shape=list(SHAPE),
        dtype="uint16",
        levels=2,
        scale={"z": 0.5, "y": 0.1, "x": 0.1},
        units={"z": "micrometer", "y": "micrometer", "x": "micrometer"},
        channels=[{"name": "DAPI", "color": "0000FF"}, {"name": "GFP", "color": "00FF00"}],
    )
    return catalog.image("cell")


@pytest.fixture
def speak(service: Service) -> Iterator[Callable[[str], cid.Catalog]]:
    """Connect as a person."""
    made: list[cid.Catalog] = []

    def connect(person: str) -> cid.Catalog:
        access = Access(service.url, "token of a person")
        made.append(cid.Catalog(session.Session(access, transport=As(person))))
        return made[-1]

    yield connect
    for catalog in made:
        catalog.close()
