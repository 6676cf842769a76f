"""What happens to images, templates and room at night: whole runs that end with a sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import old_data
import pytest
from house import OUTPUTS, House, add_image
from old_data import Old
from processes import STAFF, start_service, stop, wait_until
from sqlalchemy import select

from cid_server_ext.core.catalog.goals import Goal
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import open_database
from cid_server_ext.storage.roots import Folder

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

WHO = "researcher"
HOLD = """
import pathlib, time
while not pathlib.Path({go!r}).exists():
    time.sleep(0.05)
"""
READ = """
import cid_client
run = cid_client.current_run()
labels = (run.input.to_xarray().values > 4000).astype("uint32")
run.outputs.labels("things", labels, source=run.input)
"""
LARGE = """
import os, cid_client
with open('large.bin', 'wb') as file:
    file.write(os.urandom(1 << 20) * 9)
cid_client.current_run().outputs.file('large.bin')
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, empty_database: bytes) -> Iterator[House]:
    """A service that also gives out old data where it lies, with one project."""
    folder = tmp_path_factory.mktemp("nights")
    (folder / "catalog.sqlite").write_bytes(empty_database)
    (folder / "old").mkdir()
    service = start_service(folder, CID_ADOPT_ROOTS=f"old={folder}/old")
    project = {"team": "owls", "title": "night", "limit": 10**9, "members": {WHO: "contributor"}}
    for name in ("demo", "secret"):
        members = project["members"] if name == "demo" else {"somebody": "contributor"}
        new = project | {"name": name, "members": members}
        made = service.ask("POST", "projects", STAFF, json=new)
        assert made.status_code == 201, made.text
    sessions = open_database(f"sqlite:///{folder}/catalog.sqlite")
    yield House(service, sessions, add_image(service, folder / "cell.tif"))
    sessions.kw["bind"].dispose()
    stop(service.process)


def run_on(house: House, template: str, images: list[str]) -> list[str]:
    body = {"template": template, "images": images}
    made = house.service.ask("POST", "runs", WHO, json=body)
    assert made.status_code == 201, made.text
    return [run["uid"] for run in made.json()["runs"]]


def held(house: House) -> tuple[int, list[str]]:
    """Return the bytes that are reserved, and the states of runs that still have a token."""
    with house.sessions() as session:
        reserved = sum(session.scalars(select(t.Allocation.reserved)))
        return reserved, list(session.scalars(select(t.Run.state).where(t.Run.token_hash != "")))


def nothing_is_left(house: House) -> None:
    wait_until(lambda: held(house) == (0, []), 60, "nothing is reserved, no token is open")


def test_what_is_taken_from_a_batch_that_waits_is_told_and_the_rest_is_done(
    house: House, conduct
) -> None:
    """One image is thrown away, one put where its person sees nothing, the template withdrawn."""
    ask, template = house.service.ask, house.template(OUTPUTS)
    thrown, moved, stays = run_on(house, template, [house.image, *house.more(2)])
    refused = ask("POST", "trash", WHO, json={"records": [house.image]})
    assert refused.status_code == 409
    assert refused.json()["message"] == (
        f"run {thrown} reads it: wait for its end, or cancel it; "
        "with force it is thrown away, and what waits fails"
    )
    assert house.run(thrown)["state"] == "queued"
    done = ask("POST", "trash", WHO, json={"records": [house.image], "force": True})
    assert done.status_code == 201, done.text
    error = house.run(thrown)["error"]
    assert error["error"] == "InputGone"
    assert error["message"] == (
        "researcher threw its input 'cell' away while this waited: restore it, then run this again"
    )

    home = ask("POST", "projects/secret/datasets", STAFF, json={"path": "here"}).json()["uid"]
    away = ask("PATCH", f"images/{house.copies[0]}", STAFF, json={"dataset": home})
    assert away.is_success, away.text
    path = f"templates/{template}/versions/1.0.0/withdraw"
    assert ask("POST", path, STAFF, json={"reason": "It counts twice."}).is_success
    assert "1.0.0 was withdrawn meanwhile" in house.run(stays)["waits"]
    again = ask("POST", "runs", WHO, json={"template": template, "images": house.copies[1:2]})
    assert (again.status_code, again.json()["error"]) == (409, "Conflict")
    [notice] = ask("GET", "notices", WHO).json()["notices"]
    assert "is withdrawn: It counts twice.; 2 runs wait and go on" in notice["text"]

    conduct()
    run = house.ended(moved)
    assert (run["state"], run["error"]["error"], run["attempt"]) == ("failed", "InputGone", 0)
    assert "was put into another project while this waited" in run["error"]["message"]
    assert "secret" not in str(run)
    run = house.ended(stays)
    assert (run["state"], run["metrics"]) == ("done", {"things": 1})
    nothing_is_left(house)
    assert ask("POST", f"trash/{done.json()['uid']}/restore", WHO).is_success
    tried = ask("POST", f"runs/{thrown}/retry", WHO)  # the version it was submitted with
    assert tried.is_success, tried.text
    assert house.ended(thrown)["state"] == "done"
    nothing_is_left(house)


def test_a_file_in_place_that_changes_during_the_run_fails_it_and_nothing_is_committed(
    house: House, conduct, tmp_path: Path
) -> None:
    folder = house.service.folder
    old_data.image(folder / "old/plate.zarr")
    goal = Goal("all", "demo")
    old = Old(house.sessions, Folder(folder / "storage"), folder / "old", goal)
    old.adopt()
    uid = old.record(t.Image, "plate").uid
    go = tmp_path / "go"
    (run,) = run_on(house, house.template(HOLD.format(go=str(go)), READ), [uid])
    conduct()
    house.reaches(run, "running", cell=2)
    chunk = folder / "old/plate.zarr/0/c/1/0/0"
    chunk.write_bytes(chunk.read_bytes()[::-1])
    now = chunk.stat().st_mtime_ns + 10**9  # also where clocks are coarse
    os.utime(chunk, ns=(now, now))
    go.touch()
    ended = house.ended(run)
    assert (ended["state"], ended["error"]["error"]) == ("failed", "BytesChanged")
    assert "not given out until staff has looked at it" in ended["error"]["message"]
    assert ended["error"]["cell"] == 4
    assert ended["outputs"]["images"] == []
    assert "BytesChanged" in house.notebook(ended)
    nothing_is_left(house)


def test_room_that_is_taken_away_during_the_run_ends_it_with_its_notebook_kept(
    house: House, conduct, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    image = house.more(2)[1]
    template = house.template(HOLD.format(go=str(go)), LARGE)
    (run,) = run_on(house, template, [image])
    conduct()
    house.reaches(run, "running", cell=2)
    allocation = "projects/demo/allocation"
    lowered = house.service.ask("PUT", allocation, STAFF, json={"limit": 1})
    assert lowered.json()["used"] > 1
    try:
        go.touch()
        ended = house.ended(run)
    finally:
        house.service.ask("PUT", allocation, STAFF, json={"limit": 10**9})
    assert (ended["state"], ended["error"]["error"]) == ("failed", "OverQuota")
    assert "large.bin" in house.notebook(ended)
    assert {file["kind"] for file in ended["outputs"]["files"]} <= {"notebook", "log"}
    nothing_is_left(house)
