"""A deposit as it was when its import began: all that an importer needs without the database."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..core.catalog import held
from ..core.templates import promises
from ..db.tables import Deposit
from .prepared import Held, Prepared, Staged


@dataclass(frozen=True, slots=True)
class Job:
    """A deposit as it was when its import began."""

    id: int
    uid: str
    staged: Staged
    manifest: dict[str, Any]
    prepared: Prepared | None
    run_id: int | None
    broken: str = ""  # what its template promised and it did not write
    once: bool = False  # what is there already is not to come in a second time


def job_of(deposit: Deposit, there: Mapping[str, held.Kept] | None = None) -> Job:
    """Return what is to be done for a deposit; `there`: where the bytes lie that were not sent."""
    run = deposit.run
    staged = Staged(
        uid=deposit.uid,
        kind=deposit.kind,
        declared=tuple((f["path"], int(f["nbytes"])) for f in deposit.declared),
        outputs=tuple(deposit.manifest.get("outputs") or ()),
        input_name=run.inputs[0].image.name if run else "",
        label=f"{run.template.name} {run.uid[:8]}" if run else "",
        out=f"out-{secrets.token_hex(4)}",
        held=places(there or {}),
        check=bool(deposit.manifest.get("check")),
    )
    kept = deposit.results.get("prepared")
    prepared = Prepared.from_json(kept) if kept else None
    broken = promises.complaint(run.template, deposit.manifest) if run else ""
    return Job(
        deposit.id,
        deposit.uid,
        staged,
        deposit.manifest,
        prepared,
        deposit.run_id,
        broken,
        once=run is None and not deposit.again,
    )


def places(there: Mapping[str, held.Kept]) -> dict[str, Held]:
    """Return where bytes lie that were not sent."""
    return {path: Held(kept.uid, kept.key) for path, kept in there.items()}
