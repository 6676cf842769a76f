"""What was taken back is known to every process that shares the root, and forgotten in time."""

from __future__ import annotations

import json

import pytest

from cid_server_ext.errors import NotLoggedIn
from cid_server_ext.storage import revoked
from cid_server_ext.storage.plane import DataPlane
from cid_server_ext.storage.revoked import Revoked
from cid_server_ext.storage.roots import Folder
from cid_server_ext.storage.tickets import Right, Signer

WHO, PREFIX = revoked.person("ann"), "images/ab/abcdefgh"


@pytest.fixture
def known(root: Folder) -> Revoked:
    return Revoked(root.root)


def test_nothing_is_revoked_at_first(known: Revoked) -> None:
    assert known.now().of(WHO, PREFIX) == 0
    assert known.now().journal is None


@pytest.mark.parametrize("name", [WHO, PREFIX, revoked.EVERYBODY])
def test_another_process_learns_it(known: Revoked, root: Folder, name: str) -> None:
    assert known.now().of(WHO, PREFIX) == 0
    assert Revoked(root.root).revoke([name], after=None, upto=7)
    assert known.now().of(WHO, PREFIX) > 0
    assert known.now().journal == 7
    concerned = name == revoked.EVERYBODY
    assert (known.now().of(revoked.person("Ann"), "images/ab/another1") > 0) == concerned


def test_of_two_processes_one_heeds_an_entry(known: Revoked, root: Folder) -> None:
    other = Revoked(root.root)
    assert known.revoke([WHO], after=None, upto=7)
    first = known.now().of(WHO, "")
    assert not other.revoke([WHO], after=None, upto=7)
    assert other.now().of(WHO, "") == first


def test_a_later_revocation_is_later_whatever_the_clock_says(
    known: Revoked, monkeypatch: pytest.MonkeyPatch
) -> None:
    known.revoke([WHO], after=None, upto=1)
    first = known.now().of(WHO, "")
    monkeypatch.setattr(revoked.time, "time", lambda: first / 1000 - 60)
    known.revoke([WHO], after=1, upto=2)
    assert known.now().of(WHO, "") > first


def test_old_moments_are_forgotten_and_many_names_are_everybody(
    known: Revoked, root: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    known.revoke([WHO], after=None, upto=1)
    start = known.now().of(WHO, "") / 1000
    monkeypatch.setattr(revoked.time, "time", lambda: start + revoked.KEPT + 1)
    known.revoke([PREFIX], after=1, upto=2)
    assert set(known.now().at) == {PREFIX}
    known.revoke([f"images/{i}" for i in range(revoked.MOST)], after=2, upto=3)
    assert set(known.now().at) == {revoked.EVERYBODY}


def test_a_damaged_file_makes_everybody_ask_anew(known: Revoked, root: Folder) -> None:
    known.revoke([], after=None, upto=1)
    (root.root / revoked.KEY).write_text("{")
    assert known.now().of(WHO, PREFIX) > 0
    assert known.revoke([], after=None, upto=1)
    assert json.loads((root.root / revoked.KEY).read_text())["journal"] == 1


def test_the_file_names_nobody(known: Revoked, root: Folder) -> None:
    known.revoke([WHO], after=None, upto=1)
    assert "ann" not in (root.root / revoked.KEY).read_text()


def test_a_ticket_signed_before_is_refused_and_one_signed_after_is_good(root: Folder) -> None:
    plane = DataPlane(root, Signer((b"k" * 32,)))

    def sign() -> str:
        since = plane.revoked.now().of(WHO, PREFIX)
        return plane.signer.sign(Right(PREFIX, "r", 0, WHO, since))

    old = sign()
    assert plane.opened_by(old).prefix == PREFIX
    plane.revoked.revoke([WHO], after=None, upto=1)
    plane.revoked.now()
    with pytest.raises(NotLoggedIn, match="taken back"):
        plane.opened_by(old)
    assert sign() != old
    assert plane.opened_by(sign()).prefix == PREFIX
