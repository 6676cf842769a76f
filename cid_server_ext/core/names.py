"""What people may call things: names of teams and projects, paths of datasets, file names."""

from __future__ import annotations

import re
import unicodedata

from ..errors import BadInput

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}[a-z0-9]")


def slug(name: str, what: str) -> str:
    """Return `name` if it can stand in a URL, or raise BadInput."""
    if not SLUG.fullmatch(name):
        raise BadInput(f"{what} name {name!r}: use 2 to 64 lower-case letters, digits and dashes")
    return name


def label(name: str, what: str) -> str:
    """Return a name for people, trimmed and in NFC; control characters and "/" are refused."""
    clean = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(clean) <= 200:
        raise BadInput(f"a name of {what} has 1 to 200 characters")
    if "/" in clean or clean in {".", ".."} or any(not c.isprintable() for c in clean):
        raise BadInput(f"{what} name {clean!r}: no '/' and no control characters")
    return clean


def dataset_path(path: str) -> str:
    """Return "a/b" trimmed part by part; the empty path is the project's own dataset."""
    parts = [label(part, "dataset") for part in path.split("/")] if path.strip(" /") else []
    clean = "/".join(parts)
    if len(clean) > 600:
        raise BadInput("a dataset path has at most 600 characters")
    return clean
