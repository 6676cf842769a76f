"""How a batch stands, counted from its runs."""

from __future__ import annotations

from typing import Any


def counted(uid: str, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """A Batch of the wire."""
    states = [run["state"] for run in runs]
    going = [state for state in states if state not in ("done", "failed", "cancelled")]
    ends = [end for end in ("failed", "cancelled", "done") if end in states]
    parts = [1.0 if run["state"] in ends else run["progress"]["fraction"] for run in runs]
    began = bool(ends or set(going) - {"queued"})
    failed = [run for run in runs if run["state"] == "failed"]
    return {
        "uid": uid,
        "template": {"name": "segment-cells", "version": "1.0.0"},
        "project": "demo",
        "person": "researcher",
        "state": ("running" if began else "queued") if going else ends[0],
        "runs": len(runs),
        "counts": {state: states.count(state) for state in states},
        "paused": 0,
        "fraction": sum(parts) / len(parts),
        "created_at": "2026-11-21",
        "ended_at": None,
        "failures": [
            {key: run["error"][key] for key in ("error", "cell", "message")}
            | {"count": 1, "run": run["uid"]}
            for run in failed
        ],
        "eta": None,
    }
