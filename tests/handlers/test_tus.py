"""tus 1.0.0, header by header: every MUST of its specification, and what is ours beside it."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest
from processes import wait_until
from tus_client import BODY, HTTP, Tus, checksum, listening, repr_digest, told

from cid_server_ext.storage import intake, uploads

FILE = bytes(range(256)) * 12_000  # 3 MiB: several pieces


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tus]:
    with listening(tmp_path_factory.mktemp("root")) as client:
        yield client


@pytest.fixture
def tus(served: Tus) -> Tus:
    """The client of a deposit to which nothing came yet."""
    served.plane.root.remove("staging")
    served.plane.gauge._seen.clear()
    return served


# --- core -------------------------------------------------------------------------------------


def test_a_file_comes_in_parts_and_is_visible_only_when_it_is_complete(tus: Tus) -> None:
    url = tus.create("plate 1/cell é.tif", len(FILE))
    assert tus.offset(url) == 0
    at = 0
    for end in (1, 70_000, 2_500_000, len(FILE)):
        assert tus.visible() == {}
        answer = tus.patch(url, at, FILE[at:end])
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["Upload-Offset"] == str(end)
        assert tus.offset(url) == end
        at = end
    assert answer.headers["Repr-Digest"] == repr_digest(FILE)
    assert tus.visible() == {"plate 1/cell é.tif": FILE}


def test_head_says_how_far_it_is_and_what_was_said(tus: Tus) -> None:
    metadata = told(path="a.tif", note="é, and more")
    answer = tus.post("", len(FILE), Upload_Metadata=f"{metadata},is_confidential")
    url = f"http://127.0.0.1:{tus.port}{answer.headers['Location']}"
    for there in (0, len(FILE)):
        told_by = tus.head(url).headers
        assert told_by["Upload-Offset"] == str(there)
        assert told_by["Upload-Length"] == str(len(FILE))
        assert told_by["Upload-Metadata"] == f"{metadata},is_confidential"
        tus.patch(url, 0, FILE)


def test_an_upload_that_is_not_there_has_no_offset(tus: Tus) -> None:
    absent = f"{tus.url}.uploads/{'0' * 32}"
    for answer in (tus.head(absent), tus.patch(absent, 0, b"x"), tus.ask("DELETE", absent)):
        assert answer.status_code == 404
        assert "Upload-Offset" not in answer.headers


@pytest.mark.parametrize("version", ["0.2.2", "2.0.0", ""])
def test_another_version_is_not_processed(tus: Tus, version: str) -> None:
    url = tus.create("a", 10)
    for verb, where in (("POST", tus.url), ("PATCH", url), ("DELETE", url)):
        headers = {"Upload_Length": "10", "Upload_Offset": "0", "Content_Type": BODY}
        answer = tus.ask(verb, where, b"", Tus_Resumable=version, **headers)
        assert (answer.status_code, answer.json()["error"]) == (412, "OtherVersion")
        assert answer.headers["Tus-Version"] == "1.0.0"
    assert tus.offset(url) == 0


@pytest.mark.parametrize("at", [0, 4, 6, 11])
def test_a_part_must_begin_where_the_upload_ends(tus: Tus, at: int) -> None:
    url = tus.create("a", 10)
    tus.patch(url, 0, b"01234")
    answer = tus.patch(url, at, b"xy")
    assert (answer.status_code, answer.json()["error"]) == (409, "Conflict")
    assert tus.offset(url) == 5
    tus.patch(url, 5, b"56789")
    assert tus.visible() == {"a": b"0123456789"}


@pytest.mark.parametrize("said", ["-1", "x", "", "1.5"])
def test_an_offset_and_a_length_are_whole_numbers(tus: Tus, said: str) -> None:
    url = tus.create("a", 10)
    for answer in (
        tus.patch(url, 0, b"x", Upload_Offset=said),
        tus.post("b", 0, Upload_Length=said),
    ):
        assert (answer.status_code, answer.json()["error"]) == (400, "BadInput")


def test_parts_are_of_their_media_type(tus: Tus) -> None:
    url = tus.create("a", 10)
    for answer in (
        tus.patch(url, 0, b"x", Content_Type="application/octet-stream"),
        tus.post("b", 10, b"x", Content_Type="text/plain"),
    ):
        assert (answer.status_code, answer.json()["error"]) == (415, "WrongType")
    assert tus.offset(url) == 0


def test_no_more_comes_than_was_announced(tus: Tus) -> None:
    url = tus.create("a", 10)
    answer = tus.patch(url, 0, FILE)
    assert (answer.status_code, answer.json()["error"]) == (413, "TooLarge")
    answer = tus.patch(url, 0, iter([b"01234", b"56789", b"more"]))  # without a length
    assert (answer.status_code, answer.json()["error"]) == (413, "TooLarge")
    assert (tus.offset(url), tus.visible()) == (0, {})
    assert tus.patch(url, 0, iter([b"01234", b"56789"])).status_code == 204


def test_a_method_that_cannot_be_sent_is_named(tus: Tus) -> None:
    url = tus.create("a", 5)
    patched = tus.ask(
        "POST", url, b"01234", X_HTTP_Method_Override="PATCH", Upload_Offset="0", Content_Type=BODY
    )
    assert patched.status_code == 204
    assert tus.ask("POST", url, X_HTTP_Method_Override="DELETE").status_code == 204
    assert tus.head(url).status_code == 404


def test_options_say_what_is_spoken(tus: Tus) -> None:
    url = tus.create("a", 10)
    for where in (tus.url, url):
        answer = tus.ask("OPTIONS", where, Tus_Resumable="9.9.9")
        assert answer.status_code == 204
        assert answer.headers["Tus-Version"] == "1.0.0"
        assert answer.headers["Tus-Max-Size"] == str(tus.limit)
        assert set(answer.headers["Tus-Checksum-Algorithm"].split(",")) == {"sha1", "sha256"}
        assert set(answer.headers["Tus-Extension"].split(",")) == {
            *("creation", "creation-with-upload", "expiration", "checksum", "termination")
        }


# --- creation ---------------------------------------------------------------------------------


def test_an_empty_file_is_complete_when_it_is_created(tus: Tus) -> None:
    answer = tus.post("empty", 0)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "0")
    assert tus.visible() == {"empty": b""}


@pytest.mark.parametrize("sent", [1_500_000, len(FILE)])
def test_a_creation_may_bring_bytes(tus: Tus, sent: int) -> None:
    answer = tus.post("a", len(FILE), FILE[:sent], Content_Type=BODY)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, str(sent))
    url = f"http://127.0.0.1:{tus.port}{answer.headers['Location']}"
    tus.patch(url, sent, FILE[sent:])
    assert tus.visible() == {"a": FILE}


@pytest.mark.parametrize(
    "headers",
    [
        {"Upload_Metadata": ""},
        {"Upload_Metadata": "path"},
        {"Upload_Metadata": "path not-base64!"},
        {"Upload_Metadata": f"{told(path='a')},{told(path='b')}"},
        {"Upload_Metadata": f"{told(path='a')},,"},
        {"Upload_Metadata": told(path="a", sha256="12")},
        {"Upload_Defer_Length": "1"},
        {"Upload_Concat": "partial"},
        {"Content_Encoding": "gzip"},
        *({"Upload_Metadata": told(path=path)} for path in ("../x", "a/../../x", "CON", "/x")),
        *({"Upload_Metadata": told(path=path)} for path in ("a\\b", "a//b", ".part-1", "x.")),
    ],
)
def test_what_cannot_be_kept_is_refused_and_leaves_nothing(tus: Tus, headers) -> None:
    answer = tus.post("a", 10, **headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "BadInput")
    assert [p for p in tus.root.rglob("*") if p.is_file() and "staging" in p.parts] == []


def test_the_name_that_other_clients_give_is_taken(tus: Tus) -> None:
    tus.post("", 0, Upload_Metadata=told(filename="cell.tif", filetype="image/tiff"))
    assert tus.visible() == {"cell.tif": b""}


def test_all_uploads_together_keep_to_what_was_reserved(tus: Tus) -> None:
    few = replace(tus, limit=100)
    first = few.create("a", 60)
    answer = few.post("b", 41)
    assert (answer.status_code, answer.json()["error"]) == (413, "OverQuota")
    few.create("b", 40)
    tus.plane.gauge._seen.clear()  # another process counts on disk
    assert few.post("c", 1).status_code == 413
    few.patch(first, 0, b"x" * 60)
    tus.plane.gauge._seen.clear()
    assert few.post("c", 1).status_code == 413
    few.ask("DELETE", first)
    assert few.post("c", 60).status_code == 201


def test_a_file_and_a_folder_of_one_name_are_a_conflict(tus: Tus) -> None:
    late = tus.create("a", 1)
    tus.patch(tus.create("a/b", 1), 0, b"x")
    for path in ("a", "a/b/c"):
        answer = tus.post(path, 1)
        assert (answer.status_code, answer.json()["error"]) == (409, "Conflict")
    assert tus.patch(late, 0, b"y").status_code == 409
    assert tus.visible() == {"a/b": b"x"}


# --- checksum ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["sha1", "sha256"])
def test_a_part_that_is_not_what_its_checksum_says_does_not_count(tus: Tus, name: str) -> None:
    url = tus.create("a", len(FILE))
    good, rest = FILE[:2_000_000], FILE[2_000_000:]
    assert tus.patch(url, 0, good, Upload_Checksum=checksum(name, good)).status_code == 204
    answer = tus.patch(url, len(good), rest, Upload_Checksum=checksum(name, b"other"))
    assert (answer.status_code, answer.json()["error"]) == (460, "WrongDigest")
    assert (tus.offset(url), tus.visible()) == (len(good), {})
    answer = tus.patch(url, len(good), rest, Upload_Checksum=checksum(name, rest))
    assert answer.headers["Repr-Digest"] == repr_digest(FILE)
    assert tus.visible() == {"a": FILE}


@pytest.mark.parametrize("said", ["md5 AAAA", "SHA1 AAAA", "sha1", "sha1 not base64", "sha1 AAA"])
def test_a_checksum_that_is_not_understood_is_refused(tus: Tus, said: str) -> None:
    url = tus.create("a", 3)
    answer = tus.patch(url, 0, b"abc", Upload_Checksum=said)
    assert answer.status_code in (400, 460)
    assert (tus.offset(url), tus.visible()) == (0, {})


def test_a_part_with_a_checksum_that_broke_off_does_not_count(tus: Tus) -> None:
    url = tus.create("a", len(FILE))
    tus.patch(url, 0, FILE[:1000])
    headers = {"Upload_Offset": "1000", "Content_Type": BODY, "Content_Length": "2000000"}
    with tus.line("PATCH", url, Upload_Checksum=checksum("sha1", FILE), **headers) as line:
        line.sendall(FILE[1000:1_500_000])
        wait_until(lambda: next(tus.root.rglob("bytes")).stat().st_size > 1000)
        assert tus.offset(url) == 1000
    assert tus.patch(url, 1000, FILE[1000:]).status_code == 204
    assert tus.visible() == {"a": FILE}


def test_a_file_that_is_not_what_was_announced_is_not_kept(tus: Tus) -> None:
    for body, status in ((FILE, 204), (FILE[:-1] + b"x", 460)):
        url = tus.create("a", len(FILE), sha256=hashlib.sha256(FILE).hexdigest())
        assert tus.patch(url, 0, body).status_code == status
    assert tus.head(url).status_code == 404
    assert tus.visible() == {"a": FILE}


# --- expiration and termination ----------------------------------------------------------------


def test_it_is_said_until_when_it_can_be_gone_on_with(tus: Tus) -> None:
    created = tus.post("a", 10)
    url = f"http://127.0.0.1:{tus.port}{created.headers['Location']}"
    for answer in (created, tus.patch(url, 0, b"12345"), tus.head(url)):
        until = parsedate_to_datetime(answer.headers["Upload-Expires"]).timestamp()
        assert answer.headers["Upload-Expires"].endswith(" GMT")
        assert abs(until - time.time() - uploads.LIFETIME) < 60
    assert uploads.is_open(tus.root / tus.prefix)
    [came] = tus.root.rglob("bytes")
    past = time.time() - uploads.LIFETIME - 10
    os.utime(came, (past, past))
    for answer in (tus.head(url), tus.patch(url, 5, b"67890")):
        assert answer.status_code == 410
        assert "Upload-Offset" not in answer.headers
    assert not uploads.is_open(tus.root / tus.prefix)


@pytest.mark.parametrize("there", [0, 5, 10])
def test_an_upload_that_is_terminated_leaves_nothing(tus: Tus, there: int) -> None:
    url = tus.create("a", 10)
    tus.patch(url, 0, b"x" * there)
    answer = tus.ask("DELETE", url)
    assert (answer.status_code, answer.content) == (204, b"")
    assert (tus.head(url).status_code, tus.visible()) == (404, {})
    assert not list(tus.root.rglob("bytes"))


def test_once_the_import_has_begun_no_byte_comes_or_goes(tus: Tus) -> None:
    kept, under_way = tus.create("kept", 3), tus.create("kept", len(FILE))
    came = tus.root / tus.prefix / f"../uploads/{under_way.rpartition('/')[2]}/bytes"
    tus.patch(kept, 0, b"one")

    def last_byte_after_the_commit() -> Iterator[bytes]:
        yield FILE[:-1]
        wait_until(lambda: came.stat().st_size, 60)
        intake.shut(tus.root / tus.prefix)
        yield FILE[-1:]

    late = HTTP.patch(
        under_way,
        content=last_byte_after_the_commit(),
        headers=tus.headers | {"Upload-Offset": "0", "Content-Type": BODY},
    )
    digest = {"Content-Digest": repr_digest(b"two")}
    sent = HTTP.put(f"{tus.url}kept", content=b"two", headers=digest)
    gone = (tus.ask("DELETE", kept), tus.patch(under_way, 0, b"x"))
    for answer in (late, sent, *gone, tus.post("new", 1, b"x", Content_Type=BODY)):
        assert (answer.status_code, answer.json()["error"]) == (409, "Conflict"), answer.text
        assert "being imported" in answer.json()["message"]
    assert tus.visible() == {"kept": b"one"}
