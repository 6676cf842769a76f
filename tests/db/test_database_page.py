"""Every command of docs/operator/database.md does what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import postgres
import psycopg
import pytest

from cid_server_ext.core.catalog import imports
from cid_server_ext.db.session import PATIENCE, connect, migrate, open_database
from cid_server_ext.ingest import importer

PAGE = (Path(__file__).parents[2] / "docs" / "operator" / "database.md").read_text("utf-8")


def commands(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_its_commands_migrate_and_copy(tmp_path: Path) -> None:
    environ = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    shown = commands("sh")
    assert len(shown) == 2
    for command in shown:
        here = command.replace("/srv/cid", str(tmp_path))
        subprocess.run(here, shell=True, check=True, env=environ, cwd=tmp_path, timeout=300)
    open_database(f"sqlite:///{tmp_path}/copy.sqlite").kw["bind"].dispose()


@pytest.mark.postgresql
def test_a_role_without_more_rights_owns_a_whole_catalog(postgresql: postgres.Postgres) -> None:
    [statements] = commands("sql")
    address = f"host=127.0.0.1 port={postgresql.port} user=postgres dbname=postgres"
    with psycopg.connect(address, autocommit=True) as connection:
        for statement in statements.strip().splitlines():
            connection.execute(statement)
    url = f"postgresql+psycopg://cid:secret@127.0.0.1:{postgresql.port}/cid"
    migrate(url)
    open_database(url).kw["bind"].dispose()


def test_its_numbers_are_those_of_the_code() -> None:
    assert f"up to {PATIENCE} s" in PAGE
    assert f"a lease of {imports.SECONDS:.0f} s" in PAGE
    assert f"after at most {imports.SECONDS + importer.BEAT:.0f} s" in PAGE
    pool = connect("postgresql+psycopg://nobody@127.0.0.1:1/none").pool
    assert f"up to {pool.size() + pool._max_overflow} connections" in PAGE
