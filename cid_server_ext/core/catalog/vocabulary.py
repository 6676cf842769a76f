"""The vocabulary that a project sees: the facility's terms, which all inherit, and its own."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, or_, select, text
from sqlalchemy.orm import Session

from ...db.tables import Project, Term
from ...errors import BadInput, NotFound
from .. import policy
from ..actor import Actor
from . import typed

ACQUIRED = "Acquisition date"
MACHINE = (
    "Microscope",
    "Acquisition software",
    "Objective",
    "Lasers",
    "Filters",
    "Tube/Detector",
    ACQUIRED,
    "User",
)
SAMPLE = ("Cell type", "Tissue type", "Staining", "Protein", "Molecule")
SEVERAL = {"Staining", "Protein", "Molecule"}  # a sample has more than one of these

MOST = 500  # terms of one project, or of the facility
LOCK = 0x7465726D  # "term": PostgreSQL's advisory lock of those who add to a vocabulary


def seed(session: Session) -> None:
    """Make the facility's first terms where they are absent; part of the caller's entry."""
    have = set(session.scalars(select(Term.folded).where(Term.project_id.is_(None))))
    if not have >= set(_SEEDS):
        alone(session)
        have = set(session.scalars(select(Term.folded).where(Term.project_id.is_(None))))
        session.add_all(_seeded(folded) for folded in _SEEDS if folded not in have)
        session.flush()


def new_term(project_id: int, key: str, kind: str, type: str, unit: str = "") -> Term:
    """Return a plain term that is not saved: the facility's where `key` is one of its first."""
    folded = typed.folded(key, 200)
    if folded in _SEEDS:
        return _seeded(folded)
    return Term(
        project_id=project_id,
        key=term_key(key),
        folded=folded,
        kind=kind,
        type=type,
        unit=unit,
        scheme="",
        pattern="",
        link="",
        many=False,
        retired=False,
    )


def term_key(key: str) -> str:
    """Return a term's key as it is kept, or raise BadInput; ":" would end it in a search."""
    clean = typed.clean(key.replace(":", " "), "key:", 80)
    if "/" in clean or clean in {".", ".."}:
        raise BadInput(f"key: {clean!r} may not have a '/'")
    return " ".join(clean.split(" "))


def inherited(project_id: int | None) -> ColumnElement[bool]:
    """Return the WHERE clause that keeps the facility's terms and those of the project."""
    return or_(Term.project_id.is_(None), Term.project_id == project_id)


def terms(session: Session, project_id: int | None) -> list[Term]:
    """Return the terms a project sees, the retired ones too: sample, processing, machine."""
    rows = session.scalars(select(Term).where(inherited(project_id)))
    return sorted(rows, key=lambda term: (_KINDS.index(term.kind), term.folded, term.id))


def find(session: Session, actor: Actor, uid: str) -> Term:
    """Return a term of the facility or of a project the caller reaches, or raise NotFound."""
    reached = or_(Term.project_id.is_(None), Term.project_id.in_(policy.projects(actor)))
    term = session.scalar(select(Term).where(Term.uid == uid, reached))
    if term is None:
        raise NotFound(f"no term {uid!r} that you can see")
    return term


def manage(session: Session, actor: Actor, uid: str) -> Term:
    """Return a term that the caller may change: managers their project's, staff all."""
    term = find(session, actor, uid)
    require_manager(session, actor, term.project)
    return term


def require_manager(session: Session, actor: Actor, project: Project | None) -> None:
    """Raise NotAllowed unless the caller may change this project's vocabulary, or all's.

    Conflict: the project is closed, and its tags would change with its words.
    """
    if project is None:
        policy.require_staff(actor)
        return
    policy.require(session, actor, "manager", Project, project.name)
    policy.require(session, actor, "contributor", Project, project.name)


def alone(session: Session) -> None:
    """Be the only one who adds to a vocabulary until the commit; SQLite has one writer anyway.

    Who takes it looks again whether somebody else has just added the same.
    """
    if session.connection().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": LOCK})


def room(session: Session, project_id: int | None) -> None:
    """Raise BadInput when the vocabulary has as many terms as it may."""
    owned = Term.project_id.is_(None) if project_id is None else Term.project_id == project_id
    if (session.scalar(select(func.count()).where(owned)) or 0) >= MOST:
        raise BadInput(f"key: a vocabulary has at most {MOST} terms; merge some first")


def is_acquisition(term: Term) -> bool:
    """Say whether the term's date is also the image's `acquired_at`."""
    return term.project_id is None and term.folded == _ACQUIRED


def _seeded(folded: str) -> Term:
    key = _SEEDS[folded]
    return Term(
        key=key,
        folded=folded,
        kind="machine" if key in MACHINE else "sample",
        type="date" if key == ACQUIRED else "text",
        unit="",
        scheme="",
        pattern="",
        link="",
        many=key in SEVERAL,
        retired=False,
    )


_KINDS = ("sample", "processing", "machine")
_SEEDS = {typed.folded(key, 200): key for key in (*MACHINE, *SAMPLE)}
_ACQUIRED = typed.folded(ACQUIRED, 200)
