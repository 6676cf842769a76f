"""The rows of a facility, as our migrations and `core.search.index` would have them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from _facility import NUMBER, PEOPLE, PROJECTS, TEAMS, TERMS, Made, called

from cid_server_ext.core.search.words import fold

Rows = Iterable[tuple[Any, ...]]
STAMP = "%Y-%m-%d %H:%M:%S.000000"
BEGUN = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
STEP = 200_000


def tables(made: Made) -> Iterator[tuple[str, tuple[str, ...], Iterator[Rows]]]:
    """Yield (table, columns, batches of rows) in an order that foreign keys allow."""
    at = BEGUN.strftime(STAMP)
    # its ledger is up to date: nothing of years past is charged while something is measured
    lately = (dt.datetime.now(dt.UTC) - dt.timedelta(1)).strftime(STAMP)

    def uid(kind: int, number: int) -> str:
        return f"{kind:08x}-0000-4000-8000-{number:012x}"

    yield (
        "team",
        ("id", "uid", "name", "title", "created_at"),
        one((n, uid(1, n), f"lab-{n:03}", "", at) for n in range(1, TEAMS + 1)),
    )
    yield (
        "project",
        ("id", "uid", "name", "title", "state", "team_id", "created_at"),
        one(
            (n, uid(2, n), f"project-{n:03}", "", "active", n % TEAMS + 1, lately)
            for n in range(1, PROJECTS + 1)
        ),
    )
    yield (
        "allocation",
        ("project_id", "limit", "used", "reserved"),
        one((n, 10**15, 0, 0) for n in range(1, PROJECTS + 1)),
    )
    yield (
        "project_member",
        ("project_id", "person", "role"),
        one(
            (project, person, "contributor")
            for person, projects in made.members.items()
            for project in projects
        ),
    )
    yield (
        "dataset",
        ("id", "uid", "project_id", "path", "created_at"),
        one(
            (
                (p - 1) * 4 + d,
                uid(3, p * 4 + d),
                p,
                ["", "screen", "screen/1", "screen/2"][d - 1],
                at,
            )
            for p in range(1, PROJECTS + 1)
            for d in range(1, 5)
        ),
    )
    columns = (
        "id",
        "uid",
        "key",
        "folded",
        "kind",
        "type",
        "unit",
        "many",
        "retired",
        "created_at",
    )
    yield (
        "term",
        columns,
        one(
            (n, uid(4, n), key, fold(key), "sample", kind, "", False, False, at)
            for n, (key, kind) in enumerate(
                [*((key, "text") for key in TERMS), (NUMBER, "number")], 1
            )
        ),
    )
    columns = ("id", "uid", "term_id", "text", "folded", "iri", "declared", "retired", "created_at")
    yield (
        "value",
        columns,
        one(
            (n, uid(5, n), term, text, fold(text), "", False, False, at)
            for n, term, text in made.values
        ),
    )
    yield "record", _RECORD, batches(made, _records)
    yield "tag", _TAG, batches(made, _tags)
    yield (
        "document",
        ("record_id", "name", "words", "channels", "postings"),
        batches(made, _documents),
    )
    keys, numbers = _postings(made)
    yield "posting", ("entry", "project_id", "kind", "record_id"), _posting_rows(keys, numbers)
    # an entry, so that the service does not begin the journal with a snapshot of all this
    columns = ("id", "person", "action", "subject", "detail", "rows")
    yield "journal", columns, one([(1, "bench", "fill", "catalog", "{}", "[]")])
    entries, counts = np.unique(keys, return_counts=True)
    yield (
        "tally",
        ("project_id", "entry", "kind", "n"),
        one(
            zip(
                (entries % 1000).tolist(),
                (entries // 1000 - OFFSET).tolist(),
                [1] * len(entries),
                counts.tolist(),
                strict=True,
            )
        ),
    )


def one(rows: Rows) -> Iterator[Rows]:
    """Yield them as one batch."""
    yield rows


def batches(made: Made, rows: Any) -> Iterator[Rows]:
    """Yield the rows of so many images at a time."""
    for start in range(0, made.images, STEP):
        yield rows(made, start, min(start + STEP, made.images))


_RECORD = (
    "id", "uid", "type", "kind", "project_id", "dataset_id", "name", "prefix", "nbytes", "sha256",
    "tier", "created_by", "created_at", "axes", "shape", "dtype", "levels", "scale", "units",
    "channels",
)  # fmt: skip
_TAG = ("id", "record_id", "term_id", "value_id", "number", "text", "source", "set_by")
OFFSET = 10_000  # added to an entry, so that a key of entry and project is a positive number


def name_of(made: Made, at: int) -> str:
    """Return the name of image at + 1."""
    first, second = made.name[:, at].tolist()
    return f"{called(first)} {called(second)} {at + 1}"


def _records(made: Made, start: int, stop: int) -> Rows:
    shape, scale, units = "[2, 512, 512]", '{"x": 0.1, "y": 0.1}', '{"x": "micrometer"}'
    columns = (made.project[start:stop].tolist(), made.dataset[start:stop].tolist())
    for at, project, dataset in zip(range(start, stop), *columns, strict=True):
        moment = BEGUN + dt.timedelta(seconds=60 * at)
        yield (
            at + 1, f"00000006-0000-4000-8000-{at + 1:012x}", "image", "image", project, dataset,
            name_of(made, at), f"images/{at % 256:02x}/{at}", 1_000_000, "0" * 64, "online",
            f"u{at % PEOPLE:03}", moment.strftime("%Y-%m-%d %H:%M:%S.000000"), "cyx", shape,
            "uint16", 3, scale, units, "[]",
        )  # fmt: skip


def _tags(made: Made, start: int, stop: int) -> Rows:
    terms = len(TERMS)
    columns = made.value[:, start:stop].T.tolist()
    numbers = made.number[start:stop].tolist()
    for at, values, number in zip(range(start, stop), columns, numbers, strict=True):
        first = at * (terms + 1) + 1
        for term, value in enumerate(values, 1):
            yield first + term - 1, at + 1, term, value, None, None, "file", "u000"
        yield first + terms, at + 1, terms + 1, None, number, f"{number:g}", "run", "u000"


def _documents(made: Made, start: int, stop: int) -> Rows:
    texts = {value: text for value, _, text in made.values}
    columns = made.value[:, start:stop].T.tolist()
    projects = made.project[start:stop].tolist()
    for at, values, project in zip(range(start, stop), columns, projects, strict=True):
        name = name_of(made, at)
        found = [name, f"u{at % PEOPLE:03}", *(texts[value] for value in values)]
        postings = json.dumps([[value, project, 1] for value in values])
        yield at + 1, name, " ".join(found), "|", postings


def _postings(made: Made) -> tuple[np.ndarray, np.ndarray]:
    """Return (key of entry and project, record) of every posting, in their order."""
    ids = np.arange(1, made.images + 1, dtype=np.int64)
    entries = [np.zeros(made.images, np.int64), -made.dataset.astype(np.int64), *made.value]
    keys = np.concatenate(
        [(entry.astype(np.int64) + OFFSET) * 1000 + made.project for entry in entries]
    )
    records = np.tile(ids, len(entries))
    order = np.lexsort((records, keys))
    return keys[order], records[order]


def _posting_rows(keys: np.ndarray, records: np.ndarray) -> Iterator[Rows]:
    for start in range(0, len(keys), STEP * 10):
        part, numbers = keys[start : start + STEP * 10], records[start : start + STEP * 10]
        yield zip(
            (part // 1000 - OFFSET).tolist(),
            (part % 1000).tolist(),
            [1] * len(part),
            numbers.tolist(),
            strict=True,
        )
