"""Random queries over what a facility holds: most find something, some find nothing."""

from __future__ import annotations

import random

from odd_facility import CHANNELS, LIVE, PATHS, PERSONS, PROJECTS, TERMS, WORDS, Facility

from cid_server_ext.core.search import language as q
from cid_server_ext.core.search.words import fold, tokens
from cid_server_ext.db import tables as t

KEYS = sorted({q.tag_key(key) for key, *_ in TERMS})
TEXTS = [q.tag_key(key) for key, kind, *_ in TERMS if kind in ("text", "choice")]
NUMBERS = [(q.tag_key(key), unit) for key, kind, unit, _ in TERMS if kind == "number"]
UNITS = {"": [""], "ms": ["", "ms", "s", "us"], "µm": ["", "um", "nm", "mm"], "mm": ["", "um"]}


def query(pick: random.Random, made: Facility, depth: int = 0) -> q.Node:
    """Return a random query."""
    chance = pick.random()
    if depth >= 2 or chance < 0.4 + depth / 4:
        return leaf(pick, made)
    inner = [query(pick, made, depth + 1) for _ in range(pick.randint(2, 3))]
    if chance < 0.72:
        return q.all_of(*inner)
    if chance < 0.88:
        return q.any_of(*inner)
    return q.no(inner[0])


def leaf(pick: random.Random, made: Facility) -> q.Node:
    """Return one thing to ask for."""
    kind = pick.choice(
        ["words"] * 4 + ["tag"] * 5 + ["number"] * 2 + ["date", "has", "place", "place", "core"] * 2
    )
    match kind:
        case "words":
            return _words(pick)
        case "tag":
            count = pick.choice([1, 1, 1, 2, 3])
            return q.Is(
                q.Key(pick.choice([*TEXTS, *KEYS])),
                tuple(_value(pick, made) for _ in range(count)),
            )
        case "number":
            return _number(pick)
        case "date":
            return _date(pick)
        case "has":
            return q.Has(q.Key(pick.choice([*KEYS, "nothing"])))
        case "place":
            return _place(pick)
    return _core(pick, made)


def _some(pick: random.Random) -> str:
    """Return a word as somebody may type it: its beginning, in capitals, without accents."""
    word = pick.choice(WORDS)
    change = pick.random()
    if change < 0.25 and len(word) > 2:
        word = word[: pick.randint(1, len(word) - 1)]
    elif change < 0.4:
        word = word.upper()
    elif change < 0.5:
        word = fold(word)
    return word if fold(word) else "x"


def _words(pick: random.Random) -> q.Node:
    text = " ".join(_some(pick) for _ in range(pick.choice([1, 1, 1, 2])))
    if not tokens(text):
        return q.Is(q.Key("name", True), (q.Text(text),))
    return q.Words(q.Text(text, pick.random() < 0.3))


def _value(pick: random.Random, made: Facility) -> q.Text:
    if pick.random() < 0.4:
        return q.Text(pick.choice(made.rows[t.Value])["text"], pick.random() < 0.6)
    return q.Text(_some(pick), pick.random() < 0.2)


def _number(pick: random.Random) -> q.Node:
    key, unit = pick.choice([*NUMBERS, ("size", "B"), ("pixel size", "µm"), ("completeness", "")])
    if key == "completeness":
        shares = (q.Amount(pick.choice([0.0, 0.1, 0.2, 0.25, 0.3, 0.5, 1.0])) for _ in "ab")
        return _between(pick, q.Key(key, True), *shares)
    if key in ("size", "pixel size"):
        named = q.Key(key.replace(" ", "_"), True)
        units, numbers = ["", "B", "kB", "MB"], [0, 999, 1000, 1e6, 3e9]
        if key == "pixel size":
            units, numbers = ["", "um", "nm"], [0.065, 0.1, 0.5, 65, 100, 500]
    else:
        named, units, numbers = q.Key(key), UNITS[unit], [0, 0.5, 10, 12.5, 1000, -3, 0.01]
    return _between(
        pick, named, *(q.Amount(float(pick.choice(numbers)), pick.choice(units)) for _ in "ab")
    )


def _date(pick: random.Random) -> q.Node:
    key = pick.choice(
        [q.Key(name, True) for name in ("created", "acquired", "date")] + [q.Key("acquired on")]
    )
    days = ["2025-11", "2026-01", "2026-03-01", "2026-02-14", "2025-12-31", "2026-05"]
    ends: list[q.Literal] = [
        pick.choice(
            [q.Day(pick.choice(days)), q.Amount(2026.0), q.Amount(float(pick.randint(1, 300)), "d")]
        )
        for _ in "ab"
    ]
    return _between(pick, key, *ends)


def _between(pick: random.Random, key: q.Key, low: q.Literal, high: q.Literal) -> q.Node:
    match pick.randrange(3):
        case 0:
            return q.Between(key, low, high)
        case 1:
            return q.Between(key, low, None, low_in=pick.random() < 0.5)
    return q.Between(key, None, high, high_in=pick.random() < 0.5)


def _place(pick: random.Random) -> q.Node:
    if pick.random() < 0.3:
        return q.Is(q.Key("project", True), _whole(pick, [*PROJECTS, "absent"]))
    if pick.random() < 0.2:
        return q.Is(q.Key("team", True), _whole(pick, ["lab-a", "lab-b", "absent"]))
    path = pick.choice([*PATHS, *PATHS, *LIVE, "absent"])
    if pick.random() < 0.4:
        path = f"{pick.choice(PROJECTS)}/{path}".rstrip("/")
    return q.Is(q.Key("in", True), (q.Text(path, pick.random() < 0.3),))


def _core(pick: random.Random, made: Facility) -> q.Node:
    record = pick.choice(made.rows[t.Record])
    chosen: dict[str, tuple[q.Text, ...]] = {
        "kind": _whole(pick, list(q.KINDS)),
        "unknown": _whole(pick, ["Objective", "user", "Calibration_x", "channel names", "snr"]),
        "name": (q.Text(*pick.choice([(record["name"], True), (_some(pick), False)])),),
        "by": _whole(pick, PERSONS),
        "axes": (q.Text(pick.choice(["yx", "zyx", "z", "tc", "%"]), pick.random() < 0.4),),
        "dtype": _whole(pick, ["uint8", "UINT16", "float32", "int"]),
        "channel": (
            q.Text(pick.choice([c for c in CHANNELS if c] + ["gf", "8"]), pick.random() < 0.4),
        ),
        "run": _whole(pick, [row["uid"] for row in made.rows[t.Run]]),
        "id": _whole(pick, [record["uid"], "absent"]),
        "sha256": _whole(pick, [record["sha256"], "absent"]),
    }
    name = pick.choice(list(chosen))
    return q.Is(q.Key(name, True), chosen[name])


def _whole(pick: random.Random, texts: list[str]) -> tuple[q.Text, ...]:
    chosen = pick.sample(texts, min(len(texts), pick.choice([1, 1, 2])))
    return tuple(q.Text(text, True) for text in chosen)
