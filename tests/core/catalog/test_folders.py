"""Folders that come in become datasets: as deep as they are, in few statements."""

from __future__ import annotations

import standing
import world
from sqlalchemy import event, select

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.catalog import commits, datasets, deposits
from cid_server_ext.core.catalog.folders import Folders
from cid_server_ext.core.life import trash
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions

PROJECT, WHO = "deep", standing.WHO


def bring(sessions: Sessions, folders: list[str], dataset: str = "tour") -> int:
    """Commit one deposit with a file in each folder; return how many statements that took."""
    statements: list[str] = []
    with sessions.begin() as session:
        declared = [{"path": f"{folder}/a.txt".lstrip("/"), "nbytes": 1} for folder in folders]
        opened = deposits.open_import(
            session, WHO, PROJECT, dataset=dataset, kind="files", declared=declared
        )
        deposits.begin(session, WHO, opened.uid, {})
        files = [
            commits.NewFile(uid, "a.txt", "file", f"files/x/{uid}", 1, "0" * 64, folder=folder)
            for folder in folders
            if (uid := t.new_uid())
        ]
        session.flush()
        connection = session.connection()
        event.listen(connection, "before_cursor_execute", lambda *a: statements.append(str(a[2])))
        commits.commit(session, opened.id, commits.Commit([], files))
        session.flush()
    return len(statements)


def places(sessions: Sessions) -> set[str]:
    with sessions() as session:
        chosen = select(t.Dataset.path).join(t.Record, t.Record.dataset_id == t.Dataset.id)
        return set(session.scalars(chosen))


def test_200_nested_folders_cost_a_few_statements_more_than_two(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, PROJECT)
    few = bring(sessions, ["well 0/site 0", "well 0/site 1"], "small")
    nested = [f"well {n // 20}/site {n % 20}/day {n % 3}" for n in range(200)]
    many = bring(sessions, nested)
    assert many < few + 25
    assert places(sessions) >= {f"tour/{folder}" for folder in nested}
    with sessions() as session:
        by_id = {row.id: row.path for row in session.scalars(select(t.Dataset))}
        for row in session.scalars(select(t.Dataset).where(t.Dataset.path != "")):
            assert by_id[row.parent_id or 0] == row.path.rpartition("/")[0]
        said = select(t.Journal.detail).where(t.Journal.action == "create dataset")
        told = [detail["path"] for detail in session.scalars(said)]
    assert sorted(told) == sorted(set(told))
    assert {f"tour/{folder}" for folder in nested} <= set(told)
    assert "tour/well 3" not in told  # a parent has no entry of its own
    count = len(by_id)
    assert bring(sessions, nested) < few + 25  # they are there
    with sessions() as session:
        assert len(session.scalars(select(t.Dataset)).all()) == count


def test_live_thrown_away_and_too_long_ones_hold_nothing(sessions: Sessions) -> None:
    with sessions.begin() as session:
        world.make_project(session, PROJECT)
        datasets.create(session, WHO, PROJECT, "tour/live", query="name:a")
        gone = datasets.create(session, WHO, PROJECT, "tour/gone/deep").uid
        trash.throw(session, Actor("manager"), [], [gone])
    long = "/".join(f"{n} {'x' * 150}" for n in range(5))
    bring(sessions, ["live/below", "gone/deep/er", long, ""])
    assert (
        places(sessions)
        == {
            "tour",  # of "live/below" too
            "tour/gone/deep/er",
            "tour/" + "/".join(long.split("/")[:3]),
        }
    )
    with sessions.begin() as session:
        opened = deposits.open_import(
            session,
            WHO,
            PROJECT,
            dataset="tour",
            kind="files",
            declared=[{"path": "a", "nbytes": 1}],
        )
        assert Folders(session, opened).dataset("late/r") == Folders(session, opened).dataset(
            "late/r"
        )
