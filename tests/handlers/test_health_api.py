"""The figures of the night, as a monitor asks for them."""

from __future__ import annotations

from processes import STAFF, Service

MONITOR = STAFF | {"name": "watches-the-night", "scopes": ["custom:cid:read", "custom:cid:staff"]}


def test_a_monitor_whose_token_only_reads_is_told(service: Service) -> None:
    answer = service.ask("GET", "health", MONITOR)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert {"queued", "paused", "later", "starting", "running", "committing"} == set(told["runs"])
    assert told["ended"].keys() == {"done", "failed", "cancelled"}
    assert told["mail"].keys() == {"waiting", "tried", "refused"}
    assert service.ask("GET", "limits", MONITOR).status_code == 403  # and no more
