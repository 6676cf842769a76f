"""The pieces of JSON-LD that all profiles use, and what the crate says of itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

Entity = dict[str, Any]
Record = Mapping[str, Any]

WFRUN = "https://w3id.org/ro/terms/workflow-run#"
CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    {"resourceUsage": f"{WFRUN}resourceUsage", "sha256": f"{WFRUN}sha256"},
]
CRATE = "https://w3id.org/ro/crate/1.1"
WORKFLOW_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/provenance/0.5": ("Provenance Run Crate", "0.5"),
    WORKFLOW_CRATE: ("Workflow RO-Crate", "1.0"),
}
LICENCE = "The rights are those of the project that the data belong to; ask its team."
METADATA, WORKFLOW = "ro-crate-metadata.json", "workflow.ipynb"


def ref(name: str) -> Entity:
    """Return a reference to an entity."""
    return {"@id": name}


def refs(names: Iterable[str]) -> list[Entity]:
    """Return references, each once."""
    return [ref(name) for name in dict.fromkeys(names)]


def notebook_path(record: Record) -> str:
    """Return where the executed notebook of a run lies in the crate."""
    return f"runs/{record['run']['uid']}/executed.ipynb"


def record_path(record: Record) -> str:
    """Return where the sealed record of a run lies in the crate."""
    return f"runs/{record['run']['uid']}/provenance.json"


def root(records: list[Record], parts: Iterable[str], actions: Iterable[str]) -> list[Entity]:
    """Return the metadata file, the crate itself, and the profiles that it keeps to."""
    first, count = records[0], len(records)
    template = first["template"]
    what = "a run" if count == 1 else f"{count} runs"
    ends = [record["timing"]["ended_at"] or record["timing"]["submitted_at"] for record in records]
    published = max(filter(None, ends), default=dt.datetime.now(dt.UTC).isoformat())
    return [
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "about": ref("./"),
            "conformsTo": [ref(CRATE), ref(WORKFLOW_CRATE)],
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"{template['name']} {template['version']}: {what}",
            "description": f"Provenance of {what} of {template['name']} in project"
            f" {first['project']['name']}, as CID for Jupyter kept it.",
            "datePublished": published,
            "license": LICENCE,
            "conformsTo": refs(PROFILES),
            "hasPart": refs(parts),
            "mainEntity": ref(WORKFLOW),
            "mentions": refs(actions),
        },
        *(
            {"@id": name, "@type": "CreativeWork", "name": title, "version": version}
            for name, (title, version) in PROFILES.items()
        ),
    ]
