"""Images: found, read, renamed; where they come from and what came of them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, selectinload

from ...db.tables import Dataset, Image, Project, RunInput, Tag, Term, Value
from ...errors import BadInput
from .. import journal, names, policy
from ..actor import Actor
from ..search import index

PAGE = 200


@dataclass(frozen=True, slots=True)
class Search:
    """One question: words and key:value in `text`, inside a project, a dataset path, a kind."""

    text: str = ""
    project: str | None = None
    dataset: str | None = None
    kind: str | None = None
    limit: int = 50
    after: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of images, newest first, and where the next one starts."""

    images: list[Image]
    next: int | None


def search(session: Session, actor: Actor, asked: Search) -> Page:
    """Return a page of the images the caller reaches that match all that was asked.

    Raises NotFound for a project or dataset that is hidden or absent.
    """
    query = policy.visible(actor, Image).order_by(Image.id.desc())
    if asked.project is not None:
        project = policy.find(session, actor, Project, asked.project)
        query = query.where(Image.project_id == project.id)
    if asked.dataset is not None:
        path = names.dataset_path(asked.dataset)
        inside = select(Dataset.id).where(Dataset.path == path)
        query = query.where(Image.dataset_id.in_(inside))
    if asked.kind is not None:
        query = query.where(Image.kind == asked.kind)
    if asked.after is not None:
        query = query.where(Image.id < asked.after)
    for word in asked.text.split():
        query = query.where(_matches(word))
    if not 1 <= asked.limit <= PAGE:
        raise BadInput(f"limit is 1 to {PAGE}; follow `next` for more")
    rows = list(session.scalars(query.options(*_WITH_ROW).limit(asked.limit + 1)))
    more = len(rows) > asked.limit
    rows = rows[: asked.limit]
    return Page(rows, rows[-1].id if more else None)


def get(session: Session, actor: Actor, uid: str) -> Image:
    """Return the image, or raise NotFound."""
    return policy.find(session, actor, Image, uid)


def rename(session: Session, actor: Actor, uid: str, name: str) -> Image:
    """Give the image another name for people; its uid and bytes stay. Contributors may."""
    image = policy.require(session, actor, "contributor", Image, uid)
    clean = names.label(name, "image")
    detail = {"from": image.name, "to": clean}
    subject = f"image:{uid}"
    journal.record(
        session, actor.name, "rename image", subject, detail, project_id=image.project_id
    )
    image.name = clean
    index.refresh(session, [image.id])
    return image


def parents(session: Session, actor: Actor, image: Image) -> list[Image]:
    """Return the visible images this one was made from."""
    if image.run_id is None:
        return []
    inputs = select(RunInput.image_id).where(RunInput.run_id == image.run_id)
    made_from = policy.visible(actor, Image).where(Image.id.in_(inputs))
    return list(session.scalars(made_from.options(*_WITH_ROW)))


def children(session: Session, actor: Actor, image: Image) -> list[Image]:
    """Return the visible images that runs made from this one, newest first."""
    runs = select(RunInput.run_id).where(RunInput.image_id == image.id)
    made = policy.visible(actor, Image).where(Image.run_id.in_(runs))
    newest = made.order_by(Image.id.desc()).limit(PAGE)
    return list(session.scalars(newest.options(*_WITH_ROW)))


_WITH_ROW = (
    selectinload(Image.project),
    selectinload(Image.dataset),
    selectinload(Image.source),
    selectinload(Image.tags).selectinload(Tag.term),
    selectinload(Image.tags).selectinload(Tag.value),
)
_shown = func.coalesce(Value.text, Tag.text)


def _matches(word: str) -> ColumnElement[bool]:
    """Match `key:value` against one tag, any other word against the name and all tags."""
    key, colon, value = word.partition(":")
    if colon and key and value:
        tagged = (
            select(Tag.record_id)
            .join(Term)
            .outerjoin(Value, Tag.value_id == Value.id)
            .where(Term.key.icontains(key, autoescape=True))
            .where(_shown.icontains(value, autoescape=True))
        )
        return Image.id.in_(tagged)
    tagged = select(Tag.record_id).outerjoin(Value, Tag.value_id == Value.id)
    tagged = tagged.where(_shown.icontains(word, autoescape=True))
    return or_(Image.name.icontains(word, autoescape=True), Image.id.in_(tagged))
