"""The agent and the real catalog: what goes where, what is quarantined, what one sees."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from microscope_pc import MicroscopePC, snapshot, write_tiff
from ports import free_port
from processes import STAFF, Service, stop, wait_until
from speaking import said_of

import cid_client as cid
from cid_client.agent import lock

RULES = """
[[rules]]
folder = 'named'
file = '(?P<cell>[A-Za-z]+)_.*'
project = "agent-rules"
dataset = "day 1"
tags = {"Cell type" = "{cell}", "Acquisition date" = "{instrument}"}
[[rules]]
folder = 'masked'
file = '(?P<cell>[A-Za-z]+)_.*'
project = "agent-rules"
mask = "Agents' mask"
tags = {"Cell type" = "{cell}"}
[[rules]]
folder = 'known'
project = "agent-rules"
tags = {"Cell type" = "HeLa"}
[[rules]]
folder = 'wrong team'
project = "agent-rules"
team = "another"
[[rules]]
folder = 'closed'
project = "agent-closed"
"""
MASK = """
mask: Agents' mask
fields:
  - {key: Cell type, required: true, choices: [HeLa]}
  - {key: Dish, default: glass}
"""
ND = """"NDInfoFile", Version 1.0
"DoWave", TRUE
"NWavelengths", 2
"WaveInFileName", FALSE
"EndFile"
"""


@pytest.fixture
def pc(service: Service, tmp_path: Path) -> Iterator[MicroscopePC]:
    for name in ("rules", "closed"):
        members = {"scope": "contributor"} if name == "rules" else {}
        body = {"name": f"agent-{name}", "team": "agents", "limit": 10**9, "members": members}
        assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    assert service.ask("POST", "masks", STAFF, json={"text": MASK}).status_code == 201
    made = MicroscopePC(tmp_path, service.url)
    made.configure(RULES, port=free_port())
    yield made
    if made.process is not None:
        stop(made.process)


def look(pc: MicroscopePC, host: str = "") -> httpx.Response:
    port = pc.toml.read_text().partition("status_port = ")[2].split()[0]
    with httpx.Client(headers={"Host": host} if host else {}) as client:
        return client.get(f"http://127.0.0.1:{port}/")


def test_what_maps_goes_in_and_what_does_not_is_seen_and_goes_nowhere(
    pc: MicroscopePC, speak: Callable[[str], cid.Catalog]
) -> None:
    write_tiff(pc.data / "known" / "one.tif", 1001)
    write_tiff(pc.data / "known" / "again.tif", 1001)
    write_tiff(pc.data / "named" / "HeLa_1.tif", 1002)
    write_tiff(pc.data / "masked" / "hela_5.tif", 1010)
    write_tiff(pc.data / "masked" / "Vero_6.tif", 1011)
    write_tiff(pc.data / "wrong team" / "2.tif", 1003)
    write_tiff(pc.data / "closed" / "3.tif", 1004)
    write_tiff(pc.data / "elsewhere" / "<script>4.tif", 1005)
    for wave in (1, 2):
        write_tiff(pc.data / "known" / f"pair_w{wave}.tif", 1005 + wave)
    (pc.data / "known" / "pair.nd").write_text(ND)
    (pc.data / "known" / "cut.tif").write_bytes(b"II*\0 this is no image")
    (pc.data / "known" / "waits.oif").write_bytes(b"x")
    before = snapshot(pc.data)
    old = 1_600_000_000
    os.utime(pc.data / "known" / "one.tif", (old, old))
    before = snapshot(pc.data)

    told = pc.ask("check")
    assert told.returncode == 1
    [line] = [line for line in told.stdout.splitlines() if "known/one.tif" in line]
    assert line.startswith("complete ")
    assert line.endswith("→ agent-rules Cell type='HeLa'")
    assert "quarantined  elsewhere/<script>4.tif (" in told.stdout
    assert "no rule matches" in told.stdout
    vero = "mask \"Agents' mask\": Cell type: 'Vero' is not one of 'HeLa'"
    [line] = [line for line in told.stdout.splitlines() if "masked/Vero_6.tif" in line]
    assert line.startswith("quarantined ")
    assert line.endswith(f": {vero}")
    assert pc.ask("status").returncode == 1
    assert not (pc.home / "state").exists()

    pc.start()
    pc.waits_for(4)
    wait_until(lambda: pc.count()["quarantined"] == 6 and pc.count()["failed"] == 1, 60, "settled")
    reasons = {
        Path(row.path).parent.name: row.reason for row in pc.rows() if row.state == "quarantined"
    }
    assert "is of team 'agents', not of 'another'" in reasons["wrong team"]
    assert reasons["closed"].startswith("project 'agent-closed': ")
    assert reasons["elsewhere"].startswith("no rule matches")
    assert "waits.oif.files" in reasons["known"]
    assert reasons["masked"] == vero
    assert reasons["named"].startswith("Acquisition date: a date like ")
    catalog = speak("scope")
    found = {image.name: image for image in catalog.search("", project="agent-rules")}
    twins = found.keys() & {"one", "again"}
    assert len(twins) == 1
    assert set(found) == {*twins, "hela_5", "pair"}
    assert found["pair"].shape[found["pair"].axes.index("c")] == 2
    assert found[twins.pop()].tags["Cell type"] == "HeLa"
    assert said_of(found["hela_5"]) == {"Cell type": "HeLa", "Dish": "glass"}
    assert found["hela_5"].mask == ("Agents' mask", 1)
    notes = [row.reason for row in pc.rows() if row.state == "verified"]
    assert [note for note in notes if note.startswith("there already, in agent-rules")]

    page = look(pc)
    assert page.status_code == 200
    assert "&lt;script&gt;4.tif" in page.text
    assert "<script" not in page.text
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert look(pc, "evil.example.org:80").status_code == 404
    second = pc.ask("run")
    assert second.returncode == 1
    assert "another agent works with" in second.stderr
    assert lock.is_held(pc.home / "state")
    status = pc.ask("status")
    assert "agent: at work" in status.stdout
    assert "failed: " in status.stdout
    assert status.returncode == 1

    (pc.data / "known" / "cut.tif").unlink()
    wait_until(lambda: not pc.count()["failed"], what="what is gone is forgotten")
    assert pc.stop() == 0, pc.log()
    del before["known/cut.tif"], before["known"]
    after = snapshot(pc.data)
    del after["known"]
    assert after == before
    told_again = pc.ask("status")
    assert "agent: not at work" in told_again.stdout
