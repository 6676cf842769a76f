"""The API document, OpenAPI 3.1, from the same route table that serves the API."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from .errors import CidError
from .handlers.routes import API, Operation, operations

REF = "#/components/schemas/{model}"


def document(prefix: str = "/services/cid/") -> dict[str, Any]:
    """Return the whole document; `prefix` is where this catalog is served."""
    known = list(operations())
    bodies = {o.endpoint.body for o in known if o.endpoint.body}
    answers = {o.endpoint.answer for o in known if o.endpoint.answer}
    wanted: list[tuple[type[BaseModel], Any]] = [(model, "validation") for model in bodies]
    wanted += [(model, "serialization") for model in answers]
    wanted.sort(key=lambda pair: f"{pair[0].__module__}.{pair[0].__name__}.{pair[1]}")
    refs, schemas = models_json_schema(wanted, ref_template=REF)
    paths: dict[str, dict[str, Any]] = {}
    for operation in known:
        paths.setdefault("/" + operation.path, {})[operation.method.lower()] = _one(operation, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": "CID for Jupyter", "version": version("jupyter-cid")},
        "servers": [{"url": prefix + API.rstrip("/")}],
        "paths": paths,
        "components": {
            "schemas": {**schemas.get("$defs", {}), "Error": _ERROR},
            "securitySchemes": {
                "hub": {"type": "apiKey", "in": "header", "name": "Authorization"},
                "run": {"type": "apiKey", "in": "header", "name": "Authorization"},
            },
        },
        "security": [{"hub": []}, {"run": []}],
    }


def _one(operation: Operation, refs: dict[Any, Any]) -> dict[str, Any]:
    declared = operation.endpoint
    names = re.findall(r"{(\w+)}", operation.path)
    described: dict[str, Any] = {
        "operationId": _operation_id(operation),
        "summary": declared.summary,
        "x-cid-who": declared.who,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
            for name in names
        ],
        "responses": {
            str(declared.status): {"description": declared.summary},
            "default": {"description": "refused", "content": _content("Error")},
        },
    }
    if declared.query:
        described["parameters"] += [
            {"name": name, "in": "query", "schema": schema}
            for name, schema in declared.query.model_json_schema()["properties"].items()
        ]
    if declared.body:
        ref = refs[declared.body, "validation"]
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": ref}},
        }
    if declared.answer:
        ref = refs[declared.answer, "serialization"]
        described["responses"][str(declared.status)]["content"] = {
            "application/json": {"schema": ref}
        }
    return described


def _operation_id(operation: Operation) -> str:
    words = re.sub(r"\W+", " ", operation.path).split()
    return "_".join([operation.method.lower(), *words])


def _content(model: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REF.format(model=model)}}}


def _names(root: type[CidError]) -> list[str]:
    return sorted({root.__name__}.union(*(_names(child) for child in root.__subclasses__())))


_ERROR = {
    "type": "object",
    "required": ["error", "message"],
    "properties": {
        "error": {"type": "string", "enum": _names(CidError)},
        "message": {"type": "string"},
    },
}
