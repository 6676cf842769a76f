"""Deposits: room reserved, files staged by ticket, then committed or given up."""

from __future__ import annotations

import functools
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ..core.catalog import deposits
from ..db import tables as t
from ..errors import BadInput, Conflict
from ..storage import uploads
from ..storage.roots import staging_prefix
from . import deposit_shapes as shapes
from .base import Ask, CidHandler, endpoint
from .mask_shapes import Tags, told

LISTED = 32 << 20  # bytes of a list of files: an OME-Zarr may be 100,000 of them


class Declared(BaseModel):
    """One file that will be uploaded: its path in the deposit and its size in bytes.

    With its `sha256` the answer says whether it is there already.
    """

    model_config = ConfigDict(extra="forbid")
    path: str = Field(max_length=600)
    nbytes: int = Field(ge=0, lt=2**60)
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")


class NewDeposit(BaseModel):
    """What will come: `import` is read as images, `files` is kept as it is.

    `again`: what is there already comes in a second time. `mask` and `instrument` by name or uid:
    it is held to that mask, or to the instrument's. `tags` are of all that comes, `tags_of` by path
    of a file, or of a folder with all below it. The same `key`, of your choice, answers with the
    deposit that it opened while that is under way: a lost answer reserves nothing twice.
    """

    model_config = ConfigDict(extra="forbid")
    kind: Literal["import", "files"] = "import"
    dataset: str = ""
    files: list[Declared]
    again: bool = False
    key: str | None = Field(default=None, pattern="^[0-9A-Za-z_-]{8,64}$")
    mask: str = Field(default="", max_length=200)
    instrument: str = Field(default="", max_length=200)
    tags: Tags = {}
    tags_of: dict[str, Tags] = Field(default={}, max_length=10_000)


class Output(BaseModel):
    """What one staged path of a run is; of a file perhaps with the sha256 that it shall have."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["labels", "image", "table", "figure", "file", "notebook", "log"]
    name: str = Field(min_length=1, max_length=120)
    path: str = Field(min_length=1, max_length=600)
    source: str | None = None
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")


class Usage(BaseModel):
    """What a run took, measured where it was executed; what could not be measured is left out.

    `gpu_seconds` count a GPU for as much of each second as it was busy.
    """

    model_config = ConfigDict(extra="forbid")
    wall_seconds: float = Field(ge=0, lt=1e9)
    cpu_seconds: float = Field(0, ge=0, lt=1e12)
    gpu_seconds: float | None = Field(None, ge=0, lt=1e12)
    peak_memory: int = Field(0, ge=0, lt=2**53)
    bytes_read: int = Field(0, ge=0, lt=2**60)
    bytes_written: int = Field(0, ge=0, lt=2**60)
    workers: int = Field(1, ge=1, le=10_000)


class Manifest(BaseModel):
    """What the depositor says of the whole; of an import only what is below `outputs`.

    `instrument` by name or uid. `check`: only say, in the deposit's `report`, what it would become;
    the deposit stays open. `mask`, `tags` and `tags_of` add to what was said when it was opened.
    """

    model_config = ConfigDict(extra="forbid")
    state: Literal["done", "failed", "cancelled"] = "done"
    error: dict[str, Any] | None = None
    metrics: dict[str, float | str | bool] = {}
    environment: dict[str, Any] = {}
    usage: Usage | None = None
    outputs: list[Output] = []
    instrument: str = Field("", max_length=200)
    check: bool = False
    mask: str = Field("", max_length=200)
    tags: Tags = {}
    tags_of: dict[str, Tags] = Field(default={}, max_length=10_000)


class Deposits(CidHandler):
    """projects/{project}/deposits."""

    @endpoint(
        "Open a deposit",
        who="contributor",
        body=NewDeposit,
        answer=shapes.Deposit,
        status=201,
        largest=LISTED,
    )
    def post(self, ask: Ask, project: str) -> shapes.Deposit:
        """Reserve its bytes and answer where to PUT the files.

        BadInput before a byte moves: `fields` says of each field and file what does not fit.
        """
        new = ask.body
        declared = [file.model_dump() for file in new.files]
        row = deposits.open_import(
            ask.session,
            ask.actor,
            project,
            dataset=new.dataset,
            kind=new.kind,
            declared=declared,
            again=new.again,
            key=new.key,
            told=told(new.mask, new.instrument, new.tags, new.tags_of),
        )
        return shapes.deposit(ask, row)


class Deposit(CidHandler):
    """deposits/{deposit}."""

    @endpoint("How a deposit goes", who="owner", answer=shapes.Deposit)
    def get(self, ask: Ask, deposit: str) -> shapes.Deposit:
        """With a fresh write ticket while it is open."""
        return shapes.deposit(ask, deposits.get(ask.session, ask.actor, deposit))

    @endpoint("Give a deposit up", who="owner", answer=shapes.Deposit)
    def delete(self, ask: Ask, deposit: str) -> shapes.Deposit:
        """Its room is given back and its bytes are removed. Managers may, too."""
        before = deposits.to_give_up(ask.session, ask.actor, deposit).state
        row = deposits.abort(ask.session, ask.actor, deposit)
        if before == "open":  # else the import that reads there removes it when it has stopped
            remove = ask.services.data.root.remove
            ask.after.append(functools.partial(remove, staging_prefix(row.uid)))
        return shapes.deposit(ask, row)


class Commit(CidHandler):
    """deposits/{deposit}/commit."""

    @endpoint("Begin the import", who="owner", body=Manifest, answer=shapes.Deposit, status=202)
    def post(self, ask: Ask, deposit: str) -> shapes.Deposit:
        """Everything becomes visible at once, or nothing; poll the deposit.

        Conflict: files are still coming; the deposit stays open. With `check` nothing becomes
        visible: poll until it is open again and has a `report`; so it is, too, when the mask of the
        microscope that the files name asks for more: `report.wrong` says what, the next commit may.
        """
        if ask.body.check and deposits.get(ask.session, ask.actor, deposit).kind != "import":
            raise BadInput("check: only what is read as images can be checked")
        _refuse_unfinished(ask, deposits.get(ask.session, ask.actor, deposit))
        of = ask.body
        manifest = of.model_dump(mode="json", exclude={"mask", "tags", "tags_of"})
        said = told(of.mask, "", of.tags, of.tags_of)
        row = deposits.begin(ask.session, ask.actor, deposit, manifest, said)
        ask.after.append(functools.partial(ask.services.importer.submit, row.uid))
        return shapes.deposit(ask, row)


def _refuse_unfinished(ask: Ask, row: t.Deposit) -> None:
    """Raise Conflict while what a person declared is not there whole; a run is not held up."""
    if row.state != "open" or row.run_id is not None:
        return
    sent = [(f["path"], int(f["nbytes"])) for f in row.declared if "held" not in f]
    prefix = ask.services.data.root.path(f"{staging_prefix(row.uid)}/in")
    if coming := uploads.missing(prefix, sent):
        many = f"{len(coming)} files are" if len(coming) > 1 else "1 file is"
        raise Conflict(
            f"{many} still coming, first {coming[0]!r}: upload what is missing, then commit again"
        )
