"""How long a catalog of 100,000 records with 10 tags each takes to come back from its journal."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import postgres
from _harness import Bench
from sqlalchemy import text

from cid_server_ext.core.memory.export import canonical
from cid_server_ext.db.session import connect, migrate, open_database, schema_of
from cid_server_ext.memory.rebuild import rebuild
from cid_server_ext.storage.journal import Pen, folder_of

RECORDS = 100_000
TAGS = 10
PROJECTS = 100
TERMS = 20
VALUES = 200  # of each term
BAR = 600.0  # seconds
AT = "2026-11-20T10:00:00.123456+00:00"


def item(table: str, key: list[Any], row: dict[str, Any]) -> dict[str, Any]:
    """Return one new row as the journal tells it."""
    return {"table": table, "keys": [key], "before": None, "after": row}


def named(chance: random.Random) -> dict[str, str]:
    """Return what every public row has, the same in every run of the bench."""
    digits = f"{chance.getrandbits(128):032x}"
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return {"uid": "-".join(parts), "created_at": AT}


def frame(chance: random.Random) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows that records need: teams, projects, datasets, terms, values."""
    for n in range(1, PROJECTS + 1):
        rest = {"tariff": "internal", "address": ""}
        yield [
            item("team", [n], {**named(chance), "name": f"team-{n}", "title": "", **rest}),
            item(
                "project",
                [n],
                {**named(chance), "team_id": n, "name": f"p-{n}", "title": "", "state": "active"},
            ),
            item("allocation", [n], {"limit": 10**15}),
            item("project_member", [n, f"person-{n}"], {"role": "manager"}),
            item("dataset", [n], {**named(chance), "project_id": n, "path": "screen/plate 1"}),
        ]
    for n in range(1, TERMS + 1):
        rest = {"kind": "sample", "type": "text", "unit": "", "many": False, "retired": False}
        rest |= {"scheme": "", "pattern": "", "link": "", "help": ""}
        key = f"Term {n}"
        rows = [item("term", [n], {**named(chance), "key": key, "folded": key.lower(), **rest})]
        for v in range((n - 1) * VALUES + 1, n * VALUES + 1):
            word = f"value {v}"
            rest_v = {"iri": "", "declared": False, "retired": False}
            row = {**named(chance), "term_id": n, "text": word, "folded": word, **rest_v}
            rows.append(item("value", [v], row))
        yield rows


def image(chance: random.Random, number: int) -> list[dict[str, Any]]:
    """Return one image with its tags; values are chosen with a zipf's head."""
    project = 1 + min(int(chance.paretovariate(0.8)), PROJECTS - 1)
    name = named(chance)
    row = {
        **name,
        "type": "image",
        "kind": "image",
        "project_id": project,
        "dataset_id": project,
        "name": f"plate {number % 384} well {chance.randrange(10**6)}",
        "prefix": f"images/{name['uid'][:2]}/{name['uid']}",
        "nbytes": chance.randrange(10**9),
        "sha256": f"{chance.getrandbits(256):064x}",
        "tier": "online",
        "created_by": f"person-{project}",
        "axes": "tczyx",
        "shape": [1, 3, 20, 2048, 2048],
        "dtype": "uint16",
        "levels": 4,
        "scale": {"y": 0.1, "x": 0.1, "z": 0.5},
        "units": {"y": "micrometer", "x": "micrometer", "z": "micrometer"},
        "channels": [{"name": "DAPI", "color": "0000FF"}, {"name": "GFP", "color": "00FF00"}],
    }
    rows = [item("record", [number], row)]
    for n, term in enumerate(chance.sample(range(TERMS), TAGS)):
        value = term * VALUES + min(int(chance.paretovariate(1.0)), VALUES)
        tag = {"record_id": number, "term_id": term + 1, "value_id": value}
        source = {"source": "person", "set_by": f"person-{project}"}
        rows.append(item("tag", [number * TAGS + n], tag | source))
    return rows


def entries(schema: str) -> Iterator[dict[str, Any]]:
    """Yield the journal: one entry a record, as an import writes it."""
    chance = random.Random(42)
    told = {"at": AT, "person": "person-1", "project_id": None, "undoes": None, "schema": schema}
    number = 0
    for rows in frame(chance):
        number += 1
        more = {"action": "create project", "subject": f"project:{number}", "detail": {}}
        yield {"id": number, "rows": rows, **more, **told}
    for n in range(1, RECORDS + 1):
        more = {"action": "commit deposit", "subject": f"deposit:{n}", "detail": {"bytes": 1}}
        yield {"id": number + n, "rows": image(chance, n), **more, **told}


def write_journal(storage: Path, schema: str) -> None:
    """Write it as the service does."""
    pen, rest = Pen(folder_of(storage)), entries(schema)
    while batch := list(islice(rest, 1000)):
        pen.add(batch)
    pen.close()


def digest(url: str) -> str:
    """Return the sha256 of the canonical export."""
    sessions, sha256 = open_database(url), hashlib.sha256()
    with sessions() as session:
        for line in canonical(session):
            sha256.update(line)
    sessions.kw["bind"].dispose()
    return sha256.hexdigest()


def newest_schema(folder: Path) -> str:
    """Return this release's schema."""
    url = f"sqlite:///{folder}/empty.sqlite"
    migrate(url)
    sessions = open_database(url)
    found = schema_of(sessions)
    sessions.kw["bind"].dispose()
    return found


def copy_and_hash(storage: Path, target: Path) -> float:
    """Return the seconds that it takes to copy the journal and hash it: the least possible."""
    start = time.perf_counter()
    shutil.copytree(storage, target)
    for path in sorted(target.rglob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            hashlib.sha256(line).digest()
            json.loads(line)
    return time.perf_counter() - start


def main() -> int:
    """Measure and say."""
    bench = Bench("rebuild")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        storage = folder / "storage"
        write_journal(storage, newest_schema(folder))
        read = copy_and_hash(storage, folder / "copy")
        urls = {"SQLite": f"sqlite:///{folder}/rebuilt.sqlite"}
        server = postgres.start() if postgres.FOUND else None
        if server is not None:
            engine = connect(server.url("postgres"))
            with engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.execute(text("CREATE DATABASE rebuilt"))
            engine.dispose()
            urls["PostgreSQL"] = server.url("rebuilt")
        try:
            digests = set()
            for name, url in urls.items():
                report = rebuild(storage, url)
                assert report.whole, report
                assert report.rows["record"] == RECORDS, report
                bench.seconds(f"rebuild, {name}", report.seconds, BAR, "10 minutes", 1.0)
                speed = RECORDS / report.seconds
                bench.speed(f"rebuild, {name}", speed, RECORDS / BAR, "records/s", "bar", None)
                bench.seconds(f"rebuild, {name}", report.seconds, read, "read and parse it", None)
                digests.add(digest(url))
            assert len(digests) == 1, "the exports differ"
        finally:
            if server is not None:
                postgres.stop(server)
    return bench.finish()


if __name__ == "__main__":
    sys.exit(main())
