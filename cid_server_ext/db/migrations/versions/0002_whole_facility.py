"""The catalog of a whole facility: one table of records, interned values, postings, the journal's rows.

What revision 0001 holds is put aside, the new tables are made, everything is copied over and what
searches read is made from it. An image becomes the record with twice its id, a file the odd one
after twice its id, so the order within each kind stays. Nothing here may be changed once it is
released: it has its own copy of how words are folded.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
import uuid
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

from cid_server_ext.db.migrations.versions.tables import asked0002
from cid_server_ext.db.migrations.versions.tables import r0002 as tables
from cid_server_ext.errors import Unavailable

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# of revision 0001, each after those it refers to
OLD = (
    "journal team template project team_member allocation dataset project_member term run deposit"
    " file image run_input tag"
).split()
NUMBERED = "journal team template project dataset term value run deposit record tag".split()
BATCH = 1000


def upgrade() -> None:
    """Copy everything into the new tables, in the one transaction of all migrations."""
    bind = op.get_bind()
    aside = _put_aside(bind)
    tables.create()
    had_data = _copy(bind, aside)
    _remove(bind, aside)
    if had_data:
        _number_on(bind)
        _fill_search(bind)
        _say(bind)


def downgrade() -> None:
    """Refuse: the older release has no place for what this one keeps."""
    raise Unavailable("there is no way back from schema 0002: restore the backup made before it")


def _put_aside(bind: sa.Connection) -> str:
    """Move the old tables out of the way and return the prefix under which they are now."""
    if bind.dialect.name == "postgresql":
        bind.execute(sa.text("CREATE SCHEMA cid_0001"))
        for table in OLD:  # with its indexes, constraints and sequence
            bind.execute(sa.text(f"ALTER TABLE {table} SET SCHEMA cid_0001"))
        return "cid_0001."
    indexes = sa.text("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    for name in bind.scalars(indexes).all():
        bind.execute(sa.text(f'DROP INDEX "{name}"'))
    for table in OLD:  # references follow
        bind.execute(sa.text(f'ALTER TABLE "{table}" RENAME TO "old_{table}"'))
    return "old_"


def _remove(bind: sa.Connection, aside: str) -> None:
    for table in reversed(OLD):
        bind.execute(sa.text(f"DROP TABLE {aside}{table}"))
    if bind.dialect.name == "postgresql":
        bind.execute(sa.text("DROP SCHEMA cid_0001"))


def _copy(bind: sa.Connection, aside: str) -> bool:
    """Copy all rows; return whether there were any."""
    if bind.scalar(sa.text(f"SELECT count(*) FROM {aside}journal")) == 0:
        rows = (bind.scalar(sa.text(f"SELECT count(*) FROM {aside}{t}")) for t in OLD)
        if not any(rows):
            return False
    for table, columns in SAME.items():
        named = ", ".join(f'"{name}"' for name in columns.split())
        bind.execute(sa.text(f"INSERT INTO {table} ({named}) SELECT {named} FROM {aside}{table}"))
    for statement in ADDED:
        bind.execute(sa.text(statement.format(old=aside)))
    acquired = _copy_terms(bind, aside)
    _copy_values(bind, aside, acquired)
    for statement in TAGGED:
        bind.execute(sa.text(statement.format(old=aside)), {"acquired": acquired})
    _copy_dates(bind, aside, acquired)
    return True


# what is the same in both, in an order in which references hold
SAME = {
    "team": "id uid created_at name title",
    "template": "id uid created_at name version digest manifest notebook published_by",
    "project": "id uid created_at team_id name title state",
    "team_member": "team_id person role ends_at",
    "project_member": "project_id person role ends_at",
    "allocation": "project_id limit used reserved",
}
NAMED = "id, uid, created_at, project_id, dataset_id, name, kind, prefix, nbytes, sha256, created_by"
KEPT = NAMED.partition("created_at, ")[2]
ADDED = (
    'INSERT INTO journal (id, at, person, action, subject, detail, "rows")'
    " SELECT id, at, person, action, subject, detail, '[]' FROM {old}journal",
    # a parent may have the higher number: references are checked at the end
    "INSERT INTO dataset (id, uid, created_at, project_id, parent_id, path)"
    " SELECT id, uid, created_at, project_id, parent_id, path FROM {old}dataset",
    "INSERT INTO run (id, uid, created_at, batch, project_id, template_id, person, parameters,"
    " state, attempt, reserved, progress, metrics, environment, error, cancel_asked, token_hash,"
    " lease_by, lease_until, cluster, started_at, ended_at, dataset_id, lane)"
    " SELECT id, uid, created_at, batch, project_id, template_id, person, parameters,"
    " state, attempt, reserved, progress, metrics, environment, error, cancel_asked, token_hash,"
    " lease_by, lease_until, cluster, started_at, ended_at, dataset_id,"
    " batch || ':' || project_id FROM {old}run",
    "INSERT INTO deposit (id, uid, created_at, project_id, dataset_id, kind, state, person, run_id,"
    " declared, reserved, manifest, progress, error, results, expires_at)"
    " SELECT id, uid, created_at, project_id, dataset_id, kind, state, person, run_id,"
    " declared, reserved, manifest, progress, error, results, expires_at FROM {old}deposit",
    f"INSERT INTO record (type, tier, media_type, run_id, {NAMED})"
    f" SELECT 'file', 'online', media_type, run_id, 2 * id + 1, uid, created_at, {KEPT}"
    " FROM {old}file",
    "INSERT INTO record (type, tier, axes, shape, dtype, levels, scale, units, channels,"
    f" original_id, source_id, run_id, {NAMED})"
    " SELECT 'image', 'online', axes, shape, dtype, levels, scale, units, channels,"
    f" 2 * original_id + 1, 2 * source_id, run_id, 2 * id, uid, created_at, {KEPT}"
    " FROM {old}image",
    "INSERT INTO run_input (run_id, position, image_id, role)"
    " SELECT run_id, position, 2 * image_id, role FROM {old}run_input",
)
# in a text value, not in the tag itself
WORDED = "NOT (t.type = 'number' AND o.number IS NOT NULL) AND t.id <> :acquired"
TAGGED = (
    "INSERT INTO tag (id, record_id, term_id, value_id, source, set_by)"
    " SELECT o.id, 2 * o.image_id, o.term_id, v.id, o.source, o.set_by FROM {old}tag o"
    " JOIN {old}term t ON t.id = o.term_id JOIN value v ON v.term_id = o.term_id AND v.text = o.text"
    f" WHERE {WORDED}",
    "INSERT INTO tag (id, record_id, term_id, number, text, source, set_by)"
    " SELECT o.id, 2 * o.image_id, o.term_id, o.number, substr(o.text, 1, 80), o.source, o.set_by"
    " FROM {old}tag o JOIN {old}term t ON t.id = o.term_id"
    " WHERE t.type = 'number' AND o.number IS NOT NULL",
)


def _copy_terms(bind: sa.Connection, aside: str) -> int:
    """Copy the terms and return the one that says when an image was acquired, or 0.

    Where two of a project differ by case or accents only, the later is numbered.
    """
    acquired = 0
    chosen = f"SELECT id, project_id, key, kind, type, unit FROM {aside}term ORDER BY id"
    seen: set[tuple[int | None, str]] = set()
    for row in bind.execute(sa.text(chosen)).mappings().all():
        key, n = row["key"], 1
        while (row["project_id"], fold(key)) in seen:
            n += 1
            end = f" ({n})"
            key = row["key"][: 80 - len(end)] + end
        seen.add((row["project_id"], fold(key)))
        new = {"uid": str(uuid.uuid4()), "key": key, "folded": fold(key)[:200]}
        # the older release gave dates no number: their text is what there is
        new["type"] = "number" if row["type"] == "number" else "text"
        if (row["project_id"], new["folded"], new["type"]) == (None, "acquisition date", "text"):
            acquired, new["type"] = row["id"], "date"
        bind.execute(_TERM, {**row, **new, "no": False})
    return acquired


def _copy_values(bind: sa.Connection, aside: str, acquired: int) -> None:
    """Keep each spelling of a term's values once, in the order in which they were first used."""
    chosen = sa.text(
        f"SELECT o.term_id AS term, o.text AS text FROM {aside}tag o"
        f" JOIN {aside}term t ON t.id = o.term_id WHERE {WORDED}"
        " GROUP BY o.term_id, o.text ORDER BY min(o.id)"
    ).bindparams(acquired=acquired)
    for batch in _batches(bind, chosen):
        new = [
            {"uid": str(uuid.uuid4()), "folded": fold(r["text"])[:800], "no": False, **r}
            for r in batch
        ]
        bind.execute(_VALUE, new)


def _copy_dates(bind: sa.Connection, aside: str, acquired: int) -> None:
    """Copy when images were acquired as dates; what is none stays as text without a number."""
    chosen = sa.text(
        "SELECT id, 2 * image_id AS record, term_id AS term, text, source, set_by"
        f" FROM {aside}tag WHERE term_id = :acquired ORDER BY id"
    ).bindparams(acquired=acquired)
    for batch in _batches(bind, chosen):
        for row in batch:
            row["number"], row["text"] = moment(row["text"])
        bind.execute(_DATE, batch)
    # taken by its number, as the databases themselves would round it differently
    dated = sa.text("SELECT record_id, number FROM tag WHERE term_id = :acquired AND number IS NOT NULL")
    for batch in _batches(bind, dated.bindparams(acquired=acquired)):
        zero = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        record = sa.table("record", sa.column("id"), sa.column("acquired_at", sa.DateTime(True)))
        told = sa.update(record).where(record.c.id == sa.bindparam("which"))
        bind.execute(
            told.values(acquired_at=sa.bindparam("at")),
            [
                {"which": row["record_id"], "at": zero + dt.timedelta(seconds=row["number"])}
                for row in batch
            ],
        )


_DATE = sa.text(
    "INSERT INTO tag (id, record_id, term_id, number, text, source, set_by)"
    " VALUES (:id, :record, :term, :number, :text, :source, :set_by)"
)
_TERM = sa.text(
    "INSERT INTO term (id, uid, project_id, key, folded, kind, type, unit, many, retired)"
    " VALUES (:id, :uid, :project_id, :key, :folded, :kind, :type, :unit, :no, :no)"
)
_VALUE = sa.text(
    "INSERT INTO value (uid, term_id, text, folded, iri, declared, retired)"
    " VALUES (:uid, :term, :text, :folded, '', :no, :no)"
)


def _number_on(bind: sa.Connection) -> None:
    """Let new rows be numbered after the copied ones; SQLite does so by itself."""
    if bind.dialect.name == "postgresql":
        for table in NUMBERED:
            highest = f"SELECT pg_get_serial_sequence('{table}', 'id'), max(id) FROM {table}"
            name, number = bind.execute(sa.text(highest)).one()
            if number is not None:
                bind.execute(sa.text("SELECT setval(:name, :n)"), {"name": name, "n": number})


def _fill_search(bind: sa.Connection) -> None:
    """Make postings, tallies and documents."""
    for entry, source in POSTED.items():
        bind.execute(
            sa.text(
                "INSERT INTO posting (entry, project_id, kind, record_id)"
                f" SELECT DISTINCT {entry}, r.project_id,"
                " CASE r.kind WHEN 'image' THEN 1 WHEN 'labels' THEN 2 ELSE 3 END, r.id"
                f" FROM {source} WHERE r.kind <> 'original'"
            )
        )
    bind.execute(
        sa.text(
            "INSERT INTO tally (project_id, entry, kind, n)"
            " SELECT project_id, entry, kind, count(*) FROM posting"
            " GROUP BY project_id, entry, kind"
        )
    )
    last = 0
    while rows := bind.execute(_RECORDS, {"last": last, "most": BATCH}).all():
        span = {"first": rows[0].id, "last": rows[-1].id}
        postings: dict[int, list[list[int]]] = {}
        for record, *posting in bind.execute(_POSTINGS, span):
            postings.setdefault(record, []).append(posting)
        tags: dict[int, list[str]] = {}
        keys: dict[int, set[str]] = {}
        for record, shown, key in bind.execute(_SHOWN, span):
            tags.setdefault(record, []).append(shown)
            keys.setdefault(record, set()).add(key)
        scores = {row.id: asked0002.score(row, keys.get(row.id, ())) for row in rows}
        bind.execute(
            _DOCUMENT,
            [
                {
                    "id": row.id,
                    "name": fold(row.name),
                    "words": ""
                    if row.kind == "original"
                    else " ".join(
                        words([row.name, row.created_by, *tags.get(row.id, []), row.path])[:2000]
                    ),
                    "channels": channels(row.channels),
                    "completeness": scores[row.id][0],
                    "missing": scores[row.id][1],
                    "postings": json.dumps(sorted(postings.get(row.id, []))),
                }
                for row in rows
            ],
        )
        last = rows[-1].id


POSTED = {
    "0": "record r",
    "-r.dataset_id": "record r",
    "t.value_id": "record r JOIN tag t ON t.record_id = r.id AND t.value_id IS NOT NULL",
}
_RECORDS = sa.text(
    "SELECT r.id AS id, r.name AS name, r.kind AS kind, r.created_by AS created_by,"
    " r.channels AS channels, r.axes AS axes, r.scale AS scale, r.run_id AS run_id,"
    " d.path AS path FROM record r JOIN dataset d ON d.id = r.dataset_id"
    " WHERE r.id > :last ORDER BY r.id LIMIT :most"
)
_POSTINGS = sa.text(
    "SELECT record_id, entry, project_id, kind FROM posting"
    " WHERE record_id BETWEEN :first AND :last"
)
_SHOWN = sa.text(
    "SELECT t.record_id, coalesce(v.text, t.text), m.folded FROM tag t"
    " JOIN term m ON m.id = t.term_id LEFT JOIN value v ON v.id = t.value_id"
    " WHERE t.record_id BETWEEN :first AND :last ORDER BY t.id"
)
_DOCUMENT = sa.text(
    "INSERT INTO document (record_id, name, words, channels, completeness, missing, postings)"
    " VALUES (:id, :name, :words, :channels, :completeness, :missing, :postings)"
)


def _say(bind: sa.Connection) -> None:
    """Note in the journal that rows are there which it has no entries for."""
    bind.execute(
        sa.text(
            "INSERT INTO journal (person, action, subject, detail)"
            " VALUES ('cid', 'migrate', 'database:0002', :detail)"
        ),
        {"detail": json.dumps({"from": "0001"})},
    )


def _batches(bind: sa.Connection, chosen: sa.TextClause) -> Iterator[list[dict[str, Any]]]:
    rest = bind.execute(chosen).mappings().all()
    for start in range(0, len(rest), BATCH):
        yield [dict(row) for row in rest[start : start + BATCH]]


def moment(text: str) -> tuple[float | None, str]:
    """Return seconds since 1970 and the text of a date, as this revision keeps them."""
    try:
        if len(text) == 10:
            day = dt.date.fromisoformat(text)
            return dt.datetime.combine(day, dt.time(), dt.UTC).timestamp(), day.isoformat()
        time = dt.datetime.fromisoformat(text)
        time = (time if time.tzinfo else time.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None, text[:80]
    told = time.isoformat(timespec="microseconds" if time.microsecond else "seconds")
    return time.timestamp(), told.replace("+00:00", "Z")


def fold(text: str) -> str:
    """Return `text` without case, accents and doubled spaces, as this revision does it."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = unicodedata.normalize("NFKD", plain)
    bare = "".join(c for c in plain if not unicodedata.category(c).startswith("M"))
    return " ".join(bare.split())


def words(texts: list[str]) -> list[str]:
    """Return the words of texts, as this revision does it."""
    found: list[str] = []
    for text in texts:
        word: list[str] = []
        for c in [*fold(text), " "]:
            if unicodedata.category(c)[0] in "LN":
                word.append(c if c.isascii() else f"U{ord(c):x}z")
            elif word:
                found.append("".join(word)[:64])
                word = []
    return found


def channels(kept: Any) -> str:
    """Return the words of channels' names between bars; SQLite gives JSON as text."""
    listed = json.loads(kept) if isinstance(kept, str) else kept
    named = (channel.get("name") for channel in listed or ())
    folded = (" ".join(words([name])) for name in named if isinstance(name, str))
    return "".join(f"| {name} " for name in folded if name) + "|"
