"""What the last comparison of catalog and storage found: one small file below the root.

It is no truth and no part of the catalog: the next comparison writes it anew.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

KEY = "state/reconciled.json"


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Bytes on storage less bytes counted, by project uid; projects without a difference lack.

    `differing` says by project uid which records differ, the first few, and `names` what the
    project was called. `strangers`: bytes on storage that belong to no record.
    """

    began: dt.datetime
    ended: dt.datetime
    records: int
    strangers: int
    drift: Mapping[str, int] = field(default_factory=dict)
    differing: Mapping[str, list[str]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def drift_of(self, project: str) -> int:
        """Return the difference of a project, by its uid."""
        return self.drift.get(project, 0)


def keep(root: Path, found: Reconciled) -> None:
    """Write what was found, in place of what was found before."""
    path = root / KEY
    path.parent.mkdir(parents=True, exist_ok=True)
    said = {
        "began": found.began.isoformat(),
        "ended": found.ended.isoformat(),
        "records": found.records,
        "strangers": found.strangers,
        "drift": dict(found.drift),
        "differing": dict(found.differing),
        "names": dict(found.names),
    }
    beside = path.with_suffix(f".{secrets.token_hex(4)}")
    beside.write_text(json.dumps(said), encoding="utf-8")
    os.replace(beside, path)


def kept(root: Path) -> Reconciled | None:
    """Return what the last comparison found; None: there was none, or its file is damaged."""
    try:
        said = json.loads((root / KEY).read_bytes())
        return Reconciled(
            dt.datetime.fromisoformat(said["began"]),
            dt.datetime.fromisoformat(said["ended"]),
            int(said["records"]),
            int(said["strangers"]),
            {str(uid): int(nbytes) for uid, nbytes in said["drift"].items()},
            {str(uid): list(keys) for uid, keys in said["differing"].items()},
            {str(uid): str(name) for uid, name in said["names"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
