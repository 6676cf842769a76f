from __future__ import annotations

import pytest
from openapi_spec_validator import validate
from processes import Service

from cid_server_ext import errors
from cid_server_ext.handlers.routes import operations
from cid_server_ext.openapi import document


def test_the_document_is_valid_openapi_3_1() -> None:
    made = document()
    assert made["openapi"] == "3.1.0"
    validate(made)


def test_every_operation_is_in_it_with_a_name_of_its_own() -> None:
    paths = document()["paths"]
    names = [paths["/" + o.path][o.method.lower()]["operationId"] for o in operations()]
    assert len(names) == len(set(names)) > 20


def test_every_error_of_the_tree_is_named(service: Service) -> None:
    served = service.ask("GET", "openapi.json", "anyone").json()
    named = served["components"]["schemas"]["Error"]["properties"]["error"]["enum"]

    known = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    kinds = {kind.__name__ for kind in known if issubclass(kind, errors.CidError)}
    assert set(named) == kinds
    assert len(kinds) > 10


def test_what_an_operation_may_answer_is_said_for_each() -> None:
    paths = document()["paths"]
    image = paths["/images/{image}"]
    assert set(image["get"]["responses"]) == {
        *("200", "304", "400", "401", "403", "404", "429", "503")
    }
    assert set(image["patch"]["responses"]) == {
        *("200", "400", "401", "403", "404", "409", "413", "429", "503")
    }
    moved = image["patch"]["responses"]["409"]["content"]["application/json"]["schema"]
    assert moved == {"$ref": "#/components/schemas/Moved"}
    assert "ETag" in image["get"]["responses"]["200"]["headers"]
    assert "Retry-After" in image["get"]["responses"]["429"]["headers"]


def test_every_page_says_alike_where_the_next_one_begins() -> None:
    made = document()
    text_or_null = [{"type": "null"}, {"type": "string"}]
    pages = [s for s in made["components"]["schemas"].values() if "next" in s.get("properties", {})]
    assert len(pages) > 6
    for page in pages:
        said = page["properties"]["next"]["anyOf"]
        assert sorted(said, key=lambda one: one["type"]) == text_or_null, page["title"]
    for path, verbs in made["paths"].items():
        for given in verbs.get("get", {}).get("parameters", []):
            if given["name"] == "after":
                types = {one["type"] for one in given["schema"]["anyOf"]}
                assert types <= {"string", "null"}, path


def test_conditions_are_there_where_they_are_heeded() -> None:
    paths = document()["paths"]

    def conditions(path: str, verb: str) -> list[str]:
        return [p["name"] for p in paths[path][verb]["parameters"] if p["in"] == "header"]

    assert conditions("/images/{image}", "get") == ["If-None-Match"]
    assert conditions("/images/{image}", "patch") == ["If-Match"]
    assert conditions("/images/{image}/tags/{key}", "put") == ["If-Match"]
    assert conditions("/images", "get") == []
    assert conditions("/runs", "post") == []


def test_a_path_says_what_its_parts_are() -> None:
    paths = document()["paths"]
    [image] = [p for p in paths["/images/{image}"]["get"]["parameters"] if p["in"] == "path"]
    assert image["schema"] == {"type": "string", "format": "uuid"}
    [project] = [p for p in paths["/projects/{project}"]["get"]["parameters"] if p["in"] == "path"]
    assert project["schema"]["pattern"].startswith("^[a-z0-9]")


@pytest.mark.parametrize("path", ["nothing", "images/x/y/z", "../whoami"])
def test_an_unknown_address_answers_404_by_name(service: Service, path: str) -> None:
    answer = service.ask("GET", path, "anyone")
    assert answer.status_code == 404


def test_nothing_of_jupyter_servers_own_is_open(service: Service) -> None:
    import httpx
    from processes import STAFF, identity

    for path in ("api/kernels", "api/contents", "api/terminals", "lab", "tree"):
        answer = httpx.get(service.url + path, headers=identity(STAFF))
        assert answer.status_code == 404, path
    for path in ("api/status", "api/me", "files/catalog.sqlite"):
        answer = httpx.get(service.url + path, headers=identity("anyone"))
        assert answer.status_code in (403, 404), path
