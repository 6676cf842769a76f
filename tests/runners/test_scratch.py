"""What a notebook left is delivered as listed; a listing that reaches elsewhere is refused."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest

from cid_server_ext.runners.scratch import BadOutput, listed, parts_of


def test_a_folder_is_delivered_file_by_file_with_digests(tmp_path):
    (tmp_path / "cells.ome.zarr" / "0").mkdir(parents=True)
    (tmp_path / "cells.ome.zarr" / "zarr.json").write_text("{}")
    (tmp_path / "cells.ome.zarr" / "0" / "c").write_bytes(b"pixels")
    first, second = parts_of(tmp_path, "cells.ome.zarr")
    assert (first.path, first.nbytes) == ("cells.ome.zarr/0/c", 6)
    assert second.path == "cells.ome.zarr/zarr.json"
    sha256 = base64.b64encode(hashlib.sha256(b"pixels").digest()).decode()
    assert first.digest == f"sha-256=:{sha256}:"


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "absent", "out/../../secret"])
def test_a_path_outside_the_folder_is_refused(tmp_path, path):
    (tmp_path / "secret").write_text("no")
    (tmp_path / "outputs" / "out").mkdir(parents=True)
    with pytest.raises(BadOutput, match="not in the outputs folder"):
        parts_of(tmp_path / "outputs", path)


def test_a_link_is_refused(tmp_path):
    (tmp_path / "real").write_text("yes")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(BadOutput, match="holds a link"):
        parts_of(tmp_path, "link")


def test_no_manifest_is_no_output(tmp_path):
    assert listed(tmp_path) == ([], {})


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"outputs": [1], "metrics": {}}'])
def test_a_manifest_that_was_broken_is_refused(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(BadOutput, match="changed by hand"):
        listed(tmp_path)


def test_outputs_and_metrics_are_read(tmp_path):
    told = {"outputs": [{"kind": "table", "path": "a.parquet"}], "metrics": {"n": 3}}
    (tmp_path / "manifest.json").write_text(json.dumps(told))
    assert listed(tmp_path) == (told["outputs"], told["metrics"])
