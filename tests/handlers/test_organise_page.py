"""What docs/user/organise.md tells people to ask is asked here, line by line, of the service."""

from __future__ import annotations

import json
import re
from pathlib import Path

import shelf
import world
from processes import Service

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import datasets
from cid_server_ext.db.session import Sessions

PAGE = Path(__file__).parents[2] / "docs" / "user" / "organise.md"
NAMED = {"projects": "dataset", "notes": "note", "trash": "trash"}  # what an answer's uid is of


def lines() -> list[str]:
    blocks = re.findall(r"```http\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_every_line_of_the_page_works(service: Service, service_database: Sessions) -> None:
    with service_database.begin() as session:
        for name in ("page", "page-2"):
            world.make_project(session, name)
        known = {"image": shelf.add_images(session, "page", ["cell"])[0].uid}
        known["file"] = shelf.add_file(session, "page", "plan.pdf").uid
        other = datasets.create(session, Actor("contributor"), "page-2", "shown")
        known["other dataset"] = other.uid
    asked = lines()
    assert len(asked) > 15
    for line in asked:
        told = re.sub(r"<([a-z ]+)>", lambda found: known[found[1]], line)
        method, path, *body = told.replace("demo", "page").split(" ", 2)
        sent = json.loads(body[0]) if body else None
        answer = service.ask(method, path, "contributor", json=sent)
        assert answer.is_success, (line, answer.status_code, answer.text)
        said = answer.json()
        if method == "POST" and "uid" in said and "query" not in (sent or {}):
            known[NAMED[path.split("/")[0]]] = said["uid"]
        if path.startswith("journal?"):
            known["entry"] = str(next(e["entry"] for e in said["entries"] if e["undoable"]))
