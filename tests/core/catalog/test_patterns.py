"""Patterns that people declare are matched, and none of them can run away."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cid_server_ext.core.catalog import patterns
from cid_server_ext.errors import BadInput


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        (r"[A-Z]{2,3}-\d{4,6}(?:-\d+)?", "ABC-12345-7", True),
        (r"[A-Z]{2,3}-\d{4,6}(?:-\d+)?", "ABC-12345-", False),
        (r"(EXP|CTL)_\d+", "CTL_9", True),
        (r"\d{4}", "12345", False),
        (r"\d{4}", "1234\n", False),
        (r"\d+", "٣٤", False),
        (r"page [0-9]+", "page 12", True),
        (r".+", "x" * 201, False),
        (r"[^_]+_\d+_[a-z]+-.*\.tif", "HeLa_12_ab-c.d.tif", True),
    ],
)
def test_the_whole_text_has_to_fit(pattern: str, text: str, fits: bool) -> None:
    assert patterns.matches(patterns.read(pattern), text) is fits


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(a|a)*",
        "(?:a?){30}",
        "a*a*a*",
        r"\w+d\w+d\w+",
        r"[^_]+_?[^_]+.*",
        r"(?P<a>a)",
        "a?" * 30,
        "(?=a)",
        "(?i)a",
        r"(a)\1",
        "a{1000}",
        "a{2}{3}",
        "a**",
        "[",
        "(",
        ")",
        "^a$",
        "((((((a))))))",
        "a" * 201,
        "a{3,1}",
        "[z-a]",
        "[z-a]a",
        "[^]a]b",
        "[a||b]",
        "[a--z]",
        "[&&~~]",
    ],
)
def test_what_could_run_away_or_is_none_is_refused_by_the_fields_name(pattern: str) -> None:
    with pytest.raises(BadInput, match="pattern"):
        patterns.read(pattern)


@settings(max_examples=300, deadline=None)
@given(st.text("ab()|?*+{},123[]-.\\d:", max_size=40), st.text("ab1", max_size=200))
def test_no_pattern_that_is_taken_is_slow(pattern: str, text: str) -> None:
    try:
        patterns.read(pattern)
    except BadInput:
        return
    began = time.thread_time()
    patterns.matches(pattern, text)
    assert time.thread_time() - began < 2


def test_named_groups_are_read_where_they_are_asked_for() -> None:
    pattern = patterns.read(r"(?P<cell>[^_]+)(?:_(?P<well>[A-H]\d+))?\.tif", named=True)
    assert patterns.names(pattern) == ["cell", "well"]
    assert patterns.groups(pattern, "HeLa_B12.tif") == {"cell": "HeLa", "well": "B12"}
    assert patterns.groups(pattern, "HeLa.tif") == {"cell": "HeLa"}
    assert patterns.groups(pattern, "_.tif") is None
    with pytest.raises(BadInput, match="pattern"):
        patterns.read("(?P<a>x)(?P<a>y)", named=True)


def test_a_repeat_that_ends_at_a_certain_character_is_quick_whatever_stands_around_it() -> None:
    pattern = patterns.read(r".*[^_]+_[^-]+-\d+:.*", named=True)
    began = time.thread_time()
    assert not patterns.matches(pattern, "a_" * 60 + "b-" * 30 + "12:")
    assert time.thread_time() - began < 2
