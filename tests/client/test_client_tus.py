"""Large files through lines that break: nothing is lost, and next to nothing is sent again."""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from cutting import Cutting, cutting
from processes import STAFF, Service, wait_until
from speaking import As

import cid_client as cid
from cid_client.uploads import tus
from cid_client.wire.environment import Access
from cid_client.wire.session import Session

SIZE = 8 << 20
PART = 1 << 20
BODY = random.Random(3).randbytes(SIZE)


@pytest.fixture(scope="module")
def project(service: Service) -> str:
    members = {"thea": "contributor", "theo": "viewer"}
    body = {"name": "tus-tests", "team": "tus-team", "limit": 10**9, "members": members}
    assert service.ask("POST", "projects", STAFF, json=body).status_code == 201
    return "tus-tests"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight megabytes are large here, and nobody waits long."""
    monkeypatch.setattr(tus, "LARGE", 1 << 20)
    monkeypatch.setattr(tus, "PART", PART)
    monkeypatch.setattr(tus, "FIRST", 0.02)
    monkeypatch.setattr(tus, "SLOWEST", 0.2)


@pytest.fixture
def proxy(service: Service) -> Iterator[Cutting]:
    with cutting(urlsplit(service.url).port) as between:
        yield between


@pytest.fixture
def thea(proxy: Cutting) -> Iterator[cid.Catalog]:
    catalog = connected(proxy.port)
    yield catalog
    catalog.close()


def connected(port: int, person: str = "thea") -> cid.Catalog:
    access = Access(f"http://127.0.0.1:{port}/services/cid/", "token of a person")
    return cid.Catalog(Session(access, transport=As(person)))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "long é.bin"
    path.write_bytes(BODY)
    return path


def watched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, str]]]:
    """Return what is asked of uploads from now on."""
    asked: list[tuple[str, dict[str, str]]] = []
    exchange = Session.exchange

    def note(self: Session, verb: str, url: str, headers, content=None) -> httpx.Response:
        asked.append((verb, dict(headers)))
        return exchange(self, verb, url, headers, content)

    monkeypatch.setattr(Session, "exchange", note)
    return asked


def test_a_line_that_breaks_at_every_32nd_costs_no_byte(
    thea: cid.Catalog,
    proxy: Cutting,
    project: str,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = watched(monkeypatch)
    begun: list[int] = []
    send = tus._Sending._sent

    def sent(self: tus._Sending, offset: int):
        begun.append(offset)
        return send(self, offset)

    monkeypatch.setattr(tus._Sending, "_sent", sent)
    proxy.cuts = [SIZE * n // 32 for n in range(1, 32)]
    [kept] = thea.upload(file, project, kind="files", again=True)
    assert proxy.made == 31
    assert kept.read() == BODY
    assert proxy.passed - SIZE <= 31 * 65536 + 100_000  # what was in the line when it was cut
    assert all(late - early <= PART for early, late in itertools.pairwise(begun))
    assert begun == sorted(begun)  # the catalog never forgets a byte
    assert [verb for verb, _ in asked].count("POST") == 1


def test_a_bad_line_delays_and_resets_whatever_passes_and_little_is_sent_again(
    thea: cid.Catalog, proxy: Cutting, project: str, file: Path, tmp_path: Path
) -> None:
    """Requests and answers are lost at any byte: one in a hundred pieces ends its line."""
    proxy.bad, proxy.odds = random.Random(64), 0.01
    [kept] = thea.upload(file, project, kind="files", again=True)
    resets, passed = proxy.made, proxy.passed
    proxy.bad = None
    assert resets >= 2, "the line was not bad"
    assert kept.read() == BODY
    assert passed - SIZE <= resets * 65536 + 100_000


def test_a_later_python_goes_on_where_another_one_was_killed(
    proxy: Cutting, project: str, file: Path, service: Service, tmp_path: Path
) -> None:
    script = tmp_path / "upload.py"
    script.write_text(
        "import sys\n"
        f"sys.path[:0] = [{str(Path(__file__).parent)!r}, {str(Path(__file__).parents[1])!r}]\n"
        "from pathlib import Path\n"
        "import test_client_tus as t\n"
        "t.tus.LARGE = t.tus.PART = t.PART\n"
        "how = dict(kind='files', again=True)\n"
        f"t.connected({proxy.port}).upload(Path({str(file)!r}), {project!r}, **how)\n"
    )
    proxy.wall = 5 << 20
    with subprocess.Popen([sys.executable, str(script)], env=dict(os.environ)) as first:
        assert proxy.at_wall.wait(60)
        first.kill()
    [remembered] = (tmp_path / "state" / "uploads").iterdir()
    uid = json.loads(remembered.read_text().splitlines()[1])["deposit"]
    proxy.wall, before = 1 << 62, proxy.passed
    proxy.at_wall.clear()
    again, told = connected(proxy.port), []
    [kept] = again.upload(
        file, project, kind="files", again=True, on_progress=lambda f, t: told.append(t)
    )
    again.close()
    assert kept.read() == BODY
    assert "going on where it was broken off" in told
    assert proxy.passed - before < SIZE - (5 << 20) + PART + 100_000
    assert service.ask("GET", f"deposits/{uid}", "thea").json()["state"] == "done"
    assert not list((tmp_path / "state" / "uploads").iterdir())


def interrupted(catalog: cid.Catalog, file: Path, project: str, **how: bool) -> None:
    def stop(fraction: float, text: str) -> None:
        if fraction > 0.1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        catalog.upload(file, project, kind="files", again=True, on_progress=stop, **how)


def test_ctrl_c_leaves_a_large_file_to_be_gone_on_with_unless_it_shall_not(
    thea: cid.Catalog, proxy: Cutting, project: str, file: Path, service: Service
) -> None:
    proxy.cuts = []
    before = set(service.staged())
    interrupted(thea, file, project)
    [kept] = set(service.staged()) - before
    interrupted(thea, file, project, resume=False)
    assert set(service.staged()) - before == {kept}
    passed = proxy.passed
    [record] = thea.upload(file, project, kind="files", again=True)
    assert record.read() == BODY
    assert proxy.passed - passed < SIZE


def test_a_file_that_changed_meanwhile_is_sent_anew(
    thea: cid.Catalog, project: str, file: Path
) -> None:
    interrupted(thea, file, project)
    other = BODY[::-1]
    file.write_bytes(other)
    [record] = thea.upload(file, project, kind="files", again=True)
    assert record.read() == other


def test_a_deposit_that_was_given_up_meanwhile_is_begun_anew(
    thea: cid.Catalog, project: str, file: Path, service: Service, tmp_path: Path
) -> None:
    interrupted(thea, file, project)
    for remembered in (tmp_path / "state" / "uploads").iterdir():
        uid = json.loads(remembered.read_text().splitlines()[1])["deposit"]
        service.ask("DELETE", f"deposits/{uid}", "thea")
    [record] = thea.upload(file, project, kind="files", again=True)
    assert record.read() == BODY


def test_an_upload_whose_time_has_passed_is_begun_anew(
    thea: cid.Catalog, project: str, file: Path, service: Service
) -> None:
    interrupted(thea, file, project)
    for came in (service.folder / "storage" / "staging").rglob("bytes"):
        os.utime(came, (1, 1))
    [record] = thea.upload(file, project, kind="files")
    assert record.read() == BODY


def test_a_file_that_is_written_to_while_it_is_sent_is_refused(
    thea: cid.Catalog,
    project: str,
    file: Path,
    service: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, sent = service.staged(), tus._Sending._sent

    def written_to(self: tus._Sending, offset: int) -> object:
        with file.open("r+b") as opened:
            opened.write(os.urandom(5))
        return sent(self, offset)

    monkeypatch.setattr(tus._Sending, "_sent", written_to)
    with pytest.raises(cid.BadInput, match="changed while it was uploaded"):
        thea.upload(file, project, kind="files", again=True)
    wait_until(lambda: service.staged() == before, 60)
    assert not list((tmp_path / "state" / "uploads").iterdir())


def test_a_catalog_that_stays_away_says_how_to_go_on(
    thea: cid.Catalog, proxy: Cutting, project: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tus, "PATIENCE", 0.2)
    proxy.cuts = [3 << 20, *[3 << 20] * 200]  # from here on every line is cut
    with pytest.raises(cid.Unavailable, match="upload the same again to go on"):
        thea.upload(file, project, kind="files", again=True)
    proxy.cuts = []
    [record] = thea.upload(file, project, kind="files", again=True)
    assert record.read() == BODY


def test_several_files_are_on_their_way_at_once_and_each_is_whole(
    thea: cid.Catalog, project: str, tmp_path: Path
) -> None:
    folder = tmp_path / "many.zarr"
    made = {f"{n}": random.Random(n).randbytes(SIZE // 4 if n < 3 else 500) for n in range(12)}
    folder.mkdir()
    for name, body in made.items():
        (folder / name).write_bytes(body)
    told: list[float] = []
    kept = thea.upload(
        folder, project, kind="files", again=True, on_progress=lambda f, t: told.append(f)
    )
    assert {file.name: file.read() for file in kept} == made
    assert told == sorted(told)
