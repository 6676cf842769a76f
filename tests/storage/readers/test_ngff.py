"""OME-Zarr that lies, links, or would run code is refused before it is opened."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import zarr


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A small OME-Zarr 0.4 image."""
    group = zarr.open_group(tmp_path / "x.zarr", mode="w", zarr_format=2)
    group.create_array("0", shape=(20, 30), chunks=(10, 10), dtype="u2")[:] = 5
    axes = [{"name": "y", "type": "space"}, {"name": "x", "type": "space"}]
    scale = [{"type": "scale", "scale": [1, 1]}]
    level = {"path": "0", "coordinateTransformations": scale}
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": [level]}]
    return tmp_path / "x.zarr"


def edit(file: Path, **changes) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_the_store_is_good_to_begin_with(store: Path, only) -> None:
    assert only(store).array.compute().tolist() == [[5] * 30] * 20


def test_chunks_that_are_not_there_are_told_of(store: Path, only) -> None:
    assert "Empty chunks" not in {key for key, _, _ in only(store).tags}
    (store / "0" / "1.2").unlink()
    image = only(store)
    assert image.array.compute()[10:, 20:].tolist() == [[0] * 10] * 10
    told = {key: (text, number) for key, text, number in image.tags}
    assert told["Empty chunks"] == ("1 of 6 are not in the store: read as its fill value", 1.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"dtype": "|O", "filters": [{"id": "pickle"}]},
        {"filters": [{"id": "pickle"}]},
        {"filters": [{"id": "json2"}]},
        {"compressor": {"id": "numcodecs.pickles"}},
        {"dtype": "|S8"},
        {"dtype": [["a", "<u2"]]},
        {"shape": [20, -30]},
        {"shape": [2**60, 30]},
        {"shape": [20, 30, 2]},
        {"shape": [0, 30]},
        {"chunks": [0, 10]},
        {"chunks": [2**31, 2**31]},
        {"chunks": [10]},
        {"shape": "many"},
    ],
    ids=str,
)
def test_arrays_that_would_run_code_or_fill_memory_are_refused(
    store: Path, changes, refused
) -> None:
    edit(store / "0" / ".zarray", **changes)
    refused(store)


@pytest.mark.parametrize("place", ["../other.zarr/0", "/etc", "..", "0/../../x", "", 7])
def test_levels_outside_the_store_are_refused(store: Path, place, refused) -> None:
    shutil.copytree(store, store.with_name("other.zarr"))
    attributes = json.loads((store / ".zattrs").read_text())
    attributes["multiscales"][0]["datasets"][0]["path"] = place
    edit(store / ".zattrs", **attributes)
    assert "path" in refused(store)


@pytest.mark.parametrize("target", ["/etc/passwd", "../other"])
def test_links_inside_a_store_are_refused(store: Path, target: str, refused) -> None:
    os.symlink(target, store / "0" / "9.9")
    assert "link" in refused(store)


def test_a_pipe_inside_a_store_is_refused(store: Path, refused) -> None:
    os.mkfifo(store / "0" / "9.9")
    assert "neither" in refused(store)


@pytest.mark.parametrize(
    "attributes",
    [
        {"multiscales": [{}]},
        {"multiscales": [{"axes": [], "datasets": []}]},
        {"multiscales": "x"},
        {"multiscales": [{"axes": [{"name": "q"}, {"name": "x"}], "datasets": [{"path": "0"}]}]},
        {"multiscales": []},
        {"plate": {"wells": [{"path": "../../x"}]}},
        {"plate": {"wells": [7]}},
    ],
    ids=str,
)
def test_metadata_that_is_not_valid_is_refused(store: Path, attributes, refused) -> None:
    (store / ".zattrs").write_text(json.dumps(attributes))
    refused(store)


def test_a_damaged_chunk_is_refused(store: Path, refused) -> None:
    (store / "0" / "1.1").write_bytes(b"\xff" * 10)
    refused(store)
    (store / "0" / ".zarray").write_text("{")
    assert "JSON" in refused(store)


def test_a_sharded_store_with_a_codec_that_is_not_ours_is_refused(tmp_path: Path, refused) -> None:
    group = zarr.open_group(tmp_path / "x.zarr", mode="w", zarr_format=3)
    group.create_array("0", shape=(8, 8), chunks=(4, 4), shards=(8, 8), dtype="u2")
    text = (tmp_path / "x.zarr/0/zarr.json").read_text()
    (tmp_path / "x.zarr/0/zarr.json").write_text(text.replace('"zstd"', '"numcodecs.pickle"'))
    assert "does not decode" in refused(tmp_path / "x.zarr")
