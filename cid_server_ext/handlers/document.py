"""openapi.json, made from the route table that serves the API."""

from __future__ import annotations

from typing import Any

from .base import Ask, CidHandler, endpoint


class Document(CidHandler):
    """openapi.json."""

    @endpoint("This document", who="anyone")
    def get(self, ask: Ask) -> dict[str, Any]:
        """OpenAPI 3.1."""
        from ..openapi import document

        return document(ask.services.prefix)
