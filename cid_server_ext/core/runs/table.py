"""A batch as a table: a row names an image and has the values of its own parameters.

The first column says which image: `uid`, `name` (of one in the project) or `path` (dataset/name).
Each other column is a parameter; an empty cell means what the batch or the template says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ...db.tables import Dataset, Image, Project, Run, Template
from ...errors import BadInput, CidError
from .. import policy
from ..actor import Actor
from ..catalog import csvsheet
from ..catalog.homes import batches
from ..templates import contract, parameters, templates
from ..templates import manifest as manifests
from . import submit

NAMING = ("uid", "name", "path")
TOLD = 200  # wrong cells
NUMBER = 60  # characters
HEAD = 1  # the number of the header's row, as a spreadsheet program counts


@dataclass(frozen=True, slots=True)
class Given:
    """A table as it came: CSV text, the project of its names, the template and values for all."""

    template: str
    csv: str
    project: str | None = None
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wrong:
    """One cell that is not right: its row, counted from 1 with the header, and its column."""

    row: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class Line:
    """One row that is right."""

    row: int
    image: Image
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Read:
    """A table that was read: submitted only where nothing is wrong."""

    template: Template
    manifest: manifests.Manifest
    rows: int
    lines: list[Line]
    wrong: list[Wrong]


def read(session: Session, actor: Actor, given: Given) -> Read:
    """Look at every cell, tell each that is wrong, and change nothing.

    Raises NotFound for the template or project, BadInput for what is no table.
    """
    published = templates.newest(session, actor, given.template)
    manifest = manifests.read(published.manifest)
    rows = csvsheet.read(given.csv.encode(), submit.MOST_IMAGES, field="csv")
    rows = [row for row in rows if any(str(cell or "").strip() for cell in row)]
    if len(rows) < 2:
        raise BadInput("csv: a header and at least one row")
    header = [str(cell or "").strip() for cell in rows[0]]
    wrong = list(_headers(header, manifest))
    if wrong:
        return Read(published, manifest, len(rows) - 1, [], wrong)
    project = None
    if given.project is not None:
        project = policy.find(session, actor, Project, given.project)
    elif header[0] != "uid":
        raise BadInput(f"project: say in which project each {header[0]} is looked for")
    named = [str(row[0] or "").strip() for row in rows[1:]]
    images = _images(session, actor, header[0], named, project)
    lines = [
        line
        for number, row in enumerate(rows[1:], HEAD + 1)
        if (line := _line(number, header, row, images, manifest, given, wrong)) is not None
    ]
    _judge(session, actor, manifest, lines, wrong)
    wrong.sort(key=lambda one: one.row)
    return Read(published, manifest, len(rows) - 1, lines, wrong[:TOLD])


def queue(session: Session, actor: Actor, given: Given) -> list[Run]:
    """Queue one run for each row, all of one batch, or raise BadInput that names every wrong cell.

    Raises NotAllowed (contributor of each image's project), and OverQuota where the results would
    not fit; nothing is queued then.
    """
    found = read(session, actor, given)
    for image in {line.image.project_id: line.image for line in found.lines}.values():
        policy.require(session, actor, "contributor", Image, image.uid)
    if found.wrong:
        first = found.wrong[0]
        where = f"row {first.row}, {first.column}: {first.message}"
        more = f" (and {len(found.wrong) - 1} more)" if len(found.wrong) > 1 else ""
        fields = [{"field": f"row {w.row}, {w.column}", "message": w.message} for w in found.wrong]
        raise BadInput(f"csv: {where}{more}", fields)
    order = submit.Order(found.template, found.manifest, {})
    orders = [(replace(order, values=line.values), line.image) for line in found.lines]
    return submit.queue_all(session, actor, orders)


def _headers(header: Sequence[str], manifest: manifests.Manifest) -> Iterator[Wrong]:
    if header[0] not in NAMING:
        yield Wrong(HEAD, header[0] or "1", f"the first column is one of {', '.join(NAMING)}")
    for at, name in enumerate(header[1:], 2):
        if not name:
            yield Wrong(HEAD, str(at), "a column without a name")
        elif header.index(name) != at - 1:
            yield Wrong(HEAD, name, "this column is there twice")
    if header[0] in NAMING:
        known = {name: None for name in header[1:] if name}
        _, notes = parameters.each(manifest, known)
        unknown = [(name, said) for name, said in notes if name not in manifest.parameters]
        yield from (Wrong(HEAD, name, said) for name, said in unknown)


def _images(
    session: Session, actor: Actor, by: str, named: Sequence[str], project: Project | None
) -> dict[str, list[Image]]:
    """Return the images that each name means; of one that is not seen none."""
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


def _name(path: str) -> str:
    return path.strip("/").rpartition("/")[2]


def _line(
    number: int,
    header: Sequence[str],
    row: Sequence[Any],
    images: dict[str, list[Image]],
    manifest: manifests.Manifest,
    given: Given,
    wrong: list[Wrong],
) -> Line | None:
    """Return a row whose cells are right; what is wrong is noted."""
    before = len(wrong)
    name = str(row[0] or "").strip()
    meant = images.get(name.strip("/") if header[0] == "path" else name, [])
    if len(meant) != 1:
        said = f"{len(meant)} images are called {name!r}: say which by its uid"
        wrong.append(
            Wrong(number, header[0], said if meant else f"no image {name!r} that you can see")
        )
    values = dict(given.values)
    for column, cell in zip(header[1:], row[1:], strict=False):
        text = str(cell if cell is not None else "").strip()
        if text:
            values[column] = _value(manifest.parameters[column], text)
    if len(row) > len(header):
        wrong.append(Wrong(number, str(len(header) + 1), "more cells than the header has"))
    checked, notes = parameters.each(manifest, values)
    wrong.extend(Wrong(number, column, said) for column, said in notes)
    return Line(number, meant[0], checked) if len(wrong) == before else None


def _value(parameter: manifests.Parameter, text: str) -> Any:
    """Return what the text of a cell means for a parameter."""
    if parameter.type in ("text", "choice"):
        return text
    if parameter.type == "boolean":
        return {"true": True, "false": False, "yes": True, "no": False}.get(text.lower(), text)
    try:
        return json.loads(text) if len(text) <= NUMBER else text
    except ValueError:  # the check says what it takes
        return text


def _judge(
    session: Session,
    actor: Actor,
    manifest: manifests.Manifest,
    lines: Sequence[Line],
    wrong: list[Wrong],
) -> None:
    """Note what a submit would refuse of images that are there."""
    ids = [line.image.id for line in lines]
    tags, gone = (
        submit.tagged(session, manifest, ids),
        submit.unreadable(session, [line.image for line in lines]),
    )
    refused: dict[int, str] = {}
    for project in {line.image.project_id: line.image for line in lines}.values():
        try:
            policy.require(session, actor, "contributor", Image, project.uid)
            submit.check_active(project.project)
        except CidError as error:
            refused[project.project_id] = str(error)
    first: dict[int, int] = {}
    for line in lines:
        image = line.image
        if first.setdefault(image.id, line.row) != line.row:
            said = f"row {first[image.id]} has this image already"
            wrong.append(Wrong(line.row, "image", said))
        if image.project_id in refused:
            wrong.append(Wrong(line.row, "image", refused[image.project_id]))
        notes = list(contract.notes(manifest, image, line.values, tags.get(image.id, ())))
        for note in [*notes, *gone.get(image.id, ())]:
            if note.light == "red":
                wrong.append(Wrong(line.row, note.about, f"{note.message}; {note.fix}"))
