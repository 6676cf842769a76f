"""An executed notebook as a page: what it says is there, nothing in it acts or loads."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import nbformat
import pytest

from cid_server_ext.errors import BadFile
from cid_server_ext.rendering import child, clean, convert, notebooks

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n, that will do").decode()
SVG = "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(4)'><script>alert(5)</script></svg>"
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "<img src='https://elsewhere.example/track.png'>",
    "<a href='javascript:alert(3)'>click</a>",
    "<a href=' JaVa\tScript:alert(3)'>click</a>",
    "<a href='data:text/html,<script>alert(3)</script>'>click</a>",
    SVG,
    "<iframe src='https://elsewhere.example'></iframe><object data=x></object><embed src=x>",
    "<div style=\"background-color: url('https://elsewhere.example/x')\">a</div>",
    '<div style="color: u\\72l(https://elsewhere.example)">a</div>',
    "<style>@import 'https://elsewhere.example'</style><link rel=stylesheet href=x>",
    "<meta http-equiv=refresh content='0;url=https://elsewhere.example'><base href=//evil>",
    "<form action=https://elsewhere.example><input autofocus onfocus=alert(6)></form>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(7)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(8)>'>",
    "</div></div></main><script>alert(9)</script>",
    "<table background=https://elsewhere.example/x><tr><td onclick=alert(1)>17</td></tr></table>",
]
ACTS = ("<script", "<iframe", "<object", "<embed", "<svg", "<style", "<link", "<meta", "<base",
        "<form", "<input", "onerror=", "onload=", "onfocus=", "onclick=", "javascript:",
        "url(", "elsewhere.example", "data:text", "background=")  # fmt: skip


def notebook(*outputs: Any, text: str = "# Title") -> str:
    cells = [
        nbformat.v4.new_markdown_cell(text),
        nbformat.v4.new_code_cell("print('<b>so</b>')", execution_count=1, outputs=list(outputs)),
    ]
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells))


def shown(html: str) -> Any:
    return nbformat.v4.new_output("display_data", data={"text/html": html, "text/plain": "plain"})


@pytest.mark.parametrize("html", HOSTILE)
def test_nothing_of_it_acts(html: str) -> None:
    for made in (convert.page(notebook(shown(html))), convert.page(notebook(text=html))):
        tags = made.replace("&lt;", "").lower()
        assert [word for word in ACTS if word in tags] == []
        assert "so" in made


def test_what_it_says_is_there() -> None:
    outputs = [
        nbformat.v4.new_output("stream", text="\x1b[31mred\x1b[0m 1 < 2"),
        shown("<table><tr><th>area</th><td style='color: red'>17.5</td></tr></table>"),
        nbformat.v4.new_output("display_data", data={"image/png": PNG}),
        nbformat.v4.new_output("display_data", data={"image/svg+xml": SVG}),
        nbformat.v4.new_output("display_data", data={"application/javascript": "alert(1)"}),
        nbformat.v4.new_output("error", ename="E", evalue="v", traceback=["it broke"]),
    ]
    made = convert.page(notebook(*outputs, text="# Title\n[link](https://cochin.example)"))
    assert "Title" in made
    assert '<a href="https://cochin.example">link</a>' in made
    assert "1 &lt; 2" in made
    assert '<td style="color: red;">17.5</td>' in made
    assert f'src="data:image/png;base64,{PNG}"' in made
    assert f"data:image/svg+xml;base64,{base64.b64encode(SVG.encode()).decode()}" in made
    assert "application/javascript is not shown here" in made
    assert "alert(1)" not in made
    assert "it broke" in made


def test_files_of_the_machine_stay_where_they_are(tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(base64.b64decode(PNG))
    made = convert.page(notebook(text=f"![x]({secret}) ![y](file://{secret})"))
    assert "src=" not in made


def test_what_is_too_long_is_cut_and_said() -> None:
    made = convert.page(notebook(nbformat.v4.new_output("stream", text="x" * 150_000)))
    assert "50000 more characters are not shown here" in made
    long = shown(f"<p>{'y' * (convert.MOST_HTML + 1)}</p>")
    assert "plain" in convert.page(notebook(long))


def test_a_child_makes_the_page_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "executed.ipynb"
    path.write_text(notebook(shown("<b>kept</b>")))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    made = notebooks.page(path, digest)
    assert "<b>kept</b>" in made
    monkeypatch.setattr(notebooks, "_child", lambda path: pytest.fail("made again"))
    assert notebooks.page(path, digest) == made


@pytest.mark.parametrize("source", ["{}", "no notebook", "[" * 100_000])
def test_what_is_no_notebook_is_refused_by_name(tmp_path: Path, source: str) -> None:
    path = tmp_path / "executed.ipynb"
    path.write_text(source)
    with pytest.raises(BadFile, match="cannot be shown"):
        notebooks.page(path, hashlib.sha256(source.encode()).hexdigest())


def test_a_child_that_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notebooks, "SECONDS", 0.05)
    path = tmp_path / "executed.ipynb"
    path.write_text(notebook())
    with pytest.raises(BadFile, match="takes too long"):
        notebooks.page(path, "slow")


def test_bounds_are_of_the_child() -> None:
    assert child.SECONDS < notebooks.SECONDS
    assert clean.cleaned("<p>a<b>b") == "<p>a<b>b</b></p>"
