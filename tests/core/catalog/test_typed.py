"""Values are read strictly and kept in one form."""

from __future__ import annotations

import pytest

from cid_server_ext.core.catalog import typed
from cid_server_ext.db.tables import Term
from cid_server_ext.errors import BadInput


def term(type: str, **more) -> Term:
    plain = {"key": "it", "type": type, "unit": "", "scheme": "", "pattern": ""}
    return Term(**plain | more)


SIZE = term("number", unit="um")
DAY = term("date")


@pytest.mark.parametrize(
    ("given", "number", "text"),
    [
        ("250 nm", 0.25, "0.25"),
        ("0.25um", 0.25, "0.25"),
        ("0,25", 0.25, "0.25"),
        ("−5", -5.0, "-5"),
        (63, 63.0, "63"),
        (1e-9, 1e-9, "1e-09"),
        ("-0", 0.0, "0"),
    ],
)
def test_a_number_is_kept_in_the_terms_unit(given, number, text) -> None:
    assert typed.read(SIZE, given) == typed.Typed(text, number)


@pytest.mark.parametrize(
    "given", ["", "abc", "nan", "inf", "1e999", True, float("inf"), 10**400, "3 s", "1,234", "٣"]
)
def test_what_is_no_number_of_this_unit_is_refused_by_the_terms_name(given) -> None:
    with pytest.raises(BadInput, match="value of 'it'"):
        typed.read(SIZE, given)


@pytest.mark.parametrize(
    ("given", "text", "seconds"),
    [
        ("1970-01-02", "1970-01-02", 86400),
        ("1970-01-01T01:00:00+01:00", "1970-01-01T00:00:00Z", 0),
        ("1970-01-01 00:01", "1970-01-01T00:01:00Z", 60),
        ("1970-01-01T00:00:00.5Z", "1970-01-01T00:00:00.500000Z", 0.5),
    ],
)
def test_a_date_is_kept_as_iso_text_and_seconds_utc(given, text, seconds) -> None:
    assert typed.read(DAY, given) == typed.Typed(text, seconds)


@pytest.mark.parametrize(
    "given",
    ["21/11/2026", "2026-13-01", "yesterday", 5, "0001-01-01T00:00+14:00", "２０２６-01-01"],
)
def test_what_is_no_date_is_refused(given) -> None:
    with pytest.raises(BadInput, match="a date like 2026-11-21"):
        typed.read(DAY, given)


@pytest.mark.parametrize(
    "hostile",
    ["'; DROP TABLE tag; --", "100%", "a_b", "\\", "NEAR(x y)", "!:*", "<img src=x onerror=a()>"],
)
def test_a_text_that_looks_like_code_is_kept_as_it_is(hostile: str) -> None:
    assert typed.read(term("text"), hostile).text == hostile


@pytest.mark.parametrize(
    "hidden",
    ["a\x00b", "a\u202eb", "a\nb", "\ud800", "   ", "a\u200bb", "GFP\ufe0f", "\u3164", "x" * 401],
)
def test_what_nobody_can_see_is_refused(hidden: str) -> None:
    with pytest.raises(BadInput, match="value of 'it'"):
        typed.read(term("text"), hidden)


def test_two_ways_to_write_an_accent_are_one_and_spaces_are_plain() -> None:
    assert typed.read(term("text"), "e\u0301tude\u00a05 ").text == "étude 5"


@pytest.mark.parametrize(
    ("scheme", "given", "kept"),
    [
        ("orcid", "https://orcid.org/0000-0002-1825-0097", "0000-0002-1825-0097"),
        ("orcid", "0000-0002-1694-233x", "0000-0002-1694-233X"),
        ("rrid", "AB_2298772", "RRID:AB_2298772"),
        ("doi", "doi:10.1000/182", "10.1000/182"),
        ("url", "https://facility.example/book?id=3", "https://facility.example/book?id=3"),
    ],
)
def test_an_identifier_is_kept_in_the_form_of_its_scheme(scheme, given, kept) -> None:
    assert typed.read(term("id", scheme=scheme), given).text == kept


@pytest.mark.parametrize(
    ("scheme", "given"),
    [
        ("orcid", "0000-0002-1825-0098"),
        ("orcid", "0000-0002-1825"),
        ("rrid", "AB 22"),
        ("rrid", "AB_" + "2" * 397),
        ("doi", "11.5/x"),
        ("url", "javascript:alert(1)"),
        ("url", "ftp://host/x"),
        ("url", "https://user@host/"),
        ("url", "https://host:port/"),
        ("url", "http://[::1"),
    ],
)
def test_an_identifier_that_is_none_is_refused(scheme: str, given: str) -> None:
    with pytest.raises(BadInput, match="value of 'it'"):
        typed.read(term("id", scheme=scheme), given)


def test_a_facilitys_identifier_has_the_form_of_its_pattern() -> None:
    booking = term("id", scheme="own", pattern=r"[A-Z]{2}-\d{4}")
    assert typed.read(booking, "OI-1234").text == "OI-1234"
    with pytest.raises(BadInput, match="does not have the form"):
        typed.read(booking, "OI-12345")


@pytest.mark.parametrize("iri", ["javascript:alert(1)", "data:x", "no colon", "CLO:00 1", "//x"])
def test_the_iri_of_a_concept_is_an_address_or_a_curie(iri: str) -> None:
    organ = term("ontology")
    assert typed.read(organ, {"label": "HeLa", "iri": "CLO:0003684"}).iri == "CLO:0003684"
    assert typed.read(organ, "HeLa <http://purl.example/CLO_1>").iri == "http://purl.example/CLO_1"
    with pytest.raises(BadInput, match="value of 'it'"):
        typed.read(organ, {"label": "HeLa", "iri": iri})


def test_what_a_file_says_is_kept_even_where_the_vocabulary_does_not_allow_it() -> None:
    assert typed.as_told(DAY, "last Tuesday") == typed.Typed("last Tuesday")
    assert typed.as_told(SIZE, "12 parsecs\x00").number is None
    assert typed.as_told(DAY, "2026-11-21").number is not None
