from __future__ import annotations

import pytest
from openapi_spec_validator import validate
from processes import Service

from cid_server_ext.errors import CidError
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

    def tree(root: type[CidError]) -> set[str]:
        return {root.__name__}.union(*(tree(child) for child in root.__subclasses__()))

    assert set(named) == tree(CidError)


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
