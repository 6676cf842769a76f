"""XML of foreign files: read without entities, bounded, its values kept by their place."""

from __future__ import annotations

import pytest

from cid_server_ext.errors import BadFile
from cid_server_ext.storage.readers import xmltext


def test_every_value_is_kept_by_its_place() -> None:
    root = xmltext.parse('<a v="1"><b w="2">text</b><b w="3"/><c><d e="4"/></c></a>', "header")
    assert xmltext.flat(root) == {
        "v": "1",
        "b[1]": "text",
        "b[1]/w": "2",
        "b[2]/w": "3",
        "c/d/e": "4",
    }


def test_names_lose_their_prefix() -> None:
    root = xmltext.parse('<p:a xmlns:p="x"><p:b/></p:a>', "header")
    assert (root.tag, root[0].tag) == ("a", "b")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "entities"),
        ("<!DOCTYPE a SYSTEM 'http://127.0.0.1/x'><a/>", "entities"),
        ("<a>" * 200 + "</a>" * 200, "nested deeper"),
        ("<a><b></a>", "damaged"),
        ("", "damaged"),
    ],
)
def test_what_no_microscope_writes_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BadFile, match=reason):
        xmltext.parse(text, "header")


def test_the_size_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(xmltext, "LARGEST", 10)
    with pytest.raises(BadFile, match="larger"):
        xmltext.parse("<a>0123456789</a>", "header")


def test_the_number_of_values_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr(xmltext, "MOST_NOTES", 5)
    root = xmltext.parse("<a>" + '<b c="1"/>' * 50 + "</a>", "header")
    assert len(xmltext.flat(root)) == 5
