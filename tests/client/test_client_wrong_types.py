"""What is given in the wrong type is refused in one sentence that says what to give."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import cid_client as cid

Call = Callable[[Any, cid.Image], object]
NOT_RECORDS = (None, 7, [None], [7], {"uid": "cell"}, b"cell")
OF_RECORDS: dict[str, Callable[[Any, Any], object]] = {
    "annotate": lambda catalog, wrong: catalog.annotate(wrong, set={"Cell type": "HeLa"}),
    "tags": lambda catalog, wrong: catalog.tags(wrong),
    "trash": lambda catalog, wrong: catalog.trash(wrong),
    "move": lambda catalog, wrong: catalog.move(wrong, cid.Dataset(catalog.session, {"uid": "d"})),
    "download": lambda catalog, wrong: catalog.download(wrong),
    "archive": lambda catalog, wrong: catalog.archive(wrong),
    "run": lambda catalog, wrong: catalog.run("count-things", wrong),
}
NAMED: dict[str, Callable[[Any, Any], object]] = {
    one: lambda catalog, wrong, one=one: getattr(catalog, one)(wrong)
    for one in (
        *("image", "file", "dataset", "project", "template", "team", "request", "deposit"),
        *("subscription", "belongings"),
    )
}
OTHERS: dict[str, Call] = {
    "upload: no path": lambda catalog, cell: catalog.upload(None, "demo"),
    "upload: several paths": lambda catalog, cell: catalog.upload(["a.tif", "b.tif"], "demo"),
    "upload: no project": lambda catalog, cell: catalog.upload(__file__, None),
    "upload: a dataset as an object": lambda catalog, cell: catalog.upload(
        __file__, "demo", cid.Dataset(catalog.session, {"uid": "d"})
    ),
    "upload: tags as text": lambda catalog, cell: catalog.upload(__file__, "demo", tags="HeLa"),
    "upload: a mask as a number": lambda catalog, cell: catalog.upload(__file__, "demo", mask=3),
    "upload: an image as a tag": lambda catalog, cell: catalog.upload(
        __file__, "demo", tags={"Control": cell}
    ),
    "check: no path": lambda catalog, cell: catalog.check(None, "demo"),
    "check: no project": lambda catalog, cell: catalog.check(__file__, 5),
    "open_deposit: names of files": lambda catalog, cell: catalog.open_deposit(
        "demo", "", ["a.tif"]
    ),
    "search: no text": lambda catalog, cell: catalog.search(5),
    "search: an image for a project": lambda catalog, cell: catalog.search("", project=cell),
    "search: a list of datasets": lambda catalog, cell: catalog.search("", dataset=["a", "b"]),
    "search: a limit in words": lambda catalog, cell: catalog.search("", limit="ten"),
    "records: no text": lambda catalog, cell: catalog.records(["HeLa"]),
    "complete": lambda catalog, cell: catalog.complete(None),
    "annotate: set as text": lambda catalog, cell: catalog.annotate([cell], set="HeLa"),
    "annotate: add as a list": lambda catalog, cell: catalog.annotate([cell], add=["HeLa"]),
    "annotate: an object as a value": lambda catalog, cell: catalog.annotate(
        [cell], set={"Control": object()}
    ),
    "move: to a path": lambda catalog, cell: catalog.move([cell], "screen/plate 1"),
    "move: to nothing": lambda catalog, cell: catalog.move([cell], None),
    "preview": lambda catalog, cell: catalog.preview(None, "demo"),
    "download: to a number": lambda catalog, cell: catalog.download([cell], 5),
    "download: as nothing": lambda catalog, cell: catalog.download([cell], as_=None),
    "history": lambda catalog, cell: catalog.history(5),
    "history: about an image": lambda catalog, cell: catalog.history(about=["image:cell"]),
    "run: no template": lambda catalog, cell: catalog.run(None, cell),
    "run: an array": lambda catalog, cell: catalog.run("count-things", cell, sigma=object()),
    "publish": lambda catalog, cell: catalog.publish("template.toml", "{}"),
    "request_project": lambda catalog, cell: catalog.request_project("a", "b", limit=None),
    "connect": lambda catalog, cell: cid.connect(5, "token"),
    "mask": lambda catalog, cell: catalog.masks[None],
    "mask: names as text": lambda catalog, cell: catalog.masks.check("HeLa_1.tif"),
    "instrument": lambda catalog, cell: catalog.instruments[3],
    "tag: an object": lambda catalog, cell: cell.tag(Control=object()),
    "rename": lambda catalog, cell: cell.rename(None),
}


def one_sentence(error: cid.CidError) -> None:
    """It is one line for a person, that speaks of no class of Python's."""
    said = str(error)
    assert 10 < len(said) <= 500, said
    assert "\n" not in said
    for word in ("attribute", "NoneType", "object at 0x", "Traceback", "unhashable"):
        assert word not in said


@pytest.mark.parametrize("wrong", NOT_RECORDS, ids=repr)
@pytest.mark.parametrize("name", OF_RECORDS)
def test_who_wants_records_says_how_they_are_given(
    catalog: cid.Catalog, name: str, wrong: object
) -> None:
    with pytest.raises(cid.BadInput, match=r"give records .*search") as refused:
        OF_RECORDS[name](catalog, wrong)
    one_sentence(refused.value)


@pytest.mark.parametrize("wrong", [None, 7, "", ["cell"]], ids=repr)
@pytest.mark.parametrize("name", NAMED)
def test_who_wants_a_name_or_uid_says_so(catalog: cid.Catalog, name: str, wrong: object) -> None:
    with pytest.raises(cid.BadInput, match="text") as refused:
        NAMED[name](catalog, wrong)
    one_sentence(refused.value)


@pytest.mark.parametrize("name", OTHERS)
def test_what_cannot_be_meant_is_said(
    catalog: cid.Catalog, cell: cid.Image, name: str, tmp_path: Path
) -> None:
    with pytest.raises(cid.CidError) as refused:
        OTHERS[name](catalog, cell)
    assert isinstance(refused.value, cid.BadInput | cid.NotConfigured), refused.value
    one_sentence(refused.value)
