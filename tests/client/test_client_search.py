"""A search is read page by page, as far as somebody looks."""

from __future__ import annotations

import pytest
from tiny_catalog import Tiny

import cid_client as cid


@pytest.fixture
def many(tiny: Tiny) -> Tiny:
    for n in range(120):
        tiny.add_image(f"i{n:03}", name=f"cell {n:03}" if n % 2 else f"nucleus {n:03}")
    return tiny


def pages(tiny: Tiny) -> int:
    return len(tiny.asked("GET", "api/v1/images?"))


def test_nothing_is_asked_before_somebody_looks(many: Tiny, catalog: cid.Catalog) -> None:
    found = catalog.search("cell")
    assert pages(many) == 0
    assert found[0].name == "cell 119"
    assert pages(many) == 1


def test_iterating_reads_every_page_once(many: Tiny, catalog: cid.Catalog) -> None:
    found = catalog.search()
    assert [image.uid for image in found] == [f"i{n:03}" for n in reversed(range(120))]
    assert len(list(found)) == len(found) == 120
    assert pages(many) == 3


def test_the_number_is_unknown_until_the_end(many: Tiny, catalog: cid.Catalog) -> None:
    found = catalog.search()
    assert found
    with pytest.raises(TypeError, match=r"use list\(search\)"):
        len(found)
    assert found[-1].uid == "i000"
    assert len(found) == 120


def test_a_slice_reads_as_many_pages_as_it_needs(many: Tiny, catalog: cid.Catalog) -> None:
    found = catalog.search()
    assert [image.uid for image in found[55:57]] == ["i064", "i063"]
    assert pages(many) == 2
    assert len(found[:10]) == 10
    assert pages(many) == 2
    with pytest.raises(IndexError):
        found[120]


def test_a_limit_ends_it(many: Tiny, catalog: cid.Catalog) -> None:
    found = catalog.search(limit=60)
    assert len(list(found)) == 60
    assert [seen.path.split("limit=")[1].split("&")[0] for seen in many.seen] == ["50", "10"]


def test_nothing_found_is_false(many: Tiny, catalog: cid.Catalog) -> None:
    found = catalog.search("mitochondria")
    assert not found
    assert list(found) == []
    assert found._repr_html_() == "<em>no image matches</em>"


def test_what_is_asked_is_what_was_said(many: Tiny, catalog: cid.Catalog) -> None:
    list(catalog.search("cell 001", project="demo", dataset="plate 1", kind="labels"))
    asked = many.seen[-1].path
    assert asked.endswith("images?q=cell+001&project=demo&dataset=plate+1&kind=labels&limit=50")


def test_the_gallery_shows_pictures_and_escapes_names(many: Tiny, catalog: cid.Catalog) -> None:
    many.add_image("j", name="<script>alert(1)</script>")
    (many.folder / "j").mkdir(parents=True)
    (many.folder / "j" / "thumbnail.png").write_bytes(b"png")
    html = catalog.search()._repr_html_()
    assert "data:image/png;base64,cG5n" in html
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "and more" in html


def test_what_is_typed_can_go_on(tiny: Tiny, catalog: cid.Catalog) -> None:
    [offer] = catalog.complete("x ce")
    assert (offer.text, offer.start, offer.count) == ("cell_type:", 2, None)
    assert tiny.seen[-1].path.endswith("search/complete?q=x+ce")
    [tag] = catalog.top(5)
    assert (tag.key, tag.value, tag.count) == ("Cell type", "HeLa", 1)
