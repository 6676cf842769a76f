"""Deposits whose bytes somebody else sends: opened, sent to, committed or given up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from processes import STAFF, Service, content_digest, wait_until
from speaking import connected

import cid_client as cid

NAME = "opened-by-hand"


@pytest.fixture(scope="module")
def opal(service: Service) -> Iterator[cid.Catalog]:
    """A contributor."""
    body = {"name": NAME, "team": "openers", "limit": 10**6, "members": {"opal": "contributor"}}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    catalog = connected(service, "opal")
    yield catalog
    catalog.close()


def test_bytes_that_are_sent_by_hand_become_files(opal: cid.Catalog) -> None:
    body = b"by hand"
    files = [{"path": "notes.txt", "nbytes": len(body)}]
    opened = opal.open_deposit(NAME, "by hand", files, kind="files")
    assert (opened.state, opened.kind) == ("open", "files")
    with pytest.raises(cid.Conflict):
        opened.commit()
    headers = {"Content-Length": str(len(body)), "Content-Digest": content_digest(body)}
    opal.session.put(f"{opened.refresh().upload}notes.txt", iter([body]), headers)
    assert opened.commit().upload == ""
    wait_until(lambda: opened.refresh().state == "done", what="it is kept")
    assert [file.name for file in opened.became_files()] == ["notes.txt"]
    assert (opened.error, list(opened.became())) == (None, [])


def test_what_cannot_be_read_fails_and_what_is_given_up_gives_its_room_back(
    opal: cid.Catalog, service: Service
) -> None:
    body = b"II*\x00 cut short"
    opened = opal.open_deposit(opal.project(NAME), files=[{"path": "x.tif", "nbytes": len(body)}])
    headers = {"Content-Length": str(len(body)), "Content-Digest": content_digest(body)}
    opal.session.put(f"{opened.upload}x.tif", iter([body]), headers)
    opened.commit()
    wait_until(lambda: opened.refresh().state == "failed", what="it is refused")
    assert isinstance(opened.error, cid.BadFile)

    given_up = opal.open_deposit(NAME, files=[{"path": "y.tif", "nbytes": 1000}])
    assert opal.project(NAME).allocation.reserved == 1000
    assert opal.deposit(given_up.uid).give_up().state == "aborted"
    assert opal.project(NAME).allocation.reserved == 0
    with pytest.raises(cid.NotFound):
        opal.deposit("nothing")
