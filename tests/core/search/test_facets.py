"""Facets and top tags: what they count is what the rows say, for whoever asks."""

from __future__ import annotations

from collections import Counter

import pytest
from compare_answers import SEED, WHO, questions
from odd_facility import PROJECTS, make
from search_oracle import Oracle
from sqlalchemy.orm import Session

from cid_server_ext.core.search import facets, find, parser
from cid_server_ext.core.search.words import fold
from cid_server_ext.errors import BadInput

TEXTS = ["", "project:alpha", "objective:hela", "kind:image snr>3", "-hela", "in:screen"]
DRAWN = [str(node) for _, node, _ in questions(make(SEED), range(20))]


def counted(session: Session, who: str, text: str, key: str) -> Counter[str]:
    (facet,) = facets.facets(session, WHO[who], find.Asked(text), [key])
    return Counter({fold(each.value): each.count for each in facet.values})


def expected(oracle: Oracle, who: str, text: str, key: str) -> Counter[str]:
    """Return how many tags of each folded value the answers have."""
    rest = facets.without(parser.parse(text), facets._key(key))
    found: Counter[str] = Counter()
    for record in oracle.ids(rest, who, find.ANY):
        for tag in oracle.tags.get(record, []):
            term = oracle.terms[tag["term_id"]]
            if tag["value_id"] and fold(term["key"]) == key:
                found[oracle.values[tag["value_id"]]["folded"]] += 1
    return found


@pytest.mark.usefixtures("ways")
@pytest.mark.parametrize("key", ["objective", "cell type", "protein"])
def test_values_are_counted_among_the_answers(session: Session, oracle: Oracle, key: str) -> None:
    wrong = []
    for who in WHO:
        for text in [*TEXTS, *DRAWN]:
            found, wanted = counted(session, who, text, key), expected(oracle, who, text, key)
            if found != wanted:
                wrong.append((who, text, found, wanted))
    assert wrong == []


@pytest.mark.parametrize("key", ["project", "dataset", "kind", "by", "month", "year"])
def test_what_every_record_has_is_counted_too(session: Session, oracle: Oracle, key: str) -> None:
    records = {row["id"]: row for row in oracle.records}
    for who in WHO:
        mine = oracle.mine(who)
        for text in TEXTS:
            rest = facets.without(parser.parse(text), facets._key(key))
            wanted: Counter[str] = Counter()
            for number in oracle.ids(rest, who, find.ANY):
                row = records[number]
                at = row["acquired_at"] or row["created_at"]
                places = [oracle.datasets[d] for d in oracle.inside[number]]
                values = {
                    "project": [PROJECTS[p - 1] for p in oracle.shown[number] & mine],
                    "dataset": [
                        f"{PROJECTS[d['project_id'] - 1]}/{d['path']}"
                        for d in places
                        if d["project_id"] in mine
                    ],
                    "kind": [row["kind"]],
                    "by": [row["created_by"]],
                    "month": [at.strftime("%Y-%m")],
                    "year": [at.strftime("%Y")],
                }
                wanted.update(values[key])
            (facet,) = facets.facets(session, WHO[who], find.Asked(text), [key])
            assert {each.value: each.count for each in facet.values} == dict(
                wanted.most_common(facets.MOST_VALUES)
            ), (who, text)


def test_a_facet_leaves_its_own_selection_out_and_keeps_the_others(session: Session) -> None:
    alone = counted(session, "chen", "kind:image", "objective")
    value = alone.most_common(1)[0][0]
    chosen = f'kind:image objective:"{value}"'
    assert counted(session, "chen", chosen, "objective") == alone
    assert sum(counted(session, "chen", chosen, "cell type").values()) < sum(
        counted(session, "chen", "kind:image", "cell type").values()
    )


@pytest.mark.parametrize("text", TEXTS)
def test_numbers_are_counted_in_bins_by_unit(session: Session, oracle: Oracle, text: str) -> None:
    (facet,) = facets.facets(session, WHO["chen"], find.Asked(text), ["depth"])
    answers = set(oracle.ids(parser.parse(text), "chen", find.ANY))
    for term in (row for row in oracle.terms.values() if row["key"] == "Depth"):
        numbers = [
            tag["number"]
            for record in answers
            for tag in oracle.tags.get(record, [])
            if tag["term_id"] == term["id"]
        ]
        spread = next((each for each in facet.numbers if each.unit == term["unit"]), None)
        if not numbers:
            assert spread is None
            continue
        assert spread is not None
        assert (spread.lowest, spread.highest) == (min(numbers), max(numbers))
        assert spread.count == sum(spread.bins) == len(numbers)
        below = (min(numbers) + max(numbers)) / 2
        half = sum(spread.bins[: facets.BINS // 2])
        assert half == sum(number < below for number in numbers)


def test_top_tags_count_a_record_once_that_two_projects_show(
    session: Session, oracle: Oracle
) -> None:
    for who in WHO:
        wanted: Counter[tuple[str, str]] = Counter()
        for record in oracle.ids(parser.parse(""), who, find.ANY) if who != "run" else []:
            for tag in oracle.tags.get(record, []):
                if tag["value_id"]:
                    value = oracle.values[tag["value_id"]]
                    wanted[oracle.terms[tag["term_id"]]["key"], value["text"]] += 1
        found = facets.top(session, WHO[who], 1000)
        numbers = [n for *_, n in found]
        assert numbers == sorted(numbers, reverse=True)
        merged: Counter[tuple[str, str]] = Counter()
        for key, value, n in found:
            merged[key, value] += n
        assert merged == wanted
        assert facets.top(session, WHO[who], 5) == found[:5]


@pytest.mark.parametrize("who", ["outsider", "ended"])
def test_whoever_is_no_member_is_told_no_value(session: Session, who: str) -> None:
    keys = ["objective", "depth", "project", "dataset", "kind", "by", "year"]
    for text in ["", "hela", 'objective:"hela"', "project:alpha", "-hela"]:
        found = facets.facets(session, WHO[who], find.Asked(text), keys)
        assert [(f.values, f.numbers) for f in found] == [([], [])] * len(keys)
        assert find.count(session, WHO[who], find.Asked(text)) == 0
    assert facets.top(session, WHO[who], 10) == []


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ([], "keys: 1 to 12 keys"),
        (["kind", "kind"], "keys: 1 to 12 keys, each once"),
        ([f"k{n}" for n in range(13)], "keys: 1 to 12 keys"),
        ([" "], "keys: ' ' is no key"),
    ],
)
def test_keys_that_make_no_sense_are_refused(session: Session, keys: list[str], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        facets.facets(session, WHO["anna"], find.Asked(), keys)


def test_a_key_that_nobody_knows_has_no_value(session: Session) -> None:
    (facet,) = facets.facets(session, WHO["staff"], find.Asked(), ["'; DROP TABLE tag"])
    assert (facet.values, facet.numbers) == ([], [])
