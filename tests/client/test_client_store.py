"""The store: byte ranges by a ticket that renews itself, and pickles that hold no secret."""

from __future__ import annotations

import asyncio
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import cloudpickle
import numpy as np
import pytest
from tiny_catalog import TOKEN, Tiny
from zarr.abc.store import OffsetByteRequest, RangeByteRequest, SuffixByteRequest
from zarr.core.buffer import default_buffer_prototype

import cid_client as cid
from cid_client.pixels.store import TicketStore, open_store


@pytest.fixture
def store(cell: cid.Image) -> TicketStore:
    return open_store(cell.session, cell.path, cell.record)


def got(store: TicketStore, key: str, asked: object = None) -> bytes | None:
    found = asyncio.run(store.get(key, default_buffer_prototype(), asked))
    return None if found is None else found.to_bytes()


def test_ranges_are_the_bytes_that_were_asked_for(store: TicketStore, tiny: Tiny) -> None:
    key = "0/c/0/0/0/0"
    whole = (tiny.folder / "cell" / "image.ome.zarr" / key).read_bytes()
    assert got(store, key) == whole
    assert got(store, key, RangeByteRequest(10, 90)) == whole[10:90]
    assert got(store, key, OffsetByteRequest(100)) == whole[100:]
    assert got(store, key, SuffixByteRequest(17)) == whole[-17:]
    assert got(store, key, RangeByteRequest(5, 5)) == b""
    assert got(store, "0/c/9/9/9/9") is None
    assert asyncio.run(store.exists(key))
    assert not asyncio.run(store.exists("nothing"))


def test_a_ticket_that_ended_is_renewed_without_a_word(
    cell: cid.Image, tiny: Tiny, pixels: np.ndarray
) -> None:
    array = cell.to_xarray()
    tiny.end_tickets()
    before = len(tiny.asked("GET", "api/v1/images/cell"))
    np.testing.assert_array_equal(array.isel(c=0).values, pixels[0])
    tiny.end_tickets()
    np.testing.assert_array_equal(array.isel(c=1).values, pixels[1])
    renewals = len(tiny.asked("GET", "api/v1/images/cell")) - before
    assert renewals == 2  # many threads, one renewal each time a ticket has ended


def test_a_right_that_was_withdrawn_ends_with_its_ticket(cell: cid.Image, tiny: Tiny) -> None:
    array = cell.to_xarray()
    del tiny.images["cell"]
    tiny.end_tickets()
    with pytest.raises(cid.NotFound, match="no 'cell' here"):
        array.compute()


def test_many_threads_read_the_same_image(cell: cid.Image, pixels: np.ndarray) -> None:
    array = cell.to_xarray().data

    def plane(z: int) -> bool:
        return bool((np.asarray(array[0, z]) == pixels[0, z]).all())

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(plane, list(range(8)) * 3))


def test_the_store_can_be_read_from_any_event_loop(store: TicketStore) -> None:
    assert got(store, "zarr.json") == got(store, "zarr.json")  # asyncio.run makes a new one each


def test_committed_pixels_cannot_be_written(store: TicketStore) -> None:
    value = default_buffer_prototype().buffer.from_bytes(b"x")
    with pytest.raises(ValueError, match="read-only"):
        asyncio.run(store.set("zarr.json", value))
    with pytest.raises(ValueError, match="read-only"):
        asyncio.run(store.delete("zarr.json"))


READ_ELSEWHERE = """
import pickle, sys
array = pickle.load(sys.stdin.buffer)
print(int(array.isel(c=0, z=0).sum().compute()))
"""


def read_elsewhere(pickled: bytes, **environment: str) -> subprocess.CompletedProcess[bytes]:
    plain = {k: v for k, v in os.environ.items() if not k.startswith("CID_")}
    return subprocess.run(
        [sys.executable, "-c", READ_ELSEWHERE],
        input=pickled,
        capture_output=True,
        env={**plain, **environment},
        check=False,
    )


@pytest.fixture
def pickled(cell: cid.Image) -> bytes:
    array = cell.to_xarray()
    array.isel(c=1, z=1, y=0, x=0).compute()  # connections are open, a ticket is held
    return cloudpickle.dumps(array)


def test_a_pickled_array_is_read_elsewhere_as_whoever_is_there(
    pickled: bytes, tiny: Tiny, pixels: np.ndarray
) -> None:
    done = read_elsewhere(pickled, CID_URL=tiny.url, JUPYTERHUB_API_TOKEN=TOKEN)
    assert done.stderr == b""
    assert int(done.stdout) == int(pixels[0, 0].sum())


def test_a_pickle_holds_neither_token_nor_ticket(
    pickled: bytes, cell: cid.Image, tiny: Tiny
) -> None:
    for secret in [TOKEN, "/services/cid/data/"]:
        assert secret.encode() not in pickled
        assert secret.encode() not in pickle.dumps(cell)
    done = read_elsewhere(pickled)
    assert b"NotConfigured: no token for" in done.stderr
    done = read_elsewhere(pickled, CID_URL=tiny.url, CID_TOKEN="a stranger's")
    assert b"NotLoggedIn: log in first" in done.stderr


def test_copies_in_one_process_share_a_session_and_a_ticket(
    cell: cid.Image, tiny: Tiny, monkeypatch: pytest.MonkeyPatch, pixels: np.ndarray
) -> None:
    monkeypatch.setenv("CID_URL", tiny.url)
    monkeypatch.setenv("CID_TOKEN", TOKEN)
    copies = [pickle.loads(cloudpickle.dumps(cell.to_xarray())) for _ in range(3)]
    stores = {id(store) for store in map(store_of, copies)}
    assert len(stores) == 1
    np.testing.assert_array_equal(copies[0].isel(c=0, z=2).values, pixels[0, 2])
    store_of(copies[0]).ticket.session.close()


def store_of(array: object) -> TicketStore:
    graph = dict(array.data.dask)
    [source] = [v for v in graph.values() if hasattr(v, "store_path")] or [
        task.args[0] for task in graph.values() if hasattr(getattr(task, "args", [0])[0], "store")
    ]
    return source.store_path.store
