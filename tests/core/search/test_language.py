"""The query language: what it reads, what it refuses and where, and its one canonical text."""

from __future__ import annotations

import datetime as dt
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cid_server_ext.core.search import language as q
from cid_server_ext.core.search import parser
from cid_server_ext.core.search.words import fold, tokens
from cid_server_ext.errors import BadInput

CELL = q.Key("cell type")
NAME, IN = q.Key("name", True), q.Key("in", True)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("", q.EVERYTHING),
        ("hela", q.Words(q.Text("hela"))),
        ("hel*", q.Words(q.Text("hel"))),
        ('"two words"', q.Words(q.Text("two words", True))),
        ('"two wor"*', q.Words(q.Text("two wor"))),
        ("*part*", q.Is(NAME, (q.Text("part"),))),
        ('*"a part"*', q.Is(NAME, (q.Text("a part"),))),
        ("%", q.Is(NAME, (q.Text("%"),))),
        ("cell_type:hela", q.Is(CELL, (q.Text("hela"),))),
        ('"Cell type":hela,"HeLa S3"', q.Is(CELL, (q.Text("hela"), q.Text("HeLa S3", True)))),
        ("cell_type=hela", q.Is(CELL, (q.Text("hela", True),))),
        ("has:cell_type", q.Has(CELL)),
        ('"name":x', q.Is(q.Key("name"), (q.Text("x"),))),
        ("name:x", q.Is(NAME, (q.Text("x"),))),
        ('in:"screen/plate 1"', q.Is(IN, (q.Text("screen/plate 1"),))),
        ("in=screen", q.Is(IN, (q.Text("screen", True),))),
        ("snr>10", q.Between(q.Key("snr"), q.Amount(10.0), low_in=False)),
        ("snr<=-1.5", q.Between(q.Key("snr"), None, q.Amount(-1.5))),
        ("snr:10..20", q.Between(q.Key("snr"), q.Amount(10.0), q.Amount(20.0))),
        ("exposure:..2s", q.Between(q.Key("exposure"), None, q.Amount(2.0, "s"))),
        ('exposure>"5 ms"', q.Between(q.Key("exposure"), q.Amount(5.0, "ms"), low_in=False)),
        ("created>7d", q.Between(q.Key("created", True), q.Amount(7.0, "d"), low_in=False)),
        ("created:7d", q.Between(q.Key("created", True), q.Amount(7.0, "d"))),
        (
            "acquired:2026-03..2026-06",
            q.Between(q.Key("acquired", True), q.Day("2026-03"), q.Day("2026-06")),
        ),
        ("size>1GB", q.Between(q.Key("size", True), q.Amount(1.0, "GB"), low_in=False)),
        ("-a", q.Not(q.Words(q.Text("a")))),
        ("NOT NOT a", q.Words(q.Text("a"))),
        ("a AND b", q.All((q.Words(q.Text("a")), q.Words(q.Text("b"))))),
        ("doi:10.1/x:y", q.Is(q.Key("doi"), (q.Text("10.1/x:y"),))),
    ],
)
def test_a_query_is_read_as_it_is_meant(text: str, asked: q.Node) -> None:
    assert parser.parse(text) == asked


def test_or_binds_less_than_and_and_parentheses_more() -> None:
    a, b, c = (q.Words(q.Text(name)) for name in "abc")
    assert parser.parse("a b OR c") == q.Any((q.All((a, b)), c))
    assert parser.parse("a (b OR c)") == q.All((a, q.Any((b, c))))
    assert parser.parse("-(b OR c) or") == q.All((q.Not(q.Any((b, c))), q.Words(q.Text("or"))))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('say "hello', "q: a quote that is not closed at 5"),
        ("a (b", "q: '(' without ')' at 3"),
        ("a) b", "q: ')' without '(' at 2"),
        ("()", "q: nothing before ')' at 2"),
        ("a OR", "q: nothing to look for at 5"),
        ("-", "q: nothing after '-' at 1"),
        ("a AND", "q: nothing after AND at 6"),
        ("snr>", "q: nothing after 'snr>' at 1"),
        ("key: b", "q: nothing after 'key:' at 1"),
        ("snr>high", "q: 'high' after 'snr>': no number, date or age at 1"),
        ("size>5um", "q: size is a number in B, not 5um at 1"),
        ("created>5", "q: created is compared with a date or an age, not 5 at 1"),
        ("kind>image", "q: 'kind>': kind cannot be compared at 1"),
        ("kind:picture", "q: kind 'picture': one of image, labels"),
        ("snr>5foo", "q: unit 'foo' is not known"),
        ("acquired>2026-02-30", "q: '2026-02-30' is not in the calendar at 1"),
        ("<img", "q: '<' where a word or a key is expected at 1"),
        ("a\x00b", "q: the character U+0000 at 2 cannot be looked for"),
        ("\ud800", "q: the character U+D800 at 1 cannot be looked for"),
        ('"":x', "q: a key without a name at 1"),
        ("**", "q: '' has nothing to look for at 1"),
        ("x" * 2001, "q: a query has at most 2000 characters"),
        (" ".join(["x"] * 65), "q: more than 64 terms"),
        (" ".join(["tag"] * 10_000), "q: a query has at most 2000 characters"),
        ("(" * 9 + "a" + ")" * 9, "q: more than 8 parentheses inside each other at 9"),
        ("-" * 500 + "a", "q: more than 8 parentheses or negations"),
        ("k:" + ",".join(["v"] * 65), "q: more than 64 values after 'k:'"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        parser.parse(text)
    assert str(refused.value).startswith(said)


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).filter(
    lambda text: bool(fold(text))
)
WORDS = TEXTS.filter(lambda text: bool(tokens(text)))
KEYS = TEXTS.map(q.tag_key).filter(bool).map(q.Key)
AMOUNTS = st.builds(
    q.Amount,
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from(["", "um", "µm", "mg/mL", "d", "ms", "%", "m*s^-1"]),
)
DATES = st.dates(min_value=dt.date(1000, 1, 1), max_value=dt.date(2998, 1, 1))
DAYS = DATES.map(lambda day: q.Day(day.isoformat()))
ENDS = AMOUNTS | DAYS
VALUES = st.lists(st.builds(q.Text, TEXTS, st.booleans()), min_size=1, max_size=3).map(tuple)
LEAVES = st.one_of(
    st.builds(q.Words, st.builds(q.Text, WORDS, st.booleans())),
    st.builds(q.Is, KEYS, VALUES),
    st.builds(q.Is, st.just(NAME), VALUES),
    st.builds(lambda text, whole: q.Is(IN, (q.Text(text, whole),)), TEXTS, st.booleans()),
    st.builds(lambda text: q.Is(q.Key("by", True), (q.Text(text, True),)), TEXTS),
    st.builds(q.Has, KEYS),
    st.builds(q.Between, KEYS, ENDS, ENDS),
    st.builds(
        lambda key, end, closed: q.Between(key, end, low_in=closed), KEYS, ENDS, st.booleans()
    ),
    st.builds(
        lambda key, end, closed: q.Between(key, None, end, high_in=closed),
        KEYS,
        ENDS,
        st.booleans(),
    ),
)
QUERIES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda nodes: q.all_of(*nodes)),
        st.lists(inner, min_size=2, max_size=3).map(lambda nodes: q.any_of(*nodes)),
        inner.map(q.no),
    ),
    max_leaves=6,
)


@settings(max_examples=500, deadline=None)
@given(QUERIES)
def test_the_canonical_text_is_read_as_the_same_query(asked: q.Node) -> None:
    text = str(asked)
    if len(text) <= parser.LONGEST:
        assert parser.parse(text) == asked
        assert str(parser.parse(text)) == text


PIECES = [*'ab"():=<>,*-.\\% _#é', "OR ", "NOT ", "1um", "in:", "2026-01", ".."]
ANYTHING = st.lists(st.sampled_from(PIECES) | st.characters(), max_size=20).map("".join)


@settings(max_examples=1000, deadline=None)
@given(ANYTHING)
def test_any_text_is_a_query_or_a_mistake_that_is_named(text: str) -> None:
    asked, refused = None, ""
    try:
        asked = parser.parse(text)
    except BadInput as error:
        refused = str(error)
    if asked is None:
        assert refused.startswith("q: ")
    else:
        assert parser.parse(str(asked)) == asked


def test_every_word_of_ascii_is_found_by_its_beginnings_only() -> None:
    assert tokens("A-b_c 日本 x1é") == ["a", "b", "c", "U65e5zU672cz", "x1e"]
    for letter in string.ascii_lowercase:
        assert not tokens("日")[0].startswith(tokens(letter)[0])
