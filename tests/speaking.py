"""The client as one of several people, as the test service expects to be told."""

from __future__ import annotations

import json
from typing import Any

import httpx
from processes import Service

import cid_client as cid
from cid_client.wire.environment import Access
from cid_client.wire.session import Session


class As(httpx.HTTPTransport):
    """Says who asks."""

    def __init__(self, who: Any) -> None:
        super().__init__()
        self.who = json.dumps(who if isinstance(who, dict) else {"name": who})

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.headers.pop("Authorization", None):
            request.headers["X-Test-User"] = self.who
        return super().handle_request(request)


def connected(service: Service, who: Any) -> cid.Catalog:
    """Return the catalog as this person sees it; close it in the end."""
    access = Access(service.url, f"token of {who}")
    return cid.Catalog(Session(access, transport=As(who)))


MEASURED = {"SNR", "Saturation", "Focus", "Dynamic range", "Background"}


def said_of(record: cid.Image | cid.File) -> dict[str, Any]:
    """Return the tags that people gave; an import measures more."""
    return {key: value for key, value in record.tags.items() if key not in MEASURED}
