"""The vocabulary over HTTP: typed tags, completion, many records at once, sheets, cards."""

from __future__ import annotations

import base64
import itertools
from typing import Any

import httpx
import jsonschema
import pytest
import world
from processes import STAFF, Service

from cid_server_ext.db.session import Sessions

unique = itertools.count()


@pytest.fixture
def made(service_database: Sessions) -> world.World:
    with service_database.begin() as session:
        return world.make(session, f"words-{next(unique)}")


def ok(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json()


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


def test_any_record_is_tagged_and_told_how_it_was_taken(service: Service, made) -> None:
    first = f"images/{made.image}/tags/Mood"
    image = ok(service.ask("PUT", first, "annotator", json={"value": "Good"}))
    assert image["uid"] == made.image
    path = f"records/{made.file}/tags/mood"
    answer = ok(service.ask("PUT", path, "annotator", json={"value": "good "}))
    assert answer["snapped"] == {"mood": "Mood", "good ": "Good"}
    assert [(tag["key"], tag["value"]) for tag in answer["tags"]] == [("Mood", "Good")]
    gone = ok(service.ask("DELETE", path, "annotator"))
    assert gone["tags"] == []
    assert refused(service.ask("DELETE", path, "annotator")) == (404, "NotFound")


def test_an_identifier_has_a_link_and_a_wrong_one_is_refused(service: Service, made) -> None:
    new = {"key": "Operator", "type": "id", "scheme": "orcid"}
    ok(service.ask("POST", f"projects/{made.project}/terms", "manager", json=new))
    path = f"images/{made.image}/tags/Operator"
    body = {"value": "https://orcid.org/0000-0002-1825-0097"}
    image = ok(service.ask("PUT", path, "annotator", json=body))
    [tag] = [tag for tag in image["tags"] if tag["key"] == "Operator"]
    assert tag["value"] == "0000-0002-1825-0097"
    assert tag["link"] == "https://orcid.org/0000-0002-1825-0097"
    wrong = service.ask("PUT", path, "annotator", json={"value": "0000-0002-1825-0098"})
    assert refused(wrong) == (400, "BadInput")
    assert "Operator" in wrong.json()["message"]


def test_completion_counts_what_the_caller_may_see(service: Service, made) -> None:
    body = {"records": [made.image, made.result], "add": {"Staining": ["Phalloidin", "Phloxin"]}}
    done = ok(service.ask("POST", "annotations", "annotator", json=body))
    assert (done["records"], done["changed"]) == (2, 2)
    ok(service.ask("DELETE", f"images/{made.image}/tags/Staining", "annotator"))
    terms = ok(service.ask("GET", f"projects/{made.project}/terms", "viewer"))["terms"]
    [staining] = [term["uid"] for term in terms if term["key"] == "Staining"]
    path = f"terms/{staining}/values?q=ph&project={made.project}"
    found = ok(service.ask("GET", path, "viewer"))["values"]
    assert [(one["text"], one["n"]) for one in found] == [("Phalloidin", 1), ("Phloxin", 1)]
    path = f"terms/{staining}/values?q=phal"
    assert ok(service.ask("GET", path, "stranger"))["values"] == []


def test_a_query_is_annotated_and_a_dry_call_writes_nothing(service: Service, made) -> None:
    body = {
        "query": "Objective:63x",
        "project": made.project,
        "set": {"Cell type": "HeLa"},
        "dry": True,
    }
    dry_answer = service.ask("POST", "annotations", "annotator", json=body)
    dry = ok(dry_answer)
    assert (dry["changed"], dry["dry"]) == (2, True)
    wet_answer = service.ask("POST", "annotations", "annotator", json=body | {"dry": False})
    wet = ok(wet_answer)
    assert wet["keys"]["Cell type"]["changed"] == 2
    entry = wet_answer.headers["CID-Entry"]
    ok(service.ask("POST", f"journal/{entry}/undo", "annotator"))
    again = ok(service.ask("POST", "annotations", "annotator", json=body))
    assert (again["changed"], "CID-Entry" in dry_answer.headers) == (2, False)
    both = body | {"records": [made.image]}
    assert refused(service.ask("POST", "annotations", "annotator", json=both)) == (400, "BadInput")
    many = {"records": ["x"] * 5001, "set": {"a": "b"}}
    assert refused(service.ask("POST", "annotations", "annotator", json=many)) == (400, "BadInput")


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_a_sheet_goes_out_and_comes_back(service: Service, made, format: str) -> None:
    ok(service.ask("PUT", f"images/{made.image}/tags/Mood", "annotator", json={"value": "=bad"}))
    path = f"sheets?project={made.project}&format={format}"
    first = service.ask("GET", path, "viewer")
    assert first.is_success
    assert first.headers["Content-Disposition"].endswith(f"{made.project}.{format}")
    assert service.ask("GET", path, "viewer").content == first.content
    body = {
        "project": made.project,
        "format": format,
        "content": base64.b64encode(first.content).decode(),
    }
    seen = ok(service.ask("POST", "sheets/preview", "annotator", json=body))
    assert seen["changes"] == []
    ok(service.ask("PUT", f"images/{made.image}/tags/Mood", "annotator", json={"value": "fine"}))
    seen = ok(service.ask("POST", "sheets/preview", "annotator", json=body))
    assert [(c["before"], c["after"]) for c in seen["changes"]] == [("fine", "=bad")]
    late = service.ask("POST", "sheets/apply", "annotator", json=body | {"digest": "0" * 64})
    assert refused(late) == (409, "Conflict")
    ok(service.ask("POST", "sheets/apply", "annotator", json=body | {"digest": seen["digest"]}))
    assert service.ask("GET", path, "viewer").content == first.content


def test_what_is_no_sheet_answers_400_that_names_the_field(service: Service, made) -> None:
    for format, content in [
        ("csv", "***"),
        ("csv", base64.b64encode(b"\xff\xfe").decode()),
        ("xlsx", base64.b64encode(b"uid\r\n").decode()),
        ("csv", base64.b64encode(b"a,b\r\n").decode()),
    ]:
        body = {"project": made.project, "format": format, "content": content}
        answer = service.ask("POST", "sheets/preview", "annotator", json=body)
        assert refused(answer) == (400, "BadInput")
        assert answer.json()["message"].startswith("content:")


def test_a_card_is_a_schema_that_takes_what_an_annotation_takes(service: Service, made) -> None:
    where = f"projects/{made.project}/terms"
    for new in [
        {"key": "Quality", "type": "choice", "values": ["good", "bad"], "help": "of the focus"},
        {"key": "Slit", "type": "number", "unit": "um"},
        {"key": "Day", "type": "date"},
        {"key": "Organ", "type": "ontology", "values": [{"label": "Liver", "iri": "UBERON:2"}]},
        {"key": "Visit", "type": "id", "scheme": "own", "pattern": r"OI-\d+"},
    ]:
        ok(service.ask("POST", where, "manager", json=new))
    card = ok(service.ask("GET", f"projects/{made.project}/card", "viewer"))["card"]
    jsonschema.Draft202012Validator.check_schema(card)
    checker = jsonschema.Draft202012Validator(card)
    good = {
        "Quality": "good",
        "Slit": 0.25,
        "Day": "2026-11-21",
        "Organ": "Liver",
        "Visit": "OI-17",
        "Staining": ["DAPI", "GFP"],
        "Cell type": "HeLa",
    }
    checker.validate(good)
    body = {"records": [made.image], "set": good}
    assert ok(service.ask("POST", "annotations", "annotator", json=body))["changed"] == 1
    for key, wrong in [("Quality", "fair"), ("Visit", "17"), ("Day", "soon"), ("Slit", "s")]:
        assert not checker.is_valid({key: wrong})
        body = {"records": [made.image], "set": {key: wrong}}
        answer = service.ask("POST", "annotations", "annotator", json=body)
        assert refused(answer) == (400, "BadInput")
    assert card["properties"]["Quality"]["description"] == "of the focus"
    assert "Microscope" not in card["properties"]
    card = ok(service.ask("GET", f"projects/{made.project}/card?machine=true", "viewer"))["card"]
    assert "Microscope" in card["properties"]


def test_a_facility_term_is_staffs_and_everybodys_to_read(service: Service, made) -> None:
    key = f"Booking {next(unique)}"
    new = {"key": key, "type": "text", "values": ["one"]}
    term = ok(service.ask("POST", "terms", STAFF, json=new))
    assert (term["project"], term["key"]) == (None, key)
    assert ok(service.ask("GET", f"terms/{term['uid']}", "stranger"))["key"] == key
    path = f"terms/{term['uid']}"
    assert refused(service.ask("PATCH", path, "manager", json={"help": "x"})) == (403, "NotAllowed")
    near = ok(service.ask("POST", "terms", STAFF, json={"key": key + "s"}))
    assert key in near["similar"]
    twice = service.ask("POST", "terms", STAFF, json={"key": key.upper()})
    assert refused(twice) == (409, "Conflict")


HOSTILE = ["'; DROP TABLE term; --", "a\\", "%", "<svg onload=x>", "CON", "x.", "NFC é", "e\u0301"]
UNFIT = ["a\x00", "a\u202eb", "../x", "/etc/passwd", "", "  ", "..", "a" * 500]


def test_hostile_keys_are_literal_or_a_400_that_names_the_field(service: Service, made) -> None:
    where = f"projects/{made.project}/terms"
    for key in HOSTILE:
        answer = service.ask("POST", where, "manager", json={"key": key})
        assert answer.status_code in (201, 409), (key, answer.text)
    for key in UNFIT:
        answer = service.ask("POST", where, "manager", json={"key": key})
        assert refused(answer) == (400, "BadInput"), key
        assert "key" in answer.json()["message"]
    for field in ("unit", "pattern", "link", "scheme", "help"):
        for text in ["'; DROP", "javascript:x", "a\x00", "(a+)+" * 30]:
            new = {"key": "Odd", "type": "id", "scheme": "own"} | {field: text}
            answer = service.ask("POST", where, "manager", json=new)
            if answer.status_code == 201:  # a literal: free it for the next
                uid = answer.json()["uid"]
                assert answer.json()[field] == text
                other = {"key": f"Odd {next(unique)}"}
                ok(service.ask("PATCH", f"terms/{uid}", "manager", json=other))
                continue
            assert refused(answer) == (400, "BadInput"), (field, text)
            assert field in answer.json()["message"]
