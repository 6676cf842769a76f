"""The pages of docs/ say what the code does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from cid_server_ext.core.templates import manifest
from cid_server_ext.handlers.routes import operations

DOCS = Path(__file__).parent.parent / "docs"


def test_the_template_shown_to_staff_is_a_valid_one() -> None:
    page = (DOCS / "staff" / "templates.md").read_text(encoding="utf-8")
    shown, truth = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    read = manifest.read(tomllib.loads(shown + truth))
    assert read.parameters["sigma"].default == 1.5
    assert read.truth[0].objects == 40


def test_every_operation_is_in_the_table_with_who_may() -> None:
    page = (DOCS / "developer" / "api.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([A-Z, ]+) ([^|]+?) \| ([^|]+?) \|", page, re.MULTILINE)
    told = {
        (method.strip(), path.strip())
        for methods, paths, _ in rows
        for method in methods.split(",")
        for path in paths.split(", ")
    }
    served = {(o.method, o.path) for o in operations()}
    assert told == served


def test_no_page_names_a_machine_or_a_registry() -> None:
    pages = [*DOCS.rglob("*.md"), DOCS.parent / "README.md", DOCS.parent / "CHANGELOG.md"]
    assert len(pages) > 8
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"/work/|/root/|pypi\.org|registry\.npmjs", text), page
