"""Provenance Run Crate: the engine, the step it took for each run, and what that step used."""

from __future__ import annotations

from typing import Any

from .entities import Entity, Record, ref, refs
from .process import action, action_id, person_id

TOOL, STEP, ENGINE = "#notebook-execution", "#step-execute", "#cid-for-jupyter"
UNITS = {
    "wall_seconds": "s",
    "cpu_seconds": "s",
    "gpu_seconds": "s",
    "peak_memory": "bytes",
    "bytes_read": "bytes",
    "bytes_written": "bytes",
    "workers": "",
}


def described(records: list[Record]) -> list[Entity]:
    """Return the tool that executes notebooks, the one step of a template, and the engine."""
    packages = (records[0]["environment"] or {}).get("packages") or {}
    tool: Entity = {"@id": TOOL, "@type": "SoftwareApplication", "name": "papermill"}
    engine: Entity = {"@id": ENGINE, "@type": "SoftwareApplication", "name": "CID for Jupyter"}
    for one, package in ((tool, "papermill"), (engine, "jupyter-cid")):
        if package in packages:
            one["softwareVersion"] = packages[package]
    step = {
        "@id": STEP,
        "@type": "HowToStep",
        "name": "Execute the notebook",
        "position": "0",
        "workExample": ref(TOOL),
    }
    return [tool, step, engine]


def of_run(record: Record) -> list[Entity]:
    """Return how the engine had the step done for one run, with what that took."""
    uid = record["run"]["uid"]
    usage = _usage(record)
    execution = action(record, f"#execution-{uid}", TOOL, "Execution of the notebook")
    if usage:
        execution["resourceUsage"] = refs(one["@id"] for one in usage)
    control: Entity = {
        "@id": f"#control-{uid}",
        "@type": "ControlAction",
        "name": "Step of the run",
        "instrument": ref(STEP),
        "object": [ref(execution["@id"])],
    }
    organize: dict[str, Any] = {
        "@id": f"#organize-{uid}",
        "@type": "OrganizeAction",
        "name": "Run by CID for Jupyter",
        "agent": ref(person_id(record)),
        "instrument": ref(ENGINE),
        "object": [ref(control["@id"])],
        "result": ref(action_id(record)),
    }
    started = record["timing"]["started_at"]
    return [execution, control, organize | ({"startTime": started} if started else {}), *usage]


def _usage(record: Record) -> list[Entity]:
    uid, usage = record["run"]["uid"], record["usage"] or {}
    return [
        {
            "@id": f"#usage-{uid}-{name}",
            "@type": "PropertyValue",
            "name": name,
            "propertyID": f"https://w3id.org/ro/terms/cid#{name}",
            "value": str(usage[name]),
            **({"unitText": unit} if unit else {}),
        }
        for name, unit in UNITS.items()
        if usage.get(name) is not None
    ]
