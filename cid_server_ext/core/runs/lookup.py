"""Which images the cells of a table mean: by uid, by name in a project, by dataset and name."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Dataset, Image, Project
from .. import policy
from ..actor import Actor
from ..catalog.homes import batches

NAMING = ("uid", "name", "path")


def images(
    session: Session, actor: Actor, by: str, named: Sequence[str], project: Project | None
) -> dict[str, list[Image]]:
    """Return the images that each name means; of what is not seen none."""
    asked = policy.visible(actor, Image)
    if project is not None:
        asked = asked.where(Image.project_id == project.id)
    found: dict[str, list[Image]] = {}
    column = Image.uid if by == "uid" else Image.name
    wanted = {_name(one) if by == "path" else one for one in named}
    for some in batches(sorted(wanted)):
        for image in session.scalars(asked.where(column.in_(some)).order_by(Image.id)):
            key = image.uid if by == "uid" else image.name
            found.setdefault(key, []).append(image)
    if by != "path":
        return found
    places = dict(
        session.execute(
            select(Dataset.id, Dataset.path).where(
                Dataset.project_id == (project.id if project else 0)
            )
        ).all()
    )
    paths: dict[str, list[Image]] = {}
    for image in (one for several in found.values() for one in several):
        folder = places.get(image.dataset_id, "")
        paths.setdefault(f"{folder}/{image.name}".strip("/"), []).append(image)
    return paths


def key(by: str, text: str) -> str:
    """Return the name under which `images` returns what a cell means."""
    return text.strip("/") if by == "path" else text


def _name(path: str) -> str:
    return path.strip("/").rpartition("/")[2]
