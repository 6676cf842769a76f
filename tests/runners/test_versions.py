"""Environments that differ are said in one line; what a template declares, its worker has."""

from __future__ import annotations

import pytest
from distributed.versions import get_versions

from cid_server_ext.runners import hardware, inside, versions
from cid_server_ext.runners.versions import EnvironmentDiffers

KERNELS = {"python3": "/somewhere"}
LOCK, OTHER = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"


def test_a_host_is_told_as_we_tell_ourselves() -> None:
    assert versions.of_host(get_versions()) == versions.mine()
    versions.require("scheduler", versions.mine(), versions.mine())


def test_each_difference_is_told() -> None:
    ours = {"python": "3.11", "dask": "2026.8.0", "tornado": "6.6.1"}
    with pytest.raises(EnvironmentDiffers) as refused:
        versions.require("worker", {"python": "3.12", "dask": "2026.8.0"}, ours)
    said = "the worker has python 3.12 instead of 3.11, tornado none instead of 6.6.1: tell staff"
    assert str(refused.value).startswith(said)


def test_what_a_template_declares_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    versions.require_declared({"kernel": "python3", "lock": LOCK, "image": ""}, KERNELS)
    monkeypatch.setenv("CID_LOCK", LOCK)
    versions.require_declared({"kernel": "python3", "lock": LOCK}, KERNELS)
    with pytest.raises(EnvironmentDiffers, match="the worker's lock is sha256:aaa"):
        versions.require_declared({"lock": OTHER}, KERNELS)
    with pytest.raises(EnvironmentDiffers, match=r"no kernel 'julia-1\.12'; it has python3"):
        versions.require_declared({"kernel": "julia-1.12"}, KERNELS)


def test_a_worker_of_another_release_takes_nothing_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CID_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("CID_RUN_KEY", "0" * 64)
    monkeypatch.setattr(inside, "secede", lambda: None)
    told = inside.execute("a-run", 1, {**versions.mine(), "dask": "2020.1.0"})
    assert (told["state"], told["error"]) == (inside.REFUSED, "EnvironmentDiffers")
    assert "instead of 2020.1.0" in told["message"]


def test_gpus_image_and_lock_are_told_where_they_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "NVIDIA H100, 550.54.15, 81559\nNVIDIA H100, 550.54.15, 81559\n"
    monkeypatch.setattr(hardware, "_asked", lambda: said)
    monkeypatch.setenv("CID_IMAGE", "cid/worker@sha256:" + "c" * 64)
    hardware.gpus.cache_clear()
    told = hardware.describe()
    assert told["gpus"][1] == {"name": "NVIDIA H100", "driver": "550.54.15", "memory_mib": 81559}
    assert told["image"].startswith("cid/worker@sha256:")
    assert "lock" not in told
    assert told["cid_client"]
    hardware.gpus.cache_clear()
    monkeypatch.setattr(hardware, "_asked", lambda: "NVIDIA-SMI has failed")
    assert hardware.describe()["gpus"] == []
    hardware.gpus.cache_clear()
