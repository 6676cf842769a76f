"""What follows a run by itself: the next template of a chain, on what the run has written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import BadInput, Conflict
from ..wire import given, waiting

BEGINS = 60.0  # seconds in which what follows a run that is done begins, or is refused


class Step:
    """A template that runs on what the run before it wrote, once that is done.

    `take` says by role where its inputs come from: "labels:NAME" and "images:NAME" are what the
    run before wrote, "input" the image that it ran on, "input:ROLE" its further input. What is
    plain need not be said: a template for labels takes the only labels that were written.
    """

    def __init__(
        self, template: str, /, take: Mapping[str, str] | None = None, **parameters: Any
    ) -> None:
        self.template = given.text(template, "a template's name")
        self.take = dict(take or {})
        self.parameters = parameters

    def __repr__(self) -> str:
        told = [repr(self.template), *([f"take={self.take!r}"] if self.take else [])]
        told += [f"{name}={value!r}" for name, value in self.parameters.items()]
        return f"Step({', '.join(told)})"

    def body(self) -> dict[str, Any]:
        """Return it as the API takes it."""
        return {"template": self.template, "parameters": self.parameters, "take": self.take}


Steps = Step | list[Step] | tuple[Step, ...]


def bodies(then: Steps | None) -> list[dict[str, Any]]:
    """Return the steps as the API takes them; raises BadInput for what is no Step."""
    listed = [then] if isinstance(then, Step) else list(then or ())
    for step in listed:
        if not isinstance(step, Step):
            raise BadInput(f"then: {step!r} is no Step: write Step('measure-cells')")
    return [step.body() for step in listed]


def first_after(read: Callable[[], Iterable[Mapping[str, Any]]], what: str) -> str | None:
    """Return the uid of the first run that follows some, None where nothing follows them yet.

    `read` gives their records. Those that are done have it begun within a moment, which is waited
    for. Raises Conflict where none could begin, with the reason.
    """
    done: list[Mapping[str, Any]] = []

    def told() -> bool:
        done[:] = [one for one in read() if one["state"] == "done" and one.get("then")]
        return all(one.get("followed") for one in done)

    waiting.until(told, BEGINS, f"the beginning of what follows {what}")
    followed = [one["followed"] for one in done]
    uid = next((one["run"] for one in followed if one.get("run")), None)
    if uid is None and followed:
        why = f"what follows {what} could not begin: {followed[0]['message']}"
        raise Conflict(f"{why}; mend it, then retry() the run before")
    return uid
