"""How a batch stands, counted from its runs as the catalog would."""

from __future__ import annotations

from typing import Any

ENDED = ("done", "failed", "cancelled")


def counted(uid: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """A Batch of the wire."""
    states = [run["state"] for run in runs]
    going = [state for state in states if state not in ENDED]
    paused = sum(bool(run.get("paused")) for run in runs)
    if not going:
        state = next((end for end in ("failed", "cancelled") if end in states), "done")
    elif set(going) == {"queued"} and paused == len(going):
        state = "paused"
    else:
        state = "queued" if set(states) == {"queued"} else "running"
    failed = [run for run in runs if run["state"] == "failed"]
    return {
        "uid": uid,
        "template": {"name": "segment-cells", "version": "1.0.0"},
        "state": state,
        "runs": len(runs),
        "counts": {one: states.count(one) for one in dict.fromkeys(states)},
        "paused": paused,
        "fraction": (len(states) - len(going)) / max(len(states), 1),
        "eta": None,
        "failures": [
            {"cell": 4, "error": "ValueError", "message": "no\nnucleus", "count": 1}
            | {"run": run["uid"]}
            for run in failed[:1]
        ],
    }


class Ordered:
    """The part of a catalog that takes orders."""

    def look(self, order: Any) -> Any:
        self._ask("look", order.inputs, order.priority)
        return self.preflight(order.template, order.images, **order.parameters)

    def submit(self, order: Any) -> Any:
        self._ask("submit", order.inputs, order.priority)
        return self.run(order.template, order.images, **order.parameters)
