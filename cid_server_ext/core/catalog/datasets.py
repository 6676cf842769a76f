"""Datasets: folders that nest, or saved searches that live; a path names one in its project."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Dataset, Project
from ...errors import BadInput, Conflict
from .. import journal, names, policy
from ..actor import Actor
from ..search import index, parser
from . import homes

MOST_BELOW = 10_000  # datasets that move in one step


def create(
    session: Session, actor: Actor, project: str, path: str, query: str | None = None
) -> Dataset:
    """Return the dataset at `path`, made with its parents when absent. Contributors may.

    With `query` it is live: it shows what the query finds in the project and holds nothing.
    """
    row = policy.require(session, actor, "contributor", Project, project)
    clean = names.dataset_path(path)
    wanted = None if query is None else _checked(query)
    found = _at(session, row, clean) or _make(session, actor, row, clean, wanted)
    if found.query != wanted:
        raise Conflict(f"there is a dataset {clean!r} already that is not the same")
    return found


def at(session: Session, actor: Actor, project: Project, path: str) -> Dataset:
    """Return the dataset at a clean `path`, made with its parents when absent."""
    return _at(session, project, path) or _make(session, actor, project, path, None)


def holding(session: Session, actor: Actor, project: Project, path: str) -> Dataset:
    """Return the dataset at `path`, or one beside it where a live one has that name."""
    found = at(session, actor, project, path)
    return found if found.query is None else at(session, actor, project, f"{path} (results)")


def get(session: Session, actor: Actor, uid: str) -> Dataset:
    """Return the dataset, or raise NotFound."""
    return policy.find(session, actor, Dataset, uid)


def change(
    session: Session,
    actor: Actor,
    uid: str,
    *,
    path: str | None = None,
    project: str | None = None,
    query: str | None = None,
) -> Dataset:
    """Move a dataset with all below it, or change what a live one shows. Contributors may.

    Conflict: the path is taken. In another project its records and their bytes get a new home.
    """
    row = policy.require(session, actor, "contributor", Dataset, uid)
    if path is not None or project is not None:
        home = policy.require(session, actor, "contributor", Project, project or row.project.name)
        row = held(session, actor, uid, home.id)
        _move(session, actor, row, home, row.path if path is None else names.dataset_path(path))
    if query is not None:
        _change_query(session, actor, row, query)
    return row


def held(session: Session, actor: Actor, uid: str, *also: int) -> Dataset:
    """Return a dataset that the caller contributes to; nobody else moves or trashes it now.

    `also`: further projects in which datasets stay where they are until this transaction ends.
    """
    row = policy.require(session, actor, "contributor", Dataset, uid)
    hold(session, {row.project_id, *also})
    row = policy.require(session, actor, "contributor", Dataset, uid)
    session.refresh(row)
    return row


def _move(session: Session, actor: Actor, row: Dataset, home: Project, path: str) -> None:
    if not row.path or not path:
        raise BadInput("path: a project's own dataset stays what it is; give a path with a name")
    if home.id == row.project_id and path == row.path:
        return
    if home.id == row.project_id and path.startswith(f"{row.path}/"):
        raise BadInput(f"path: {row.path!r} cannot be moved into itself")
    if _at(session, home, path) is not None:
        raise Conflict(f"there is a dataset {path!r} already")
    detail = {"from": row.path, "to": path}
    if home.id != row.project_id:
        detail |= {"from_project": row.project.name, "project": home.name}
    about = f"dataset:{row.uid}"
    journal.record(session, actor.name, "move dataset", about, detail, project_id=row.project_id)
    tree = below(session, row)
    parent = at(session, actor, home, path.rpartition("/")[0])
    refuse_live(parent)
    paths = [_short(path + dataset.path.removeprefix(row.path)) for dataset in tree]
    row.parent_id = parent.id
    homes.move_datasets(session, tree, home, paths)
    ids = [dataset.id for dataset in tree]
    index.refresh(session, {*homes.lying_in(session, ids), *homes.shown_in(session, ids)})
    session.expire_all()


def below(session: Session, row: Dataset) -> list[Dataset]:
    """Return the dataset and all below it, what is in the trash too, parents first."""
    found, rest = [row], [row.id]
    while rest:
        children = select(Dataset).where(Dataset.parent_id.in_(rest[: homes.BATCH]))
        rest = rest[homes.BATCH :]
        for child in session.scalars(children.order_by(Dataset.id)):
            found.append(child)
            rest.append(child.id)
        if len(found) > MOST_BELOW:
            raise BadInput(f"more than {MOST_BELOW} datasets lie below: take them in parts")
    return found


def refuse_live(row: Dataset) -> None:
    """Raise Conflict when a dataset shows what its query finds and holds nothing."""
    if row.query is not None:
        raise Conflict(f"dataset {row.path!r} is live, it shows what its query finds: use another")


def is_live(session: Session, project: Project, path: str) -> bool:
    """Say whether a live dataset has this path."""
    found = _at(session, project, path)
    return found is not None and found.query is not None


def hold(session: Session, project_ids: Iterable[int]) -> None:
    """Let nobody else make or move datasets in these projects until this transaction ends."""
    for number in sorted(project_ids):
        only = select(Project.id).where(Project.id == number)
        session.execute(only.with_for_update(key_share=True))


def free(session: Session, project: Project, path: str) -> str:
    """Return `path`, or one beside it that no dataset has."""
    name = path
    for n in range(1, 1000):
        if _at(session, project, name) is None:
            return _short(name)
        name = f"{path} (restored)" if n == 1 else f"{path} (restored {n})"
    raise Conflict(f"too many datasets are called like {path!r}: rename some")


def _at(session: Session, project: Project, path: str) -> Dataset | None:
    called = (Dataset.project_id == project.id) & (Dataset.path == path)
    return session.scalar(select(Dataset).where(called, Dataset.trash_id.is_(None)))


def _make(
    session: Session, actor: Actor, project: Project, path: str, query: str | None
) -> Dataset:
    """Make a dataset with the parents it lacks: one entry for all of them."""
    hold(session, [project.id])
    if (found := _at(session, project, path)) is not None:  # made while we waited
        return found
    parent = _at(session, project, "")
    parts = path.split("/")
    for n in range(1, len(parts) + 1):
        way = "/".join(parts[:n])
        if (found := _at(session, project, way)) is None:
            found = Dataset(project_id=project.id, path=way, parent_id=parent and parent.id)
            found.query = query if way == path else None
            session.add(found)
            session.flush()
        elif way != path:
            refuse_live(found)
        parent = found
    assert parent is not None
    say_made(session, actor, project, parent)
    return parent


def say_made(session: Session, actor: Actor, project: Project, row: Dataset) -> None:
    """Note in the journal that a dataset was made; its parents need no entry of their own."""
    detail = {"project": project.name, "path": row.path}
    detail |= {} if row.query is None else {"query": row.query}
    about = f"dataset:{row.uid}"
    journal.record(session, actor.name, "create dataset", about, detail, project_id=project.id)


def _short(path: str) -> str:
    if len(path) > names.LONGEST_PATH:
        raise BadInput(
            f"path: {path[:60]!r}... would have more than {names.LONGEST_PATH} characters"
        )
    return path


def _checked(query: str) -> str:
    parser.parse(query)
    return query.strip()


def _change_query(session: Session, actor: Actor, row: Dataset, query: str) -> None:
    if row.query is None:
        raise Conflict(f"dataset {row.path!r} holds records: make a new one for a saved search")
    detail = {"from": row.query, "to": _checked(query)}
    about = f"dataset:{row.uid}"
    journal.record(session, actor.name, "change query", about, detail, project_id=row.project_id)
    row.query = _checked(query)
