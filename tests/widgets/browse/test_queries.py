"""Chips and facets change a query as the catalog's own parser reads it."""

from __future__ import annotations

import pytest

from cid_server_ext.core.search import language as q
from cid_server_ext.core.search import parser
from cid_widgets.browse import queries
from cid_widgets.browse.queries import Key

STAINING = Key("Staining")
NASTY = ["HeLa", "anti tubulin", 'say "hi"', "a,b", "back\\", "OR", "x) OR (y", "-1..2", "ß*", "10"]
QUERIES = [
    "",
    "hela dapi",
    '"anti tubulin"* *plate_1* *"a b"*',
    "(a OR b) -kind:labels",
    "NOT has:staining AND snr:10..20",
    'snr>=10 acquired<2026 cell_type:hela,"A549 b"*,c "Cell type"="x y"',
    "a(b)c --d NOT -e",
]


def test_the_built_in_keys_are_the_catalogs() -> None:
    assert {*q.CORE, q.HAS} == queries.CORE


@pytest.mark.parametrize("query", QUERIES)
def test_apart_and_together_ask_the_same(query: str) -> None:
    found = queries.apart(query)
    assert found is not None
    assert parser.parse(queries.together(found)) == parser.parse(query)


@pytest.mark.parametrize("query", ["a OR b", "a:1 OR (b c)", 'a "', "a:", "(a", "a)", "b:,", ">3"])
def test_what_cannot_be_taken_apart_stays_in_one_piece(query: str) -> None:
    assert queries.apart(query) is None
    assert queries.choose(query, STAINING, "DAPI") == f'({query}) Staining:"DAPI"'
    assert queries.without(query, "a") == query


@pytest.mark.parametrize("key", ["Staining", "Cell type", "kind", "Tube/Detector", 'a"b', "OR"])
@pytest.mark.parametrize("value", NASTY)
def test_a_chosen_value_is_whole_whatever_it_is(key: str, value: str) -> None:
    query = queries.choose("hela", Key(key), value)
    wanted = q.Is(q.Key(q.tag_key(key)), (q.Text(value, whole=True),))
    assert parser.parse(query) == q.all_of(q.Words(q.Text("hela")), wanted)
    assert queries.chosen(query, Key(key)) == {queries.fold(value): value}
    assert queries.choose(query, Key(key), value, on=False) == "hela"


def test_values_of_one_key_are_alternatives() -> None:
    query = queries.choose(queries.choose("snr>3", STAINING, "DAPI"), STAINING, "GFP")
    assert query == 'snr>3 Staining:"DAPI","GFP"'
    assert queries.choose(query, STAINING, "dapi", on=False) == 'snr>3 Staining:"GFP"'
    assert queries.choose("staining:da a", STAINING, "GFP") == 'staining:da,"GFP" a'
    assert queries.choose("-staining:da", STAINING, "GFP") == '-staining:da Staining:"GFP"'


def test_a_key_is_the_same_however_it_is_written() -> None:
    for query in ('cell_type:"HeLa"', '"CELL  type":hela', "Cell_Type=HELA"):
        assert set(queries.chosen(query, Key("Cell type"))) == {"hela"}
    assert set(queries.chosen('kind:labels "kind":widefield', Key("kind"))) == {"widefield"}
    assert set(queries.chosen('kind:labels "kind":widefield', Key("kind", core=True))) == {"labels"}


def test_built_in_values_are_written_plainly() -> None:
    assert queries.choose("", Key("date", core=True), "2026") == "date:2026"
    assert queries.choose("by:ana", Key("by", core=True), "b c") == 'by:ana,"b c"'


def test_a_range_takes_the_place_of_the_one_before() -> None:
    key = Key("SNR")
    query = queries.between("hela snr>3", key, "-10", "20.5")
    assert query == "hela SNR:-10..20.5"
    assert parser.parse(query) is not None
    assert queries.span(query, key) == ("-10", "20.5")
    assert queries.between(query, key, low="5") == "hela SNR>=5"
    assert queries.between(query, key, high="5") == "hela SNR<=5"
    assert queries.between(query, key) == "hela"
    assert queries.span("snr>=10ms snr<20ms", key) == ("10ms", "20ms")
    quoted = queries.between("", Key("Tube/Detector"), "1", "2")
    assert queries.span(quoted, Key("tube/detector")) == ("1", "2")


def test_chips_say_it_as_a_person_would() -> None:
    query = 'cell_type:"HeLa",A549 snr>=10 -"Cell  line":x size<1GB snr:1..2 has:dose -has:a_b hi'
    assert [term.label for term in queries.apart(query) or []] == [
        "cell type: HeLa or A549",
        "snr ≥ 10",
        "not Cell line: x",
        "size < 1GB",
        "snr: 1 to 2",
        "with dose",
        "without a b",
        "hi",
    ]
    assert queries.without("a:1 b a:1", "a:1") == "b a:1"


def test_queries_are_joined_as_and() -> None:
    assert queries.joined("a OR b", 'in:"x y"', "") == '(a OR b) in:"x y"'
    assert queries.joined("", "kind:labels") == "kind:labels"
