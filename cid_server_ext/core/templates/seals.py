"""What a template was when it was published: a hash over its manifest and its notebook."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from ...db.tables import Template
from ...errors import Conflict
from .notebooks import canonical


def digest(manifest: Mapping[str, Any], notebook: str) -> str:
    """Return the sha256 of both, which is equal for equal manifests."""
    return hashlib.sha256(canonical(manifest) + b"\0" + notebook.encode()).hexdigest()


def require_whole(template: Template) -> None:
    """Raise Conflict if what is stored is not what was published.

    What revision 0001 published has no seal and passes.
    """
    if template.seal is not None and template.seal != digest(template.manifest, template.notebook):
        raise Conflict(
            f"template {template.reference} {template.version} is not what was published:"
            " nothing runs it; tell staff, who publishes it again as another version"
        )
