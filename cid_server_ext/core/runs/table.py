"""A batch as a table: a row names an image and has the values of its own parameters.

The first column says which image: `uid`, `name` (of one in the project) or `path` (dataset/name).
Each other column is a parameter, or a role of the template: which further images that run gets. An
empty cell means what the batch or the template says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.orm import Session

from ...db.tables import Image, Project, Run, Template
from ...errors import BadInput, CidError
from .. import policy
from ..actor import Actor
from ..catalog import csvsheet
from ..queue import turns
from ..queue.turns import Turn
from ..templates import contract, parameters, templates
from ..templates import manifest as manifests
from . import further, lookup, submit
from .beside import Beside

TOLD = 200  # wrong cells
NUMBER = 60  # characters
HEAD = 1  # the number of the header's row, as a spreadsheet program counts


@dataclass(frozen=True, slots=True)
class Given:
    """A table as it came: CSV text, the project of its names, the template and values for all.

    `inputs` are further ones by role, for rows that say none; `turn` says how urgent all are.
    """

    template: str
    csv: str
    project: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    inputs: further.Given = field(default_factory=dict)
    turn: Turn = turns.USUAL


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
    also: further.Chosen


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

    Raises NotFound for the template, the project or an input for all rows, BadInput for what is no
    table, NotAllowed for a turn that only staff gives.
    """
    turns.check(actor, given.turn)
    published = templates.newest(session, actor, given.template)
    manifest = manifests.read(published.manifest)
    rows = csvsheet.read(given.csv.encode(), submit.MOST_IMAGES, field="csv")
    rows = [row for row in rows if any(str(cell or "").strip() for cell in row)]
    if len(rows) < 2:
        raise BadInput("csv: a header and at least one row")
    header = [str(cell or "").strip() for cell in rows[0]]
    beside = Beside(manifest, header, given.inputs)
    wrong = list(_headers(header, manifest, beside))
    if wrong:
        return Read(published, manifest, len(rows) - 1, [], wrong)
    project = None
    if given.project is not None:
        project = policy.find(session, actor, Project, given.project)
    elif header[0] != "uid":
        raise BadInput(f"project: say in which project each {header[0]} is looked for")
    named = [str(row[0] or "").strip() for row in rows[1:]]
    images = lookup.images(session, actor, header[0], named, project)
    beside.look(session, actor, rows[1:], project)
    lines = [
        line
        for number, row in enumerate(rows[1:], HEAD + 1)
        if (line := _line(number, header, row, images, manifest, given, beside, wrong)) is not None
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
    order = submit.Order(found.template, found.manifest, {}, turn=given.turn)
    orders = [
        (replace(order, values=line.values, also=line.also), line.image) for line in found.lines
    ]
    return submit.queue_all(session, actor, orders)


def _headers(
    header: Sequence[str], manifest: manifests.Manifest, beside: Beside
) -> Iterator[Wrong]:
    if header[0] not in lookup.NAMING:
        ways = ", ".join(lookup.NAMING)
        yield Wrong(HEAD, header[0] or "1", f"the first column is one of {ways}")
    for at, name in enumerate(header[1:], 2):
        if not name:
            yield Wrong(HEAD, str(at), "a column without a name")
        elif header.index(name) != at - 1:
            yield Wrong(HEAD, name, "this column is there twice")
    if header[0] in lookup.NAMING:
        known = {name: None for name in header[1:] if name and name not in beside.columns}
        _, notes = parameters.each(manifest, known)
        unknown = [(name, said) for name, said in notes if name not in manifest.parameters]
        unknown += beside.missing()
        yield from (Wrong(HEAD, name, said) for name, said in unknown)


def _line(
    number: int,
    header: Sequence[str],
    row: Sequence[Any],
    images: dict[str, list[Image]],
    manifest: manifests.Manifest,
    given: Given,
    beside: Beside,
    wrong: list[Wrong],
) -> Line | None:
    """Return a row whose cells are right; what is wrong is noted."""
    before = len(wrong)
    name = str(row[0] or "").strip()
    meant = images.get(lookup.key(header[0], name), [])
    if len(meant) != 1:
        said = f"{len(meant)} images are called {name!r}: say which by its uid"
        wrong.append(
            Wrong(number, header[0], said if meant else f"no image {name!r} that you can see")
        )
    values = dict(given.values)
    for column, cell in zip(header[1:], row[1:], strict=False):
        text = str(cell if cell is not None else "").strip()
        if text and column not in beside.columns:
            values[column] = _value(manifest.parameters[column], text)
    if len(row) > len(header):
        wrong.append(Wrong(number, str(len(header) + 1), "more cells than the header has"))
    checked, notes = parameters.each(manifest, values)
    also, said_beside = beside.of(row)
    wrong.extend(Wrong(number, column, said) for column, said in [*notes, *said_beside])
    return Line(number, meant[0], checked, also) if len(wrong) == before else None


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
