"""The mask of the microscope that the files name, where nobody named one."""

from __future__ import annotations

from typing import Any

import microscopes
import pytest
import world
from microscopes import STAFF
from sqlalchemy.orm import Session

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import commits, deposits, learned, masked, masks, shown
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput, NotAllowed

SOMEONE = Actor("contributor")
TEXT = """mask: {0}
instrument: {0}
fields: [{{key: Cell, required: true}}, {{key: Dish, default: glass}}]
"""


@pytest.fixture
def scopes(sessions: Sessions) -> None:
    """A project and two microscopes, each with a mask."""
    with sessions.begin() as session:
        world.make_project(session, "screen")
        for name in ("Alpha", "Beta"):
            microscopes.register(session, name, names=())
            masks.add(session, STAFF, masks.read(session, text=TEXT.format(name)))


def opened(session: Session, paths: dict[str, str], **told: Any) -> t.Deposit:
    declared = [{"path": path, "nbytes": 10} for path in paths]
    return deposits.open_import(
        session,
        SOMEONE,
        "screen",
        dataset="",
        kind="import",
        declared=declared,
        told=masked.Told(**told),
    )


def read(paths: dict[str, str]) -> commits.Commit:
    """Return what an import made of files: path -> the microscope that it names, "" for none."""
    files = [
        commits.NewFile(t.new_uid(), path, "original", f"files/{path}", 10, "0" * 64)
        for path in paths
    ]
    images = [
        commits.NewImage(
            uid=t.new_uid(),
            name=path,
            kind="image",
            axes="yx",
            shape=(64, 64),
            dtype="uint8",
            levels=1,
            scale={},
            units={},
            channels=[],
            tags=[("Microscope", name, None)] if name else [],
            prefix=f"images/{path}",
            nbytes=5,
            sha256="0" * 64,
            original=file.uid,
        )
        for file, (path, name) in zip(files, paths.items(), strict=True)
    ]
    return commits.Commit(images, files)


def lines(found: learned.Asked) -> list[tuple[str, str]]:
    return [(one["field"], one["file"]) for one in found.wrong]


def test_each_file_is_held_to_the_mask_of_its_own_microscope(
    sessions: Sessions, scopes: None
) -> None:
    paths = {"a.tif": "Alpha", "b.tif": "beta", "c.tif": ""}
    with sessions.begin() as session:
        deposit, new = opened(session, paths), read(paths)
        found = learned.asked(session, deposit, new)
        assert found.masks == ["Alpha", "Beta"]
        assert lines(found) == [("Cell", "a.tif"), ("Cell", "b.tif")]
        said = masked.Told(tags_of={path: {"Cell": "HeLa"} for path in ("a.tif", "b.tif")})
        deposits.begin(session, SOMEONE, deposit.uid, {}, said)
        assert learned.asked(session, deposit, new).wrong == []
        commits.commit(session, deposit.id, new)
        images = {row.name: row for row in session.query(t.Image)}
        passed = [images[path].mask_version_id for path in paths]
        masked_by = [uid and session.get_one(t.MaskVersion, uid).mask.name for uid in passed]
        assert masked_by == ["Alpha", "Beta", None]
        tags = shown.tags(session, [image.id for image in images.values()])
        told = {tag.key: tag.value for tag in tags[images["a.tif"].id]}
        assert (told["Cell"], told["Dish"]) == ("HeLa", "glass")
        assert "Dish" not in {tag.key for tag in tags[images["c.tif"].id]}


def test_one_line_says_it_of_all_and_several_masks_are_to_be_chosen_from(
    sessions: Sessions, scopes: None
) -> None:
    paths = {"a.tif": "Alpha", "b.tif": "Alpha"}
    with sessions.begin() as session:
        deposit, new = opened(session, paths), read(paths)
        assert lines(learned.asked(session, deposit, new)) == [("Cell", "")]
        text = TEXT.format("Alpha").replace("mask: Alpha", "mask: Alpha, live")
        masks.add(session, STAFF, masks.read(session, text=text))
        [one] = learned.asked(session, deposit, new).wrong
        assert one["message"] == "'Alpha' has several masks, say which: Alpha, Alpha, live"
        with pytest.raises(BadInput, match=r"Cell: is required"):
            deposits.begin(session, SOMEONE, deposit.uid, {}, masked.Told(mask="Alpha, live"))
        said = masked.Told(mask="Alpha, live", tags={"Cell": "U2OS"})
        deposits.begin(session, SOMEONE, deposit.uid, {}, said)
        assert learned.asked(session, deposit, new) == learned.Asked()  # it is named now
        masks.retire(session, STAFF, "Alpha, live")


def test_nothing_more_is_asked_where_a_mask_was_named_or_none_is_in_use(
    sessions: Sessions, scopes: None
) -> None:
    paths = {"a.tif": "Beta"}
    with sessions.begin() as session:
        named = opened(session, paths, mask="Alpha", tags={"Cell": "HeLa"})
        assert learned.asked(session, named, read(paths)) == learned.Asked()
        deposit = opened(session, paths)
        masks.retire(session, STAFF, "Beta")
        assert learned.asked(session, deposit, read(paths)) == learned.Asked()
        only_reads = Actor("contributor", writes=False)
        with pytest.raises(NotAllowed):
            deposits.begin(session, only_reads, deposit.uid, {}, masked.Told(mask="Alpha"))
