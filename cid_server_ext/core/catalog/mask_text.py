"""A mask as people write it: one YAML document of plain values, each with its line.

YAML 1.2's few plain types only: no, on and 2026-11-21 are texts. Aliases, tags and keys that stand
twice are refused, so no small text becomes a large one and nothing is lost unseen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml  # type: ignore[import-untyped]

from ...errors import BadInput

LONGEST = 65_536  # characters of a document
DEEPEST = 6  # levels
UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")  # escapes in quotes make them
Path = tuple[str | int, ...]
Lines = dict[Path, int]


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Reads true, false, null and numbers; all else is text."""

    yaml_implicit_resolvers: dict[str, Any] = {}


_TYPES = (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", "n~\0"),
    ("int", r"[-+]?(?:0|[1-9]\d{0,17})", "-+0123456789"),
    ("float", r"[-+]?(?:\d{1,18}\.\d{0,18}|\.\d{1,18})(?:[eE][-+]?\d{1,3})?", "-+0123456789."),
    ("float", r"[-+]?\d{1,18}[eE][-+]?\d{1,3}", "-+0123456789"),
)


class _Writer(yaml.SafeDumper):  # type: ignore[misc]
    """Writes lists below their keys, further in, and quotes what any reader takes for no text."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        """Indent lists too."""
        return super().increase_indent(flow, False)


for _name, _form, _firsts in _TYPES:
    for _either in (_Loader, _Writer):
        _either.add_implicit_resolver(
            f"tag:yaml.org,2002:{_name}",
            re.compile(f"^(?:{_form})$", re.ASCII),
            ["" if c == "\0" else c for c in _firsts],
        )


def read(text: str) -> tuple[Any, Lines]:
    """Return the value of a document and the line of each of its parts, or raise BadInput."""
    if len(text) > LONGEST:
        raise _wrong(None, f"a mask has at most {LONGEST} characters")
    try:
        for _ in _plain(text):
            pass
        node = yaml.compose(text, Loader=_Loader)
        if node is None:
            raise _wrong(None, "the document is empty")
        loader = _Loader("")
        lines: Lines = {}
        return _value(loader, node, (), lines), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _wrong(mark and mark.line + 1, _told(error)) from None
    except (yaml.YAMLError, ValueError) as error:
        raise _wrong(None, " ".join(str(error).split())[:200]) from None


def written(document: Mapping[str, Any]) -> str:
    """Return a document as text that reads back as the same."""
    return str(
        yaml.dump(
            dict(document),
            Dumper=_Writer,
            sort_keys=False,
            allow_unicode=True,
            width=10_000,
            default_flow_style=False,
        )
    )


def line(lines: Mapping[Path, int], where: Sequence[str | int]) -> int | None:
    """Return the line of a part, or of the nearest around it."""
    path = tuple(where)
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


def _plain(text: str) -> Iterator[None]:
    """Go through a document once before anything of it is built."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=_Loader):
        where = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise _wrong(where, "& and * (anchors, aliases) are not read: write it out")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise _wrong(where, f"nested deeper than {DEEPEST} levels")
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise _wrong(where, "one document only: a second one begins here")
        if getattr(event, "tag", None):
            raise _wrong(where, "tags, as !!python, are not read: write plain values")
        yield


def _value(loader: _Loader, node: Any, path: Path, lines: Lines) -> Any:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, one, (*path, n), lines) for n, one in enumerate(node.value)]
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            where = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise _wrong(where, "a key is a word")
            if UNFIT.search(key.value):
                raise _wrong(where, "control characters, or half of a surrogate pair")
            if key.value in found:
                raise _wrong(where, f"{key.value[:60]!r} stands twice", key.value[:60])
            found[key.value] = _value(loader, value, (*path, key.value), lines)
            lines[(*path, key.value)] = where
        return found
    if UNFIT.search(node.value):
        raise _wrong(lines[path], "control characters, or half of a surrogate pair")
    return loader.construct_object(node)


def _told(error: yaml.MarkedYAMLError) -> str:
    said = " ".join(str(part) for part in (error.problem, error.context) if part)
    return " ".join(said.split())[:200] or "this is no YAML"


def _wrong(line: int | None, message: str, field: str = "") -> BadInput:
    where = f"line {line}: " if line else ""
    told = {"field": field, "line": line, "file": "", "message": message}
    return BadInput(f"{where}{message}", [told])
