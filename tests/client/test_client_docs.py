"""The snippets of docs/user/notebook.md run, in their order, in one kernel."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path

import matplotlib
import pandas as pd
import pytest
from stored_things import look, store
from tiny_catalog import TOKEN, Tiny

import cid_client as cid

PAGE = Path(__file__).parents[2] / "docs" / "user" / "notebook.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def furnished(cell: cid.Image, tiny: Tiny) -> Tiny:
    original = b"as it came"
    (tiny.folder / "cell" / "cell.tif").write_bytes(original)
    digest = hashlib.sha256(original).hexdigest()
    tiny.images["cell"]["original"] = {"uid": "o", "name": "cell.tif", "sha256": digest}
    parquet = io.BytesIO()
    pd.DataFrame({"label": [1]}).to_parquet(parquet)
    files = [store(tiny, "f1", "objects.parquet", "table", parquet.getvalue())]
    notebook = store(tiny, "f2", "run.ipynb", "notebook", b"{}")
    outputs = {"images": [{"uid": "cell", "name": "cell", "kind": "labels"}], "files": files}
    end = look("r1", "done", outputs=outputs, notebook=notebook, metrics={"objects": 1})
    tiny.runs = {"r1": [look("r1", "queued"), end]}
    tiny.import_states = [{"state": "done", "images": ["cell"]}]
    return tiny


def test_every_snippet_runs(
    furnished: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    matplotlib.use("agg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CID_URL", furnished.url)
    monkeypatch.setenv("CID_TOKEN", TOKEN)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "cell.tif").write_bytes(b"II*\x00")
    kernel: dict[str, object] = {}
    assert len(SNIPPETS) > 5
    for snippet in SNIPPETS:
        exec(compile(snippet, PAGE.name, "exec"), kernel)
    kernel["catalog"].close()
    matplotlib.pyplot.close("all")
    assert (tmp_path / "records" / "run.ipynb").is_file()
    assert (tmp_path / "originals" / "cell.tif").read_bytes() == b"as it came"


def test_every_error_is_named() -> None:
    text = PAGE.read_text(encoding="utf-8")
    ours = [n for n in cid.__all__ if isinstance(getattr(cid, n), type)]
    errors = [n for n in ours if issubclass(getattr(cid, n), cid.CidError)]
    assert [name for name in errors if name not in text] == []
