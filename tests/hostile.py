"""Text that breaks what is careless, and every place of a request where text can stand."""

from __future__ import annotations

import copy
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Any

# names that lead elsewhere (hardening 15)
PATHS = [
    "../x",
    "..%2fx",
    "%2e%2e/",
    "/etc/passwd",
    "C:\\x",
    "nul\x00byte",
    "p-secret",
    "é" * 300,
    "cafe\u0301",
    "\u202egpj.exe",
    "CON",
    "dot.",
    " ",
    "line\nbreak",
]
# words of query languages (25)
QUERIES = [
    "'; DROP TABLE record; --",
    "' OR '1'='1",
    "%",
    "_",
    "\\",
    "%a%",
    'NEAR("a" "b", 5)',
    "name:* AND",
    '"',
    "!:* | & <->",
    "((((",
    "-",
    "key:",
    "a:>>1um",
    "sort:'",
    "2026-99-99..",
]
# what a page or a spreadsheet would run (26)
SCRIPTS = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "javascript:alert(1)",
    "<svg onload=alert(1)>",
    '"><b onmouseover=alert(1)>',
    "=cmd|' /C calc'!A1",
    "{{7*7}}",
    "%(x)s {0.__class__}",
]
LARGE = ["x" * 100_000, "𝕏" * 700, "\ufeff\u200b", "\ud800"]
STRINGS = [*PATHS, *QUERIES, *SCRIPTS, *LARGE]

# what a message may call a field whose parts have names of their own
CALLED = {
    "leaders": ("person",),
    "members": ("person", "role"),
    "to": ("person", "value of"),
    "manifest": ("template.toml",),
    "query": ("q:",),
    **dict.fromkeys(("set", "add", "remove", "key"), ("key", "value")),
}

INSTEAD = {"query": ("records", "images")}  # a query names them otherwise

Place = tuple[str, Callable[[str], Any]]


def places(body: Any, schema: dict[str, Any], document: dict[str, Any]) -> Iterator[Place]:
    """Yield (name, body with that text) for each text of a body, the absent fields' too."""
    if not isinstance(body, dict):
        return
    properties = _resolved(schema, document).get("properties", {})
    for name in {**properties, **body}:
        field = _resolved(properties.get(name, {}), document)
        for inner in _inner(name, body.get(name), field, document):
            yield inner[0], _inside(body, name, inner[1])


def _inner(
    name: str, value: Any, field: dict[str, Any], document: dict[str, Any]
) -> Iterator[Place]:
    kinds = [field, *(_resolved(kind, document) for kind in field.get("anyOf", []))]
    types = {kind.get("type") for kind in kinds}
    if "string" in types or (isinstance(value, str) and not types - {None}):
        yield name, lambda text: text
    if "array" in types:
        items = next(kind for kind in kinds if kind.get("type") == "array").get("items", {})
        items = _resolved(items, document)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for inner, put in places(value[0], items, document):
                yield f"{name}.{inner}", lambda text, put=put: [put(text)]
        elif items.get("type") == "string" or "anyOf" in items:
            yield name, lambda text: [text]
    if "object" in types and isinstance(value, dict):
        alike = {_shape(item): key for key, item in reversed(value.items())}
        for key in alike.values():  # of several that are alike the first speaks for all
            item = value[key]
            yield name, lambda text, item=item: {text: item}
            yield from (
                (f"{name}.{inner}", lambda text, put=put, key=key: {**value, key: put(text)})
                for inner, put in _inner(key, item, {}, document)
            )
            if isinstance(item, dict):
                for inner, put in places(item, {}, document):
                    yield (
                        f"{name}.{inner}",
                        lambda text, put=put, key=key: {**value, key: put(text)},
                    )


def _shape(item: Any) -> Any:
    if isinstance(item, dict):
        return tuple(sorted((key, _shape(inner)) for key, inner in item.items()))
    return type(item).__name__


def _inside(body: dict[str, Any], name: str, put: Callable[[str], Any]) -> Callable[[str], Any]:
    kept = {key: value for key, value in body.items() if key not in INSTEAD.get(name, ())}
    return lambda text: {**copy.deepcopy(kept), name: put(text)}


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def plain(text: str, place: str = "") -> str:
    """Return text as it is kept: in NFC, trimmed; a path part by part, a key without colons."""
    field = place.rpartition(".")[2]
    if field in ("path", "dataset"):
        text = re.sub(r"\s*/\s*", "/", text)
    if field == "key":
        text = " ".join(text.replace(":", " ").split())
    return unicodedata.normalize("NFC", text).strip()


def values(answer: Any, field: str) -> Iterator[str]:
    """Yield what an answer holds under a field's name, wherever."""
    if isinstance(answer, dict):
        for name, value in answer.items():
            if name == field and isinstance(value, str):
                yield value
            yield from values(value, field)
    elif isinstance(answer, list):
        for item in answer:
            yield from values(item, field)


def named(message: str, place: str, fields: Iterable[str]) -> bool:
    """Return whether a refusal says which field it is about: this one, or one it does not fit."""
    told = {part for name in [place, *fields] for part in re.split(r"[._]", name)}
    words = {word.lower().rstrip("s") for word in told if not word.isdigit()}
    words |= {other for field, others in CALLED.items() if field in place for other in others}
    return any(word in message.lower() for word in words)
