"""Workflow Run Crate: the template as a workflow with its formal inputs and outputs."""

from __future__ import annotations

from .entities import WORKFLOW, Entity, Record, notebook_path, ref, refs
from .process import data_id, value_id

TYPES = {"number": "Float", "integer": "Integer", "boolean": "Boolean"}
LANGUAGE: Entity = {
    "@id": "https://w3id.org/workflowhub/workflow-ro-crate#jupyter",
    "@type": "ComputerLanguage",
    "name": "Jupyter Notebook",
    "url": "https://jupyter.org",
}


def described(records: list[Record], tool: str, step: str) -> list[Entity]:
    """Return the template, its language and its formal parameters."""
    template = records[0]["template"]
    entering, leaving = _entering(records), _leaving(records)
    return [
        {
            "@id": WORKFLOW,
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
            "name": template["title"] or template["name"],
            "version": template["version"],
            "identifier": template["sha256"],
            "encodingFormat": "application/x-ipynb+json",
            "programmingLanguage": ref(LANGUAGE["@id"]),
            "input": refs(one["@id"] for one in entering),
            "output": refs(one["@id"] for one in leaving),
            "hasPart": [ref(tool)],
            "step": [ref(step)],
        },
        LANGUAGE,
        *entering,
        *leaving,
    ]


def _entering(records: list[Record]) -> list[Entity]:
    examples: dict[str, list[str]] = {}
    for record in records:
        for given in record["inputs"]:
            examples.setdefault(given["role"], []).append(data_id(given))
    images = [
        _formal(f"#input-{role}", role, "File", names, required=True)
        for role, names in examples.items()
    ]
    values = [
        _formal(
            f"#parameter-{name}",
            name,
            TYPES.get(told["type"], "Text"),
            [value_id(record, name) for record in records if name in record["parameters"]],
        )
        for name, told in records[0]["parameters"].items()
    ]
    return [*images, *values]


def _leaving(records: list[Record]) -> list[Entity]:
    examples: dict[str, list[str]] = {}
    for record in records:
        for made in record["outputs"]:
            if "uid" in made:
                examples.setdefault(made["kind"], []).append(data_id(made))
        if record["notebook"]:
            examples.setdefault("notebook", []).append(notebook_path(record))
    return [_formal(f"#output-{kind}", kind, "File", names) for kind, names in examples.items()]


def _formal(
    name: str, title: str, kind: str, examples: list[str], *, required: bool = False
) -> Entity:
    return {
        "@id": name,
        "@type": "FormalParameter",
        "name": title,
        "additionalType": kind,
        "valueRequired": required,
        "workExample": refs(examples),
    }
