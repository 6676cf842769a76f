"""A notebook as clean HTML: what is too long is cut and said, what could act is left out."""

from __future__ import annotations

from typing import Any

import nbformat
from nbconvert import HTMLExporter

from . import clean

SHOWN = ("text/html", "text/markdown", "text/plain")
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/svg+xml")
MOST_TEXT = 100_000  # characters of one output
MOST_HTML = 300_000
MOST_OUTPUTS = 200  # of a cell
MOST_CELLS = 2_000
ONLY = {"tags", "name"}


def page(source: str) -> str:
    """Return the body of a page; ValueError for what is no notebook."""
    raw = nbformat.reads(source, as_version=4)
    raw.metadata = nbformat.from_dict({"language_info": {"name": "python"}})
    cut = len(raw.cells) - MOST_CELLS
    raw.cells = [_cell(cell) for cell in raw.cells[:MOST_CELLS]]
    if cut > 0:
        raw.cells.append(nbformat.v4.new_markdown_cell(f"*{cut} more cells are not shown.*"))
    # embed_images would read files of this machine into the page
    made, _ = HTMLExporter(template_name="basic", embed_images=False).from_notebook_node(raw)
    return clean.cleaned(made)


def _cell(cell: Any) -> Any:
    cell.metadata = nbformat.from_dict(
        {"tags": [tag for tag in cell.metadata.get("tags", []) if isinstance(tag, str)]}
    )
    cell.source = _cut(_text(cell.source), MOST_TEXT)
    if cell.cell_type == "code":
        cell.outputs = [out for o in cell.outputs[:MOST_OUTPUTS] if (out := _output(o)) is not None]
        return cell
    cell.pop("attachments", None)
    if cell.cell_type == "markdown":
        cell.source = clean.GONE.sub("", cell.source)
    return cell


def _output(output: Any) -> Any:
    kind = output.output_type
    if kind == "stream":
        output.text = _cut(_text(output.text), MOST_TEXT)
        return output
    if kind == "error":
        output.traceback = [_cut(_text(line), 5_000) for line in output.traceback[:100]]
        return output
    data = output.data
    kept: dict[str, str] = {}
    if picture := next((name for name in PICTURES if name in data), None):
        kept[picture] = _text(data[picture])
    elif "text/html" in data and len(_text(data["text/html"])) <= MOST_HTML:
        kept["text/html"] = clean.piece(_text(data["text/html"]))
    elif "text/markdown" in data:
        kept["text/markdown"] = clean.GONE.sub("", _cut(_text(data["text/markdown"]), MOST_TEXT))
    elif "text/plain" in data:
        kept["text/plain"] = _cut(_text(data["text/plain"]), MOST_TEXT)
    else:
        kept["text/plain"] = (
            f"[an output of type {', '.join(sorted(data))[:200]} is not shown here]"
        )
    return nbformat.v4.new_output("display_data", data=kept)


def _text(value: Any) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value)


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return f"{text[:most]}\n[{len(text) - most} more characters are not shown here]"
