"""The steps of a chain, checked before its first run is queued, and kept as they were checked.

A step is a template, its parameters, and from where each of its roles is taken: "labels:cells" or
"images:smooth" is what the run before wrote by that name, "input" the image that it ran on,
"input:beads" its further input. Versions are fixed at the submit: a chain is the same all night.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from ...errors import BadInput
from ..actor import Actor
from ..templates import manifest as manifests
from ..templates import parameters, shelf
from ..templates.manifest import Contract, Inputs, Manifest, Outputs

MOST = 8  # steps after the first
INPUT = "input"
WRITTEN = {"labels": "labels", "images": "image"}  # what can be taken -> the kind that it is


@dataclass(frozen=True, slots=True)
class Step:
    """One step as it is asked for; `take` says by role where its inputs come from."""

    template: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    take: Mapping[str, str] = field(default_factory=dict)


def checked(
    session: Session, actor: Actor, template: str, steps: Sequence[Step]
) -> list[dict[str, Any]]:
    """Return the steps after `template` as a run keeps them; BadInput names the one that is wrong.

    Raises NotFound for a template that the caller does not see.
    """
    if len(steps) > MOST:
        raise BadInput(f"then: a chain has at most {MOST} steps after the first")
    if not steps:
        return []
    before = manifests.read(shelf.newest(session, actor, template).manifest)
    kept: list[dict[str, Any]] = []
    for number, step in enumerate(steps):
        published = shelf.newest(session, actor, step.template)
        manifest = manifests.read(published.manifest)
        try:
            values = parameters.checked(manifest, dict(step.parameters))
            take = taken(manifest, before, step.take)
        except BadInput as error:
            raise type(error)(f"then[{number}], {published.name}: {error}") from None
        name = f"{published.reference}@{published.version}"
        kept.append({"template": name, "parameters": values, "take": take})
        before = manifest
    return kept


def taken(manifest: Manifest, before: Manifest, asked: Mapping[str, str]) -> dict[str, str]:
    """Return from where each role is taken, also the first where nobody said; BadInput for none."""
    roles = contracts(manifest.inputs)
    if unknown := asked.keys() - roles.keys():
        raise BadInput(f"it has no role {min(unknown)!r}; it takes {', '.join(roles)}")
    first = manifest.inputs.roles[0]
    found = {first: asked.get(first) or _only(manifest.inputs, before.outputs)}
    for role, contract in roles.items():
        source = asked.get(role, found.get(role))
        if source is None:
            if not getattr(contract, "optional", True):
                raise BadInput(f"say from where it takes {role!r}, such as {INPUT!r}")
            continue
        _check(role, source, contract, before)
        found[role] = source
    return found


def contracts(inputs: Inputs) -> dict[str, Contract]:
    """Return what a template asks of each role, the first one first."""
    return {inputs.roles[0]: inputs, **{one.role: one for one in inputs.also}}


def _only(asked: Contract, outputs: Outputs) -> str:
    """Return the one output that is of the kind that is asked for."""
    word = next(word for word, kind in WRITTEN.items() if kind == asked.kind)
    names = getattr(outputs, word)
    if len(names) == 1:
        return f"{word}:{names[0]}"
    there = ", ".join(f"{word}:{name}" for name in names) or f"nothing that is {asked.kind}"
    raise BadInput(f"say what it takes: the template before writes {there}, and has its {INPUT!r}")


def _check(role: str, source: str, asked: Contract, before: Manifest) -> None:
    """Raise BadInput where the template before has no such thing, or one of another kind."""
    word, _, name = source.partition(":")
    if word in WRITTEN:
        if name not in getattr(before.outputs, word):
            raise BadInput(f"{role}: {before.template.name} promises no {source!r}")
        kind = WRITTEN[word]
    elif word == INPUT:
        roles = contracts(before.inputs)
        if name and name not in roles:
            raise BadInput(f"{role}: {before.template.name} has no input {name!r}")
        kind = (roles[name] if name else before.inputs).kind
    else:
        raise BadInput(f"{role}: {source[:60]!r} is neither labels:NAME, images:NAME nor {INPUT}")
    if kind != asked.kind:
        raise BadInput(f"{role}: it takes {asked.kind}, and {source!r} is {kind}")
