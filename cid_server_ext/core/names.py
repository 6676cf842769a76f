"""What people may call things: names of teams and projects, paths of datasets, file names."""

from __future__ import annotations

import re
import unicodedata

from ..errors import BadInput

# printable for Python, and yet unseen: fillers, joiners, variation selectors, blank Braille
UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | {
    chr(code) for span in (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0)) for code in span
}
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}[a-z0-9]")
LONGEST_PATH = 600  # characters of a dataset's path


def slug(name: str, what: str) -> str:
    """Return `name` if it can stand in a URL, or raise BadInput."""
    if not SLUG.fullmatch(name):
        raise BadInput(f"{what} name {name!r}: use 2 to 64 lower-case letters, digits and dashes")
    return name


def label(name: str, what: str) -> str:
    """Return a name for people: in NFC, trimmed, every kind of blank one plain space.

    Refused are "/", what cannot be seen or turns the reading direction, and what no disk can call
    a file (255 bytes in UTF-8). Anything else is kept as it is; nobody's bytes lie under it.
    """
    clean = "".join(" " if unicodedata.category(c) == "Zs" else c for c in name)
    clean = unicodedata.normalize("NFC", clean).strip()
    if not 1 <= len(clean) <= 200:
        raise BadInput(f"a name of {what} has 1 to 200 characters")
    if "/" in clean or clean in {".", ".."} or any(not c.isprintable() for c in clean):
        raise BadInput(f"{what} name {clean!r}: no '/' and no control characters")
    if len(clean.encode()) > 255:
        raise BadInput(f"{what} name {clean[:40]!r}...: at most 255 bytes in UTF-8")
    return clean


def title(text: str) -> str:
    """Return a line for people, trimmed and in NFC, of at most 200 characters."""
    clean = unicodedata.normalize("NFC", text).strip()
    if len(clean) > 200 or any(not c.isprintable() for c in clean):
        raise BadInput("a title is one line of at most 200 characters, without control characters")
    return clean


def person(name: str) -> str:
    """Return the name of an account, exactly as it is, or raise BadInput.

    Names are compared letter by letter, so what looks like another name is refused: other spellings
    of one accented letter (only NFC is taken), and characters that nobody sees.
    """
    if not 1 <= len(name) <= 120:
        raise BadInput("a person's name has 1 to 120 characters")
    seen = all(c.isprintable() and c not in UNSEEN for c in name)
    if (
        not seen
        or name != unicodedata.normalize("NFC", name)
        or name != name.strip()
        or "/" in name
    ):
        raise BadInput(
            f"person {name!a}: write the account's name as the login page shows it, in NFC,"
            " without spaces around it and without characters that cannot be seen"
        )
    return name


def dataset_path(path: str, field: str = "path") -> str:
    """Return "a/b" trimmed part by part; the empty path is the project's own dataset."""
    try:
        parts = [label(part, "dataset") for part in path.split("/")] if path.strip(" /") else []
    except BadInput as error:
        raise BadInput(f"{field}: {error}") from None
    clean = "/".join(parts)
    if len(clean) > LONGEST_PATH:
        raise BadInput(f"{field}: a dataset path has at most {LONGEST_PATH} characters")
    return clean
