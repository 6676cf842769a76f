"""Process Run Crate: who ran what, when, on which data, and what came of it."""

from __future__ import annotations

from typing import Any

from .entities import Entity, Record, notebook_path, ref, refs

STATUS = {
    "done": "http://schema.org/CompletedActionStatus",
    "failed": "http://schema.org/FailedActionStatus",
    "cancelled": "http://schema.org/FailedActionStatus",
}


def action_id(record: Record) -> str:
    """Return the name of the action that is the run."""
    return f"#run-{record['run']['uid']}"


def value_id(record: Record, name: str) -> str:
    """Return the name of the value that a parameter had in a run."""
    return f"#value-{record['run']['uid']}-{name}"


def data_id(thing: dict[str, Any]) -> str:
    """Return the name of an image or file of the catalog, which no other site has given."""
    return f"urn:uuid:{thing['uid']}"


def given(record: Record) -> list[str]:
    """Return what went in: images and values."""
    images = [data_id(thing) for thing in record["inputs"]]
    return [*images, *(value_id(record, name) for name in record["parameters"])]


def made(record: Record) -> list[str]:
    """Return what came out; the executed notebook lies in the crate."""
    things = [data_id(thing) for thing in record["outputs"] if "uid" in thing]
    return [*things, *([notebook_path(record)] if record["notebook"] else [])]


def action(record: Record, name: str, instrument: str, title: str) -> Entity:
    """Return one action: what its instrument did with what was given."""
    timing, error = record["timing"], record["error"]
    told: Entity = {
        "@id": name,
        "@type": "CreateAction",
        "name": title,
        "instrument": ref(instrument),
        "agent": ref(person_id(record)),
        "object": refs(given(record)),
        "result": refs(made(record)),
        "startTime": timing["started_at"],
        "endTime": timing["ended_at"],
        "actionStatus": STATUS.get(record["run"]["state"]),
        "error": error and f"{error.get('error')}: {error.get('message')}",
    }
    return {key: value for key, value in told.items() if value not in (None, [])}


def person_id(record: Record) -> str:
    """Return the name of whoever began the run."""
    return f"#person-{record['run']['person']}"


def person(record: Record) -> Entity:
    """Return whoever began the run."""
    name = record["run"]["person"]
    return {"@id": person_id(record), "@type": "Person", "name": name}


def data(record: Record) -> list[Entity]:
    """Return images and files with their digests, the values, and the executed notebook."""
    things = [*record["inputs"], *(thing for thing in record["outputs"] if "uid" in thing)]
    found = [_file(data_id(thing), thing) for thing in things]
    if record["notebook"]:
        executed = _file(notebook_path(record), record["notebook"])
        found.append({**executed, "encodingFormat": "application/x-ipynb+json"})
    return [*found, *(_value(record, name) for name in record["parameters"])]


def _file(name: str, thing: dict[str, Any]) -> Entity:
    return {
        "@id": name,
        "@type": "File",
        "name": thing["name"],
        "identifier": thing["uid"],
        "contentSize": str(thing["nbytes"]),
        "sha256": thing["sha256"],
    }


def _value(record: Record, name: str) -> Entity:
    told = record["parameters"][name]
    value: Entity = {"@id": value_id(record, name), "@type": "PropertyValue", "name": name}
    value |= {"value": told["value"], "exampleOfWork": ref(f"#parameter-{name}")}
    return value | ({"unitText": told["unit"]} if told["unit"] else {})
