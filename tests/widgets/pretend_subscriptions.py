"""A project in which templates run by themselves, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from types import SimpleNamespace
from typing import Any

from pretend import GB, HOSTILE, Refused


@dataclass
class One:
    """One subscription, as the client gives it."""

    catalog: Standing
    record: dict[str, Any]
    entry: int | None = None
    before: dict[str, Any] | None = None
    others: dict[str, Any] = field(default_factory=dict)  # what others changed since it was read

    def _change(self, way: str, **changed: Any) -> One:
        self.catalog.ask(way, self.record["uid"])
        self.before, self.entry = dict(self.record), 7
        self.record |= changed
        return self

    def pause(self) -> One:
        return self._change("pause", state="paused", reason="paused by nia")

    def resume(self) -> One:
        return self._change("resume", state="active", reason=None)

    def end(self) -> One:
        return self._change("end", state="ended", reason="ended by nia")

    @property
    def takes(self) -> dict[str, dict[str, Any]]:
        sigma = {"type": "number", "default": 1.0, "minimum": 0, "maximum": 20, "unit": "pixel"}
        return {
            "sigma": sigma | {"help": "Width of the blur.", "choices": None},
            "split": {"type": "boolean", "default": False, "help": "Cut what touches."},
        }

    def refresh(self) -> One:
        self.record |= self.others
        self.others = {}
        return self

    def change(self, parameters: dict[str, Any], **budget: Any) -> One:
        if self.others:
            raise Refused("this was changed by omar (change subscription) since you read it")
        record = self.record
        values, limits = record["parameters"] | parameters, record["budget"] | budget
        return self._change("change", parameters=values, budget=limits)

    def also_existing(self) -> One:
        counts = self.record["counts"]
        more = {"waiting": counts["waiting"] + counts["there"], "there": 0}
        return self._change("also_existing", counts=counts | more)

    def undo(self) -> One:
        self.catalog.ask("undo", self.record["uid"])
        self.record |= self.before or {}
        return self


@dataclass
class Standing:
    """Answers like `cid_client.Catalog`; `asked` keeps what it was asked."""

    held: list[One] = field(default_factory=list)
    role: str = "contributor"
    asked: list[tuple[Any, ...]] = field(default_factory=list)
    tickets: Any = field(default_factory=lambda: count(1))
    trouble: Exception | None = None

    def ask(self, *question: Any) -> None:
        self.asked.append(question)
        if self.trouble is not None:
            raise self.trouble

    def whoami(self) -> Any:
        return SimpleNamespace(name="nia")

    def project(self, name: str) -> Any:
        self.ask("project", name)
        open_ = [one for one in self.held if one.record["state"] != "ended"]
        record = {"name": name, "title": "Cytokinesis screen", "role": self.role}
        return SimpleNamespace(record=record, subscriptions=open_)

    def add(self, template: str, **more: Any) -> One:
        """Subscribe a template."""
        uid = f"s{len(self.held)}"
        counts = dict.fromkeys(("there", "waiting", "running", "done", "failed", "left"), 0)
        told = {
            "uid": uid,
            "template": {"name": template, "version": "1.0.0", "digest": "0" * 64},
            "newer": None,
            "search": {"uid": f"d{uid}", "path": "new 63x stacks", "query": "objective:63x"},
            "person": "nia",
            "parameters": {"sigma": 1.0, "split": True},
            "state": "active",
            "reason": None,
            "budget": {"runs": 500, "runs_a_day": None, "nbytes": None},
            "spent": {"runs": 0, "today": 0, "nbytes": 0},
            "counts": counts | more.pop("counts", {}),
        }
        self.held.append(One(self, told | more))
        return self.held[-1]


def filled() -> Standing:
    """Three of them: one at work, one whose budget is spent, one of somebody else."""
    made = Standing()
    made.add(
        "segment-cells",
        counts={"done": 212, "there": 380},
        spent={"runs": 212, "today": 12, "nbytes": 31 * GB},
        budget={"runs": 500, "runs_a_day": 50, "nbytes": 80 * GB},
        newer="1.1.0",
    )
    made.add(
        "deconvolve",
        state="paused",
        reason="its budget of 20 runs is spent: raise it to go on",
        counts={"done": 19, "failed": 1, "left": 3},
        spent={"runs": 20, "today": 3, "nbytes": 4 * GB},
        budget={"runs": 20, "runs_a_day": None, "nbytes": None},
        search={"uid": "d", "path": "plates/deep stacks", "query": "z>40 kind:image"},
    )
    made.add(
        "count-spots",
        person="omar",
        search={"uid": "d", "path": HOSTILE, "query": HOSTILE},
        counts={"done": 3, "there": 2},
        spent={"runs": 3, "today": 0, "nbytes": 0},
    )
    return made
