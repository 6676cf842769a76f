"""The requests of the pages about tags and vocabulary are requests that work."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest
import world
from processes import STAFF, Service

from cid_server_ext.db.session import Sessions

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"```http\n(GET|PUT|POST|PATCH) (\S+)\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("page", ["user/tags.md", "staff/vocabulary.md"])
def test_every_request_of_the_page_is_answered(
    service: Service, service_database: Sessions, page: str
) -> None:
    with service_database.begin() as session:
        made = world.make(session, "docs-" + page.partition("/")[0])
    content = f"uid,Mood\r\n{made.image},good\r\n".encode()
    names = {
        "record": made.image,
        "project": made.project,
        "term": made.term,
        "value": made.value,
        "into": made.into,
        "content": base64.b64encode(content).decode(),
    }
    tags = f"records/{made.image}/tags/"
    service.ask("PUT", f"{tags}Line", "manager", json={"value": "HeLa"}).raise_for_status()
    requests = BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
    assert len(requests) > 6
    for method, path, body in requests:
        for name, value in names.items():
            path, body = path.replace(f"<{name}>", value), body.replace(f"<{name}>", value)
        sent = json.loads(body) if body else None
        answer = service.ask(method, path, STAFF if path == "terms" else "manager", json=sent)
        assert answer.is_success, (method, path, answer.text)
        if path == "sheets/preview":
            names["digest"] = answer.json()["digest"]
            assert len(answer.json()["changes"]) == 1
        if path.endswith("/rename"):
            names["value"] = answer.json()["value"]["uid"]
