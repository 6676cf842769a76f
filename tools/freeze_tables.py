"""Write the newest revision's own copy of the tables, from what `db.tables` says now.

    python tools/freeze_tables.py            # after a change of the tables, until the release
    python tools/freeze_tables.py --check    # does the copy say what the tables say?

A revision that is released never changes: then a change of the tables is a new revision. One that
only alters tables has no copy, and this refuses.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from cid_server_ext.db import fulltext
from cid_server_ext.db.session import MIGRATIONS
from cid_server_ext.db.tables import UTC, Base

BIG = "sa.BigInteger().with_variant(sa.Integer(), 'sqlite')"
WHAT = "Frozen once it is released: a change is a new revision."
HEAD = '''"""The tables as revision {revision} makes them. {what}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

BIG = {big}


def create() -> None:
    """Make all tables and indexes, those of full text too."""
{body}
    for statement in FULL_TEXT[op.get_bind().dialect.name]:
        op.get_bind().exec_driver_sql(statement)


'''


class Listening:
    """A connection that only remembers what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def execute(self, statement: Any) -> None:
        """Remember a statement."""
        self.told.append(str(statement))

    exec_driver_sql = execute


def newest() -> str:
    """Return the newest revision of the schema."""
    found = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    assert found is not None
    return found


def place(revision: str) -> Path:
    """Return where a revision's copy of the tables is kept."""
    return MIGRATIONS / "versions" / "tables" / f"r{revision}.py"


def frozen(revision: str) -> str:
    """Return the module that makes the tables as they are now, formatted."""
    made = HEAD.format(revision=revision, what=WHAT, big=BIG, body=_tables()) + _full_text()
    ruff = [sys.executable, "-m", "ruff", "format", "--line-length", "100", "-"]
    return subprocess.run(ruff, input=made, check=True, capture_output=True, text=True).stdout


def _tables() -> str:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection)
        steps = produce_migrations(context, Base.metadata).upgrade_ops
    engine.dispose()
    assert steps is not None
    lines = render_python_code(steps, render_item=_plain)
    assert isinstance(lines, str)
    kept = [line for line in lines.splitlines() if "# ###" not in line]
    return "\n".join(kept).replace(BIG, "BIG").replace("sa.text('now()')", "sa.func.now()")


def _plain(kind: str, obj: Any, autogen: Any) -> str | Literal[False]:
    if kind == "type" and isinstance(obj, UTC):
        return "sa.DateTime(timezone=True)"
    return False


def _full_text() -> str:
    text = ""
    for name in ("sqlite", "postgresql"):
        listening: Any = Listening()
        fulltext.of(name).create(listening)
        said = "".join(f"    {statement!r},\n" for statement in listening.told)
        text += f"{name.upper()} = (\n{said})\n"
    return text + 'FULL_TEXT = {"sqlite": SQLITE, "postgresql": POSTGRESQL}\n'


def main(arguments: list[str]) -> int:
    """Write the copy, or with --check compare it; 1 when there is none or it is another."""
    revision = newest()
    path = place(revision)
    if not path.exists():
        print(f"revision {revision} has no copy of the tables: write what it alters by hand")
        return 1
    text = frozen(revision)
    if "--check" in arguments:
        same = path.read_text(encoding="utf-8") == text
        print(f"{path.name}: {'as the tables' if same else 'not as the tables: freeze them again'}")
        return 0 if same else 1
    path.write_text(text, encoding="utf-8")
    print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
