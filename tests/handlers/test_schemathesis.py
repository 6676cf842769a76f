"""The service keeps its word: whatever is sent, it answers as openapi.json says, and never 5xx."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest
import schemathesis
import targets
import world
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from live import Live
from processes import STAFF, identity
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cid_server_ext.handlers.routes import Operation, operations
from cid_server_ext.openapi import document

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = {"postgresql": 8, "sqlite": 4}  # of each operation
unique = itertools.count()
schema = schemathesis.openapi.from_dict(document())


@pytest.mark.parametrize("operation", list(operations()), ids=lambda o: f"{o.method} {o.path}")
def test_every_answer_is_one_that_was_promised(live: Live, operation: Operation) -> None:
    described = schema["/" + operation.path][operation.method]
    names = _read_world(live) if operation.method == "GET" else _world(live)
    people = [f"run:{names['token']}"] if operation.endpoint.who == "run" else ["manager", STAFF]
    kinds = st.one_of(
        described.as_strategy(generation_mode=GenerationMode.POSITIVE),
        described.as_strategy(generation_mode=GenerationMode.NEGATIVE),
    )

    @seed(20261120)
    @settings(
        max_examples=EXAMPLES[live.database],
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=kinds, person=st.sampled_from(people), real=st.integers(0, 3))
    def try_it(case: Any, person: Any, real: int) -> None:
        if real:  # mostly a record that is there
            known = {name: names[name] for name in case.path_parameters if name in names}
            case.path_parameters = {**case.path_parameters, **known}
            case.body = _real(case.body, names)
        base = f"{live.service.url}api/v1"
        answer = case.call(base_url=base, headers=identity(person), timeout=60)
        case.validate_response(answer, checks=CHECKS)

    try_it()


_read: dict[str, dict[str, str]] = {}


def _read_world(live: Live) -> dict[str, str]:
    """Return a world that nobody changes, the same for all who only read."""
    if live.database not in _read:
        _read[live.database] = _world(live)
    return _read[live.database]


def _world(live: Live) -> dict[str, str]:
    with live.sessions.begin() as session:
        made = world.organise(session, world.make(session, f"any-{next(unique)}"))
    return targets.of(live.sessions, made) | {"token": made.run_token}


def _real(body: Any, names: dict[str, str]) -> Any:
    """Return a body in which fields that name records name some that are there."""
    if not isinstance(body, dict):
        return body
    read = copy.copy(body)
    for field in read:
        one = field.removesuffix("s")
        if field in names and isinstance(read[field], str):
            read[field] = names[field]
        elif one in names and field != one and isinstance(read[field], list):
            read[field] = [names[one]]
    return read
