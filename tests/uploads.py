"""Deposits made step by step: staged by one call, committed by another."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
from processes import Service, content_digest


def staged(
    service: Service, who: str, project: str, name: str, body: bytes, kind: str = "import"
) -> str:
    """Open a deposit, upload, and return its uid: ready to commit."""
    files = [{"path": name, "nbytes": len(body)}]
    declared = {"kind": kind, "files": files, "again": True}
    opened = service.ask("POST", f"projects/{project}/deposits", who, json=declared)
    assert opened.status_code == 201, opened.text
    put(service, opened.json(), name, body)
    return opened.json()["uid"]


def put(service: Service, deposit: dict[str, Any], name: str, body: bytes) -> None:
    """Bring one file of an open deposit in."""
    headers = {"Content-Digest": content_digest(body)}
    url = service.origin + deposit["upload"] + quote(name)
    answer = httpx.put(url, content=body, headers=headers, timeout=60)
    assert answer.is_success, answer.text


def commit(service: Service, who: str, uid: str) -> None:
    """Begin the import."""
    begun = service.ask("POST", f"deposits/{uid}/commit", who, json={})
    assert begun.status_code == 202, begun.text
