"""docs/user/search.md shows queries that work, and all keys."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from compare_answers import WHO
from sqlalchemy.orm import Session

from cid_server_ext.core.search import find, parser, resolve
from cid_server_ext.core.search import language as q

PAGE = (Path(__file__).parents[3] / "docs/user/search.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```query\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = [line for block in BLOCKS for line in block.splitlines()]


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_is_a_query_that_runs(session: Session, text: str) -> None:
    asked = parser.parse(text)
    assert parser.parse(str(asked)) == asked
    for who in ("chen", "staff"):
        found = find.find(session, WHO[who], find.Asked(text, limit=200))
        assert len(found.ids) == min(200, find.count(session, WHO[who], find.Asked(text)))


def test_the_page_lists_the_built_in_keys_as_they_are() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \|$", PAGE, re.MULTILINE)
    assert {key: (kind, means) for key, kind, means in rows} == q.CORE
    assert len(EXAMPLES) > 30


def test_the_page_names_the_limits() -> None:
    assert f"{parser.LONGEST} characters, {parser.MOST} terms" in PAGE
    assert f"{parser.DEEPEST} parentheses" in PAGE
    assert f"at most {resolve.DEEPEST} deep" in PAGE
    assert f"opens at most {resolve.MOST_LIVE} of them" in PAGE
