"""The client against the real catalog service: upload, find, read, tag, download, refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
import world
from processes import STAFF, Service

import cid_client as cid

STACK = np.random.default_rng(5).integers(0, 4000, (5, 2, 96, 120), dtype="uint16")  # z c y x


@pytest.fixture(scope="module")
def project(service: Service) -> str:
    body = {
        "name": "client-tests", "team": "client-team", "limit": 50_000_000,
        "members": {"clara": "contributor", "vera": "viewer"},
    }  # fmt: skip
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    return "client-tests"


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    path = tmp_path / "stack é.tif"
    tifffile.imwrite(
        path, STACK, imagej=True, resolution=(10, 10),
        metadata={"axes": "ZCYX", "spacing": 0.5, "unit": "um"},
    )  # fmt: skip
    return path


def test_a_stack_goes_in_and_comes_back_the_same(
    speak: Callable[[str], cid.Catalog], project: str, stack: Path, tmp_path: Path
) -> None:
    clara = speak("clara")
    told: list[float] = []
    [image] = clara.upload(stack, project, "a/b", on_progress=lambda f, text: told.append(f))
    assert told[-1] == 1.0
    array = image.to_xarray()
    np.testing.assert_array_equal(array.transpose("z", "c", "y", "x").values, STACK)
    assert array.x.attrs["units"] == "micrometer"
    np.testing.assert_allclose([array.x[1], array.z[1]], [0.1, 0.5])
    assert image.thumbnail.startswith(b"\x89PNG")
    assert image.download(tmp_path / "back").read_bytes() == stack.read_bytes()

    image.tag({"Cell type": "HeLa", "Passage": 7})
    seen = speak("vera").search("HeLa", project=project)
    assert [(found.uid, found.tags["Passage"]) for found in seen] == [(image.uid, 7)]
    np.testing.assert_array_equal(seen[0].to_xarray().isel(c=1, z=3).values, STACK[3, 1])
    assert seen[0].lineage().parents == []
    assert [p.name for p in speak("vera").projects()] == [project]
    assert clara.project(project).dataset("a/b").path == "a/b"


def test_any_file_is_kept_as_it_is(
    speak: Callable[[str], cid.Catalog], project: str, tmp_path: Path
) -> None:
    path = tmp_path / "notes.pdf"
    path.write_bytes(b"%PDF-1.7 notes")
    clara = speak("clara")
    [file] = clara.upload(path, project, kind="files")
    assert clara.file(file.uid).read() == b"%PDF-1.7 notes"
    assert file.download(tmp_path / "back").name == "notes.pdf"


def test_refusals_come_by_name_and_leave_nothing(
    speak: Callable[[str], cid.Catalog],
    project: str,
    stack: Path,
    tmp_path: Path,
    service: Service,
) -> None:
    fake = tmp_path / "fake.tif"
    fake.write_text("this is no TIFF")
    clara = speak("clara")
    used, staged = clara.project(project).allocation, service.staged()
    with pytest.raises(cid.BadFile):
        clara.upload(fake, project)
    with pytest.raises(cid.NotAllowed):
        speak("vera").upload(stack, project)
    with pytest.raises(cid.NotFound):
        speak("stranger").upload(stack, project)
    with pytest.raises(cid.NotFound):
        list(speak("stranger").search(project=project))
    with pytest.raises(cid.NotFound):
        clara.run("no-such-template", cid.Image(clara.session, {"uid": "x"}))
    assert clara.project(project).allocation == used
    assert service.staged() == staged


def test_before_a_run_each_image_says_whether_it_will_and_what_to_do(
    speak: Callable[[str], cid.Catalog], project: str, tmp_path: Path, service: Service
) -> None:
    manifest = {
        "template": {"name": "stacks-only", "version": "1.0.0", "title": "Stacks only"},
        "parameters": {
            "channel": {"type": "channel", "default": 0},
            "sigma": {"type": "number", "default": 1.0},
            "mode": {"type": "text", "default": "fast"},
        },
        "inputs": {"axes": "zyx", "wants": ["Staining"]},
    }
    notebook = world.NOTEBOOK.replace("mode =", "channel = 0\\nmode =")
    body = {"manifest": manifest, "notebook": notebook}
    assert service.ask("POST", "templates", STAFF, json=body).status_code == 201
    paths = {"flat.tif": STACK[0, 0], "deep.tif": STACK[:, 0]}
    for name, pixels in paths.items():
        axes = {"axes": "ZYX"[-pixels.ndim :]}
        tifffile.imwrite(tmp_path / name, pixels, imagej=True, metadata=axes)
    clara = speak("clara")
    came = {image.name: image for image in clara.upload(tmp_path, project, "before")}
    deep, flat = came["deep"], came["flat"]
    found = clara.preflight("stacks-only", [deep, flat.uid], sigma="wide")
    assert not found
    assert [one.light for one in found.images] == ["amber", "red"]
    assert (found.fit, [one.name for one in found.red]) == ([deep.uid], ["flat"])
    assert [note.about for note in found.notes] == ["sigma"]
    assert "flat: it needs axis z, this has yx; choose a stack" in str(found)
    assert "choose a stack" in found._repr_html_()
    deep.tags["Staining"] = "DAPI"
    assert clara.preflight("stacks-only", deep)
    assert clara.preflight("stacks-only", clara.search("deep", project=project))
    with pytest.raises(cid.BadParameter, match="sigma takes a number") as refused:
        clara.run("stacks-only", found.fit, sigma="wide")
    assert [one.field for one in refused.value.fields] == ["sigma"]
    with pytest.raises(cid.BadInput, match="needs axis z"):
        clara.run("stacks-only", [deep, flat])
    assert clara.run("stacks-only", deep.uid).cancel().state == "cancelled"
    assert [one.name for one in speak("vera").preflight("stacks-only", deep).red] == ["deep"]
    assert [one.name for one in speak("stranger").preflight("stacks-only", deep).red] == [None]
