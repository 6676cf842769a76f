from __future__ import annotations

from types import SimpleNamespace

import pretend_past
import pytest
from pretend import Refused
from stage import heard

from cid_server_ext.core.life import undo
from cid_widgets import History
from cid_widgets.history import past, sentences

pytestmark = pytest.mark.usefixtures("bundle")


@pytest.fixture
def catalog() -> pretend_past.Past:
    return pretend_past.filled()


def told(history: History) -> list[str]:
    return [f"{one['person']} {''.join(one['words'])}" for one in history.entries]


def test_each_change_is_a_sentence(catalog: pretend_past.Past) -> None:
    history = History(catalog, "demo")
    assert told(history)[:-4] == [
        "mia took back: ben threw dataset screen/old away (40 records, 9.0 GB)",
        "ben threw dataset screen/old away (40 records, 9.0 GB)",
        "mia renamed cell to nuclei A04",
        "mia moved 12 records to screen/plate 2",
        "ben tagged 8 records: Cell type, Passage",
        f"ben wrote a note about nuclei A03: “out of focus {pretend_past.HOSTILE}”",
        "ben tagged nuclei A03 with Staining: DAPI; GFP",
    ]
    assert told(history)[-4:] == [
        "mia added 8 images (3.0 GB)",
        "mia made dataset screen/plate 1",
        "mia made ben annotator until 2027-01-31",
        "staff made the project",
    ]
    thrown, renamed, came = history.entries[1], history.entries[2], history.entries[7]
    assert (thrown["undone"]["person"], thrown["undoable"]) == ("mia", False)
    assert renamed["words"][1::2] == ["cell", "nuclei A04"]
    assert [one["uid"] for one in renamed["images"]] == ["i3"]
    assert (len(came["images"]), came["more"]) == (5, 3)
    assert history.people == ["ben", "mia", "staff"]
    assert len([asked for asked in catalog.asked if asked[0] == "records"]) == 1


def test_every_action_that_can_be_undone_has_words() -> None:
    assert set(undo.UNDOABLE) - set(sentences.SAYS) <= {"put team member", "remove team member"}
    known = {action for actions in sentences.KINDS.values() for action in actions}
    assert known <= set(sentences.SAYS)


@pytest.mark.parametrize(
    ("action", "detail", "said"),
    [
        ("move", {"to": "b", "from": ["a"], "records": 1}, "moved an image from a to b"),
        ("move", {"to": "", "records": 1200, "project": "p"}, "moved 1 200 records to the pro"),
        ("move dataset", {"from": "a/b", "to": "a/c"}, "renamed dataset a/b to a/c"),
        ("move dataset", {"from": "a/b", "to": "c/b"}, "moved dataset a/b to c/b"),
        ("create dataset", {"path": "a", "query": "x"}, "made the live dataset a"),
        ("restore", {"what": "cell"}, "brought cell back"),
        ("purge", {"what": "cell", "bytes": 2500}, "removed cell for good (2.5 kB given back)"),
        ("run failed", {"error": {"message": "no foreground"}}, "had a run fail: no foreground"),
        ("commit deposit", {"images": ["a"], "files": ["b", "c"]}, "added 1 image and 1 file"),
        ("undo", {"action": "rename", "entry": 1}, "took back: rename"),
        ("apply settings", {"keys": ["Lasers", "Gain"]}, "filled Lasers, Gain of an image from"),
        ("record control", {"metrics": "Power"}, "recorded quality control of an image: Power"),
        ("measure quality", {"images": 2, "version": 2}, "measured the quality of 2 images again"),
        ("damage found", {"faults": [{"reason": "3 bytes"}]}, "found damage in an image: 3 bytes"),
        (
            "change subscription",
            {"runs": 9, "parameters": {"sigma": 3}, "template": "blur", "search": "new"},
            "changed the budget and the values of blur on new: from then on sigma 3",
        ),
        ("of another release", {}, "of another release: an image"),
        ("tag", {"key": "K", "value": "x" * 300}, "tagged an image with K: xxx"),
    ],
)
def test_sentences(action: str, detail: dict[str, object], said: str) -> None:
    entry = {"action": action, "subject": "image:u", "detail": detail}
    text = "".join(sentences.sentence(entry)).replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert text.startswith(said)
    assert len(text) < 200


def test_an_instrument_is_called_as_it_was_called_then() -> None:
    said = [
        "".join(sentences.sentence({"action": action, "subject": "instrument:u", "detail": told}))
        for action, told in [
            ("change instrument", {"name": {"from": "LSM 1", "to": "LSM 2"}}),
            ("update instrument", {"name": "LSM 2", "valid_from": "2026-02-03T00:00:00"}),
        ]
    ]
    assert said == [
        "changed LSM 2 in the register",
        "said what LSM 2 is made of from 2026-02-03 on",
    ]


def test_one_person_or_one_kind(catalog: pretend_past.Past) -> None:
    history = History(catalog, "demo")
    history.person = "ben"
    assert {one["person"] for one in history.entries} == {"ben"}
    assert history.people == ["ben", "mia", "staff"]
    history.kind = "trash"
    assert [one["undone"]["person"] for one in history.entries] == ["mia"]
    history.person = ""
    assert told(history)[0].startswith("mia took back: ben threw")
    history.kind = "vocabulary"
    assert (history.entries, history.more) == ([], False)


def test_one_thing_has_its_whole_history(catalog: pretend_past.Past) -> None:
    image = SimpleNamespace(subject="image:i2", record={"name": "nuclei A03"})
    history = History(catalog, about=image)
    assert [one["words"][0].split()[0] for one in history.entries] == ["wrote", "tagged", "added"]
    assert (history.about, history.name) == ("image:i2", "nuclei A03")


def test_older_ones_come_page_by_page(
    catalog: pretend_past.Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "PAGE", 4)
    monkeypatch.setattr(past, "ASKED", 3)
    monkeypatch.setattr("cid_widgets.history.history.ASKED", 3)
    history = History(catalog, "demo")
    seen = [one["entry"] for one in history.entries]
    assert history.more
    answers: list[dict[str, object]] = []
    monkeypatch.setattr(
        history, "tell", lambda what, **rest: answers.append(rest) if rest else None
    )
    while not answers or answers[-1]["more"]:
        heard(history, method="custom", content={"ask": "more", "found": history.found})
        seen += [one["entry"] for one in answers[-1]["entries"]]
    shown = [one["entry"] for one in catalog.entries if one["action"] not in sentences.WITHIN]
    assert seen == shown
    heard(history, method="custom", content={"ask": "more", "found": history.found - 1})
    assert [one["entry"] for one in answers[-1]["entries"]] == seen[-len(answers[-1]["entries"]) :]


def test_a_change_is_taken_back_and_done_again(catalog: pretend_past.Past) -> None:
    history = History(catalog, "demo")
    renamed = history.entries[2]["entry"]
    history.take_back(renamed)
    assert history.done["text"] == "Taken back: mia renamed cell to nuclei A04"
    assert told(history)[0] == "mia took back: mia renamed cell to nuclei A04"
    assert history.entries[3]["undone"]["person"] == "mia"
    history.take_back(history.entries[0]["entry"])
    assert told(history)[0].startswith("mia took back: mia took back: mia renamed")


def test_what_was_changed_since_is_told(
    catalog: pretend_past.Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(catalog, "demo")
    later = SimpleNamespace(person="ben", action="move", at="2026-11-21T01:00:00Z")
    later.detail = {"entry": 19}
    entry = history._past.read[history.entries[2]["entry"]]
    refusal = pretend_past.Conflict("changed since: move by ben (entry 19)", [later])

    def refuse() -> None:
        raise refusal

    monkeypatch.setattr(entry, "undo", refuse)
    history.take_back(entry.record["entry"])
    assert history.refused["message"] == "changed since: move by ben (entry 19)"
    [changed] = history.refused["changed"]
    assert (changed["person"], changed["action"], changed["entry"]) == ("ben", "move", 19)
    assert history.done is None
    history.kind = "places"
    assert history.refused is None


def test_a_catalog_that_does_not_answer_is_one_line(catalog: pretend_past.Past) -> None:
    history = History(catalog, "demo")
    catalog.trouble = Refused("the catalog does not answer: try again")
    history.refresh()
    assert history.error == "the catalog does not answer: try again"
    assert len(history.entries) == 11
    catalog.trouble = None
    history.refresh()
    assert history.error == ""
