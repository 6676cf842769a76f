"""The requests shown to staff in docs/staff/people.md do what the page says."""

from __future__ import annotations

import json
import re
from pathlib import Path

from processes import STAFF, Service

PAGE = Path(__file__).parents[2] / "docs" / "staff" / "people.md"


def test_every_request_of_the_page_is_answered(service: Service) -> None:
    shown = re.findall(r"```http\n([A-Z]+) (\S+)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(shown) > 10
    other = {"name": "other", "team": "lab-martin", "limit": 1}
    uids = {"other": service.ask("POST", "requests", "bob", json=other).json()["uid"]}
    for method, path, body in shown:
        for name, uid in uids.items():
            path = path.replace(f"{{{name}}}", uid)
        who = "ann" if (method, path) == ("POST", "requests") else STAFF
        answer = service.ask(method, path, who, json=json.loads(body) if body.strip() else None)
        assert answer.is_success, (method, path, answer.text)
        if who == "ann":
            uids["request"] = answer.json()["uid"]
        if path.endswith("/approve"):
            assert answer.json()["project"] == "wound-healing"
    listed = service.ask("GET", "projects/wound-healing", "claire").json()
    assert (listed["state"], listed["role"]) == ("active", "manager")
    assert listed["allocation"]["limit"] == 10**12
    assert service.ask("GET", "projects/wound-healing", "martin").status_code == 404
    [entry, *_] = service.ask("GET", "journal?about=person:martin", STAFF).json()["entries"]
    assert service.ask("POST", f"journal/{entry['entry']}/undo", STAFF).is_success
    assert service.ask("GET", "projects/wound-healing", "martin").status_code == 200
