"""What a run was: its sealed record, the keys to check it with, its crate; and image lineage."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..core.catalog import images
from ..core.provenance import lineage, seals
from ..core.provenance.crate import whole
from ..errors import BadInput, NotFound
from . import shapes
from .base import Ask, CidHandler, endpoint
from .download import Download

ZIP = "application/zip"
LARGEST = 256 << 20  # bytes of executed notebooks in one crate


class Provenance(BaseModel):
    """A record; while `sealed` is false it may still change, and has no signature.

    `signature` is a detached JWS (EdDSA) over the record's canonical JSON (RFC 8785), `sha256` that
    of the same bytes, `key` the `kid` of a key in `keys`.
    """

    record: dict[str, Any]
    sealed: bool
    sealed_at: dt.datetime | None
    sha256: str | None
    key: str | None
    signature: str | None


class Keys(BaseModel):
    """Public keys as a JWK set (RFC 7517), the one that signs now first."""

    keys: list[dict[str, Any]]


class Way(BaseModel):
    """How far to look, and which way: `from` what it was made, or for what it was `used`."""

    model_config = ConfigDict(extra="forbid")
    depth: int = Field(1, ge=1, le=lineage.DEEPEST)
    direction: Literal["from", "used", "both"] = "both"


class Step(BaseModel):
    """One run on the way; inputs and outputs are uids of images that are told."""

    run: str
    template: str
    version: str
    state: str
    person: str
    inputs: list[str]
    outputs: list[str]


class Lineage(BaseModel):
    """`parents` and `children` are one step away; `images` all that was asked for, nearest first.

    `more`: there are more than fit in one answer.
    """

    parents: list[shapes.Row]
    children: list[shapes.Row]
    images: list[shapes.Row]
    runs: list[Step]
    more: bool


class RunProvenance(CidHandler):
    """runs/{run}/provenance."""

    @endpoint("What a run was", who="viewer", answer=Provenance)
    def get(self, ask: Ask, run: str) -> Provenance:
        """Sealed once the run has ended: then it never changes."""
        told = seals.told(ask.session, ask.actor, run)
        sealed = told.sealed
        return Provenance(
            record=told.record,
            sealed=sealed is not None,
            sealed_at=sealed and sealed.sealed_at,
            sha256=sealed and sealed.sha256,
            key=sealed and sealed.key,
            signature=sealed and sealed.signature,
        )


class RunCrate(CidHandler):
    """runs/{run}/crate."""

    @endpoint("Workflow Run RO-Crate", who="viewer", media=(ZIP,))
    def get(self, ask: Ask, run: str) -> Download:
        """A ZIP: metadata, template, executed notebook and sealed record; images by digest."""
        return _zipped(ask, whole.of_run(ask.session, ask.actor, run), run)


class BatchCrate(CidHandler):
    """batches/{batch}/crate."""

    @endpoint("RO-Crate of a batch", who="viewer", media=(ZIP,))
    def get(self, ask: Ask, batch: str) -> Download:
        """Of its first 200 runs."""
        return _zipped(ask, whole.of_batch(ask.session, ask.actor, batch), batch)


class PublicKeys(CidHandler):
    """keys."""

    @endpoint("Keys to check records with", who="anyone", answer=Keys)
    def get(self, ask: Ask) -> Keys:
        """Those of earlier times too."""
        return Keys(keys=ask.services.keys.public())


class ImageLineage(CidHandler):
    """images/{image}/lineage."""

    @endpoint(
        "What it was made from, what was made from it", who="viewer", query=Way, answer=Lineage
    )
    def get(self, ask: Ask, image: str) -> Lineage:
        """Through runs, as many steps as asked; what one may not see is not there."""
        row, way = images.get(ask.session, ask.actor, image), ask.query
        back, forth = way.direction != "used", way.direction != "from"
        found = lineage.of(ask.session, ask.actor, row, back=back, forth=forth, depth=way.depth)
        return Lineage(
            parents=shapes.rows(ask, images.parents(ask.session, ask.actor, row)) if back else [],
            children=shapes.rows(ask, images.children(ask.session, ask.actor, row))
            if forth
            else [],
            images=shapes.rows(ask, found.images),
            runs=[_step(step) for step in found.steps],
            more=found.more,
        )


def _zipped(ask: Ask, crate: whole.Crate, uid: str) -> Download:
    """Return the crate as one ZIP; a notebook that is not in the storage raises NotFound."""
    root = ask.services.data.root
    paths = {name: root.path(key) for name, key in crate.notebooks.items()}
    if missing := [name for name, path in paths.items() if not path.is_file()]:
        raise NotFound(f"{missing[0]} is not in the storage: tell staff")
    if sum(path.stat().st_size for path in paths.values()) > LARGEST:
        raise BadInput(f"the notebooks have more than {LARGEST >> 20} MiB: take single runs")
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in crate.texts.items():
            archive.writestr(_entry(name), text)
        for name, path in paths.items():
            archive.writestr(_entry(name), path.read_bytes())
    return Download(made.getvalue(), ZIP, f"{uid}.crate.zip")


def _entry(name: str) -> zipfile.ZipInfo:
    """Return an entry without a time: equal crates are equal files."""
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _step(step: lineage.Step) -> Step:
    run = step.run
    return Step(
        run=run.uid,
        template=run.template.name,
        version=run.template.version,
        state=run.state,
        person=run.person,
        inputs=step.inputs,
        outputs=step.outputs,
    )
