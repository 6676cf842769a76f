"""The API document, OpenAPI 3.1, from the same route table that serves the API."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from .core.names import SLUG
from .errors import CidError
from .handlers.routes import API, Operation, operations, tagged

REF = "#/components/schemas/{model}"

# what a path parameter is; all others are the uid of a record
SLUGS: dict[str, Any] = {"pattern": f"^{SLUG.pattern}$"}
WORDS: dict[str, Any] = {"minLength": 1, "maxLength": 200}
NAMES = {"project": SLUGS, "team": SLUGS, "person": WORDS, "key": WORDS, "template": WORDS}
UID = {"format": "uuid"}
TAG = r'^(\*|(W/)?"[!#-~]*"(\s*,\s*(W/)?"[!#-~]*")*)$'


def document(prefix: str = "/services/cid/") -> dict[str, Any]:
    """Return the whole document; `prefix` is where this catalog is served."""
    known = list(operations())
    asked = {m for o in known for m in (o.endpoint.body, o.endpoint.query) if m}
    answers = {o.endpoint.answer for o in known if o.endpoint.answer}
    wanted: list[tuple[type[BaseModel], Any]] = [(model, "validation") for model in asked]
    wanted += [(model, "serialization") for model in answers]
    wanted.sort(key=lambda pair: f"{pair[0].__module__}.{pair[0].__name__}.{pair[1]}")
    refs, schemas = models_json_schema(wanted, ref_template=REF)
    defined = schemas.get("$defs", {})
    paths: dict[str, dict[str, Any]] = {}
    for operation in known:
        described = _one(operation, refs, defined)
        paths.setdefault("/" + operation.path, {})[operation.method.lower()] = described
    queries = {_name(refs[o.endpoint.query, "validation"]) for o in known if o.endpoint.query}
    return {
        "openapi": "3.1.0",
        "info": {"title": "CID for Jupyter", "version": version("jupyter-cid")},
        "servers": [{"url": prefix + API.rstrip("/")}],
        "paths": paths,
        "components": {
            "schemas": {
                **{name: schema for name, schema in defined.items() if name not in queries},
                "Error": _ERROR,
                "Moved": _MOVED,
            },
            "securitySchemes": {
                "hub": {"type": "apiKey", "in": "header", "name": "Authorization"},
                "run": {"type": "apiKey", "in": "header", "name": "Authorization"},
            },
        },
        "security": [{"hub": []}, {"run": []}],
    }


def _one(operation: Operation, refs: dict[Any, Any], defined: dict[str, Any]) -> dict[str, Any]:
    declared = operation.endpoint
    described: dict[str, Any] = {
        "operationId": _operation_id(operation),
        "summary": declared.summary,
        "x-cid-who": declared.who,
        "parameters": [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"type": "string", **NAMES.get(name, UID)},
            }
            for name in re.findall(r"{(\w+)}", operation.path)
        ],
        "responses": {str(declared.status): _answer(operation, refs), **_refusals(operation)},
    }
    if declared.query:
        fields = defined[_name(refs[declared.query, "validation"])]
        described["parameters"] += [
            {"name": name, "in": "query", "schema": schema, "required": name in needed}
            for needed in [fields.get("required", [])]
            for name, schema in fields["properties"].items()
        ]
    condition = _condition(operation)
    if condition:
        schema = {"type": "string", "pattern": TAG}
        described["parameters"].append({"name": condition, "in": "header", "schema": schema})
    if declared.body:
        ref = refs[declared.body, "validation"]
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": ref}},
        }
    return described


def _answer(operation: Operation, refs: dict[Any, Any]) -> dict[str, Any]:
    """Return what is answered when all is well."""
    declared = operation.endpoint
    answer: dict[str, Any] = {"description": declared.summary}
    content: dict[str, Any] = {media: {} for media in declared.media}
    if declared.answer:
        ref = refs[declared.answer, "serialization"]
        content["application/json"] = {"schema": ref}
    elif not declared.media:
        content["application/json"] = {"schema": {"type": "object"}}
    answer["content"] = content
    if operation.method == "GET" and declared.tagged:
        answer["headers"] = {"ETag": {"schema": {"type": "string", "pattern": TAG}}}
    return answer


def _refusals(operation: Operation) -> dict[str, Any]:
    """Return the answers of this operation that are errors of the tree, and 304."""
    declared = operation.endpoint
    statuses = {400, 401, 403, 404, 429, 503}
    if operation.method != "GET":
        statuses |= {409, 413}
    answers: dict[str, Any] = {}
    if _condition(operation) == "If-None-Match" and not declared.passing:
        answers["304"] = {"description": "as the caller has seen it"}
    for status in sorted(statuses):
        names = [kind.__name__ for kind in _tree(CidError) if kind.status == status]
        answer = {"description": " or ".join(names), "content": _content("Error")}
        if status == 409:
            answer["content"] = _content("Moved")
        if status in (429, 503):
            answer["headers"] = {"Retry-After": {"schema": {"type": "integer", "minimum": 0}}}
        answers[str(status)] = answer
    return answers


def _condition(operation: Operation) -> str | None:
    """Return the header that names what the caller has seen, where one is heeded."""
    if operation.method == "GET":
        return "If-None-Match" if operation.endpoint.tagged else None
    return "If-Match" if tagged(operation.path) else None


def _name(ref: dict[str, Any]) -> str:
    return str(ref["$ref"]).rpartition("/")[2]


def _operation_id(operation: Operation) -> str:
    words = re.sub(r"\W+", " ", operation.path).split()
    return "_".join([operation.method.lower(), *words])


def _content(model: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REF.format(model=model)}}}


def _tree(root: type[CidError]) -> list[type[CidError]]:
    ours = [kind for kind in root.__subclasses__() if kind.__module__ == CidError.__module__]
    return [root, *(kind for child in ours for kind in _tree(child))]


_ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["error", "message"],
    "properties": {
        "error": {"type": "string", "enum": sorted(kind.__name__ for kind in _tree(CidError))},
        "message": {"type": "string"},
    },
}
_CHANGE: dict[str, Any] = {
    "type": "object",
    "required": ["at", "person", "action", "subject", "detail"],
    "properties": {
        "at": {"type": "string", "format": "date-time"},
        "person": {"type": "string"},
        "action": {"type": "string"},
        "subject": {"type": "string"},
        "detail": {"type": "object"},
    },
}
_MOVED: dict[str, Any] = {
    **_ERROR,
    "properties": {**_ERROR["properties"], "changed": {"type": "array", "items": _CHANGE}},
}
