"""A draft as files: the notebook, and the folder of a template that can be published."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import BadInput, Conflict
from .drafting import Draft

NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,62}[a-z0-9]")
TABLES = {
    "labels": "labels",
    "image": "images",
    "table": "tables",
    "figure": "figures",
    "file": "files",
    "metric": "metrics",
}


def notebook(draft: Draft, title: str, summary: str) -> str:
    """Return the notebook as nbformat JSON."""
    lines = [f"{one.name} = {one.default!r}{_why(one.help)}" for one in draft.parameters]
    imports = [line for line in draft.setup if line.startswith(("import ", "from "))]
    made = [line for line in draft.setup if line not in imports]
    begin = dict.fromkeys([*imports, "import cid_client as cid"])
    setup = "\n".join([*_sorted(begin), "", "run = cid.current_run()", *made])
    cells = [_cell("markdown", "\n\n".join(part for part in (f"# {title}", summary) if part))]
    cells.append(_cell("code", "\n".join(lines), tags=["parameters"]))
    cells += [_cell("code", source) for source in (setup, *draft.cells)]
    for number, cell in enumerate(cells, 1):
        cell["id"] = f"cell-{number}"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}
    return json.dumps(book, indent=1, ensure_ascii=False) + "\n"


def manifest(
    draft: Draft, name: str, title: str, summary: str, made: Sequence[tuple[str, str]]
) -> str:
    """Return template.toml."""
    if not NAME.fullmatch(name):
        raise BadInput(f"a template's name has small letters, digits and dashes; not {name!r}")
    about = {"name": name, "version": "1.0.0", "title": title, "summary": summary}
    parts = ["[template]", *_pairs(about)]
    for one in draft.parameters:
        parts += ["", f"[parameters.{one.name}]"]
        parts += _pairs({"type": one.type, "default": one.default, "help": one.help})
    image = draft.image
    lengths = dict(zip(image.axes, image.shape, strict=True))
    axes = "".join(axis for axis in "tzyx" if lengths.get(axis, 1) > 1 or axis in "yx")
    parts += ["", "[inputs]", *_pairs({"kind": image.kind, "axes": axes})]
    outputs: dict[str, Any] = {table: [] for table in TABLES.values()}
    for kind, called in [*made, *(("metric", metric) for metric in draft.metrics)]:
        outputs[TABLES[kind]].append(called)
    listed = {table: list(dict.fromkeys(names)) for table, names in outputs.items() if names}
    wide = {"labels_bytes_per_pixel": 8} if "images" in listed else {}
    parts += ["", "[outputs]", *_pairs(listed | wide)]
    return "\n".join(parts) + "\n"


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write the files of a template; Conflict where one is there with other content."""
    for name, text in files.items():
        if (folder / name).exists() and (folder / name).read_text("utf-8") != text:
            raise Conflict(f"{folder / name} is there already: choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def _cell(kind: str, source: str, tags: Sequence[str] = ()) -> dict[str, Any]:
    told: dict[str, Any] = {"tags": list(tags)} if tags else {}
    cell = {"cell_type": kind, "metadata": told, "source": source}
    return cell | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def _sorted(lines: Mapping[str, None]) -> list[str]:
    """Return imports in order, those of the client last."""
    return sorted(lines, key=lambda line: ("cid_client" in line, line.split()[1], line))


def _why(said: str) -> str:
    return f"  # {said}" if said else ""


def _pairs(values: Mapping[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        if value not in ("", None):
            yield f"{key} = {json.dumps(value, ensure_ascii=False)}"
