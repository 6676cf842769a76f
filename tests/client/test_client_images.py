"""Images as a notebook sees them: fields, tags, lineage, pictures, originals."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import pytest
from stored_things import PNG
from tiny_catalog import BASE, Tiny

import cid_client as cid

BYTES = b"II*\x00 an original" * 100_000


@pytest.fixture
def original(cell: cid.Image, tiny: Tiny) -> cid.Image:
    (tiny.folder / "cell" / "cell.tif").write_bytes(BYTES)
    sha256 = hashlib.sha256(BYTES).hexdigest()
    tiny.images["cell"]["original"] = {"uid": "f", "name": "cell.tif", "sha256": sha256}
    return cell.refresh()


def test_fields_are_the_wire_s(cell: cid.Image) -> None:
    assert (cell.uid, cell.kind, cell.axes, cell.shape) == (
        "cell",
        "image",
        "czyx",
        (2, 8, 256, 192),
    )
    assert cell.scale == cell.record["scale"]


def test_a_row_reads_the_whole_record_when_more_is_looked_at(
    cell: cid.Image, catalog: cid.Catalog, tiny: Tiny
) -> None:
    row = catalog.search()[0]
    tiny.seen.clear()
    assert row.axes == "czyx"
    assert tiny.seen == []
    assert [channel["name"] for channel in row.channels] == ["DAPI", "GFP"]
    assert [seen.path for seen in tiny.seen] == [BASE + "api/v1/images/cell"]


def test_an_unknown_image_is_not_found(catalog: cid.Catalog, tiny: Tiny) -> None:
    with pytest.raises(cid.NotFound):
        catalog.image("nobody/../x")
    assert tiny.seen[-1].path.endswith("images/nobody%2F..%2Fx")


def test_tags_are_set_and_taken_off(cell: cid.Image, tiny: Tiny) -> None:
    cell.tag({"Tube/Detector": "PMT 1"}, Staining="DAPI", Passage=12)
    assert cell.tags == {"Tube/Detector": "PMT 1", "Staining": "DAPI", "Passage": 12}
    assert tiny.asked("PUT", "")[0].path.endswith("images/cell/tags/Tube%2FDetector")
    assert "Staining" not in cell.untag("Staining").tags


def test_lineage_names_what_was_made_from_it(cell: cid.Image, tiny: Tiny) -> None:
    tiny.add_image("cells", kind="labels", source="cell")
    lineage = cell.lineage()
    assert lineage.parents == []
    assert [image.kind for image in lineage.children] == ["labels"]
    assert "cells" in lineage._repr_html_()


def test_the_thumbnail_outlives_its_ticket(cell: cid.Image, tiny: Tiny) -> None:
    tiny.end_tickets()
    assert cell.thumbnail == PNG


def test_the_data_url_is_new_each_time(cell: cid.Image, tiny: Tiny) -> None:
    first, second = cell.data_url, cell.data_url
    assert first != second
    assert first.startswith(tiny.url + "data/")
    assert first.endswith("/image.ome.zarr/")


def test_html_shows_the_picture_and_escapes_what_people_wrote(cell: cid.Image, tiny: Tiny) -> None:
    tiny.images["cell"]["name"] = "<b onclick=x>"
    cell.refresh().tag(Note="<img src=x>")
    html = cell._repr_html_()
    assert "data:image/png;base64," in html
    assert "<b onclick" not in html
    assert "<img src=x>" not in html
    assert "&lt;img src=x&gt;" in html


def test_an_image_without_thumbnail_is_shown_all_the_same(cell: cid.Image, tiny: Tiny) -> None:
    (tiny.folder / "cell" / "thumbnail.png").unlink()
    assert "uint16" in cell._repr_html_()


def test_the_original_comes_whole(original: cid.Image, tmp_path: Path, tiny: Tiny) -> None:
    tiny.end_tickets()
    path = original.download(tmp_path / "here")
    assert path == tmp_path / "here" / "cell.tif"
    assert path.read_bytes() == BYTES
    with pytest.raises(cid.Conflict, match="exists already"):
        original.download(tmp_path / "here")


def test_an_original_that_arrives_damaged_leaves_nothing(
    original: cid.Image, tmp_path: Path, tiny: Tiny
) -> None:
    (tiny.folder / "cell" / "cell.tif").write_bytes(BYTES[:-1] + b"?")
    with pytest.raises(cid.BadInput, match="arrived damaged"):
        original.download(tmp_path / "here")
    assert list((tmp_path / "here").iterdir()) == []


def test_an_original_that_is_missing_leaves_nothing(
    original: cid.Image, tmp_path: Path, tiny: Tiny
) -> None:
    (tiny.folder / "cell" / "cell.tif").unlink()
    with pytest.raises(cid.NotFound):
        original.download(tmp_path / "here")
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize("name", ["../../evil.tif", "C:\\temp\\evil.tif", "/etc/evil.tif"])
def test_a_name_never_leads_out_of_the_folder(
    original: cid.Image, tmp_path: Path, tiny: Tiny, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    original.record["original"] = {**original.record["original"], "name": name}
    assert original.download(tmp_path / "here") == tmp_path / "here" / "evil.tif"


def test_an_image_from_no_single_file_says_so(cell: cid.Image, tmp_path: Path) -> None:
    with pytest.raises(cid.NotFound, match="to_xarray"):
        cell.download(tmp_path)


def test_an_image_from_several_files_says_how_they_come(
    original: cid.Image, catalog: cid.Catalog, tmp_path: Path
) -> None:
    original.record["original"] = {**original.record["original"], "media_type": "inode/directory"}
    with pytest.raises(cid.NotFound, match=r"several files: take catalog\.download\(image\)"):
        original.download(tmp_path)
    folder = cid.File(
        catalog.session, {"uid": "f", "name": "cells.nd", "media_type": "inode/directory"}
    )
    for way in (folder.read, lambda: folder.download(tmp_path)):
        with pytest.raises(
            cid.NotFound, match=r"a folder of files: take catalog\.download\(file\)"
        ):
            way()


def test_equal_images_are_the_same_image(cell: cid.Image, catalog: cid.Catalog) -> None:
    assert len({cell, catalog.image("cell")}) == 1
    assert pickle.loads(pickle.dumps(cell)) == cell


def test_a_project_tells_its_room(catalog: cid.Catalog) -> None:
    record = {
        "name": "demo", "title": "Demo", "role": "viewer", "datasets": [{"uid": "d", "path": ""}],
        "allocation": {"limit": 100, "used": 30, "reserved": 20}, "members": [],
    }  # fmt: skip
    project = cid.Project(catalog.session, record)
    assert project.allocation.free == 50
    assert [one["path"] for one in project.wire("datasets")] == [""]
    assert "30 B of 100 B" in project._repr_html_()


def test_the_trash_is_read_to_its_end(catalog: cid.Catalog, tiny: Tiny) -> None:
    tiny.thrown = 5  # two on a page
    assert [one.uid for one in catalog.project("demo").trash] == ["t4", "t3", "t2", "t1", "t0"]


def test_a_template_shows_its_parameters(catalog: cid.Catalog) -> None:
    sigma = {"type": "number", "default": 1.0, "minimum": 0, "maximum": None, "help": "<i>blur"}
    record = {
        "name": "segment-cells", "version": "1.0.0", "title": "Segment", "summary": "Finds cells",
        "parameters": {"sigma": sigma},
    }  # fmt: skip
    html = cid.Template(catalog.session, record)._repr_html_()
    assert "sigma" in html
    assert "0 to …" in html
    assert "&lt;i&gt;blur" in html
