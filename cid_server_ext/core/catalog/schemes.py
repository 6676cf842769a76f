"""External identifiers: ORCID, RRID, DOI, web addresses, and a facility's own by its pattern."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from ...errors import BadInput
from . import patterns

LONGEST = 200  # characters of an identifier, an IRI or the template of a link
SCHEMES = ("orcid", "rrid", "doi", "url", "own")
URL = re.compile(r"https?://[^\s<>\"'`{}|\\^]+", re.IGNORECASE)
_CURIE = re.compile(r"[A-Za-z][A-Za-z0-9_]*:[A-Za-z0-9_.-]+")
_NO_CURIE = {"javascript", "data", "vbscript", "file", "blob", "about", "http", "https"}
_LINK = re.compile(r"https?://[A-Za-z0-9.:-]+/[^\s<>\"'`{}|\\^]*\{id\}[^\s<>\"'`{}|\\^]*")


class _Scheme(NamedTuple):
    prefixes: tuple[str, ...]  # what people paste in front of it
    pattern: re.Pattern[str]
    link: str
    example: str


_KNOWN = {
    "orcid": _Scheme(
        ("https://orcid.org/", "http://orcid.org/", "orcid.org/", "orcid:"),
        re.compile(r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]", re.ASCII),
        "https://orcid.org/{id}",
        "0000-0002-1825-0097",
    ),
    "rrid": _Scheme(
        ("https://scicrunch.org/resolver/", "rrid:"),
        re.compile(r"[A-Za-z]+[_:-]?[A-Za-z0-9_:.-]+", re.ASCII),
        "https://scicrunch.org/resolver/RRID:{id}",
        "RRID:AB_2298772",
    ),
    "doi": _Scheme(
        ("https://doi.org/", "http://doi.org/", "https://dx.doi.org/", "doi:"),
        re.compile(r"10\.\d{4,9}/[^\s<>\"'`]+", re.ASCII),
        "https://doi.org/{id}",
        "10.1000/182",
    ),
}


def identifier(scheme: str, pattern: str, text: str, what: str) -> str:
    """Return an identifier in the form it is kept in, or raise BadInput naming `what`."""
    if scheme == "url":
        return _url(text, what)
    if scheme not in _KNOWN:
        if pattern and not patterns.matches(pattern, text):
            raise BadInput(f"{what} {text[:60]!r} does not have the form {pattern}")
        return text
    known = _KNOWN[scheme]
    bare = text
    for prefix in known.prefixes:  # "https://…/RRID:AB_1" has two of them
        if bare.lower().startswith(prefix):
            bare = bare[len(prefix) :].strip()
    bare = bare.upper() if scheme == "orcid" else bare
    if len(bare) > LONGEST or not known.pattern.fullmatch(bare):
        raise BadInput(f"{what} {text[:60]!r} is no {scheme.upper()}, as in {known.example}")
    if scheme == "orcid" and _check_digit(bare) != bare[-1]:
        raise BadInput(f"{what} {text[:60]!r}: its check digit is wrong, look for a typing error")
    return f"RRID:{bare}" if scheme == "rrid" else bare


def address(scheme: str, template: str, text: str) -> str:
    """Return the web address of an identifier, or "" when its scheme has none."""
    if scheme == "url":
        return text
    if scheme in _KNOWN:
        template, text = _KNOWN[scheme].link, text.removeprefix("RRID:")
    safe = "/:;()" if scheme in _KNOWN else ""
    return template.replace("{id}", quote(text, safe=safe)) if template else ""


def iri(text: str, what: str) -> str:
    """Return the IRI (http or https) or CURIE ("CLO:0003684") of a concept, or raise BadInput."""
    curie = _CURIE.fullmatch(text) and text.partition(":")[0].lower() not in _NO_CURIE
    if len(text) > LONGEST or not (curie or URL.fullmatch(text)):
        raise BadInput(f"{what} {text[:60]!r}: an http address, or one like CLO:0003684")
    return text


def concept(text: str) -> str:
    """Return the web address of an IRI, or of a CURIE by identifiers.org."""
    if not text or URL.fullmatch(text):
        return text
    return f"https://identifiers.org/{quote(text, safe=':')}"


def template(text: str, what: str) -> str:
    """Return a link's template if it is a web address with {id} in its path, or raise BadInput."""
    fits = len(text) <= LONGEST and text.count("{id}") == 1 and _LINK.fullmatch(text)
    if text and not fits:
        raise BadInput(f"{what} {text[:60]!r}: an http address with {{id}} once, after the host")
    return text


def _url(text: str, what: str) -> str:
    try:
        parts = urlsplit(text) if URL.fullmatch(text) else None
        good = parts is not None and bool(parts.hostname) and "@" not in parts.netloc
        _ = parts and parts.port  # a ValueError where it is no number
    except ValueError:
        good = False
    if not good:
        raise BadInput(f"{what} {text[:60]!r} is no http or https address")
    return text


def _check_digit(orcid: str) -> str:
    """Return the last character that an ORCID must have: ISO 7064 MOD 11-2."""
    total = 0
    for digit in orcid.replace("-", "")[:-1]:
        total = (total + int(digit)) * 2
    rest = (12 - total % 11) % 11
    return "X" if rest == 10 else str(rest)
