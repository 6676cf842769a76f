"""Identifiers and concepts lead to an address, and only to the one that was meant."""

from __future__ import annotations

import pytest

from cid_server_ext.core.catalog import schemes
from cid_server_ext.errors import BadInput


@pytest.mark.parametrize(
    ("scheme", "template", "text", "address"),
    [
        ("orcid", "", "0000-0002-1825-0097", "https://orcid.org/0000-0002-1825-0097"),
        ("rrid", "", "RRID:AB_1", "https://scicrunch.org/resolver/RRID:AB_1"),
        ("doi", "", "10.1000/a b", "https://doi.org/10.1000/a%20b"),
        ("url", "", "https://x.example/1", "https://x.example/1"),
        ("own", "https://book.example/r/{id}", "../a?b#c", "https://book.example/r/..%2Fa%3Fb%23c"),
        ("own", "", "17", ""),
    ],
)
def test_an_identifier_has_an_address(scheme, template, text, address) -> None:
    assert schemes.address(scheme, template, text) == address


@pytest.mark.parametrize(
    "template",
    [
        "javascript:alert('{id}')",
        "https://{id}.example/",
        "https://book.example/",
        "https://book.example/{id}/{id}",
        "https://book.example/{id}{other}",
        "https://book.example/{id} onclick=",
        "https://book.example/{id}" + "x" * 200,
    ],
)
def test_a_links_template_is_an_address_with_the_identifier_after_the_host(template) -> None:
    with pytest.raises(BadInput, match="link"):
        schemes.template(template, "link:")


def test_a_curie_is_resolved_and_an_address_is_itself() -> None:
    assert schemes.concept("CLO:0003684") == "https://identifiers.org/CLO:0003684"
    assert schemes.concept("https://x.example/1") == "https://x.example/1"
    assert schemes.concept("") == ""
