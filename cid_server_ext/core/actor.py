"""Who is asking: a frozen value, made once at the edge from a verified identity."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, or one run acting for a person.

    `staff` and `guest` come from the hub's groups `cid-staff` and `cid-guest`; everything else
    (teams, projects, roles) is looked up in the catalog. `writes` is False when the caller's own
    token may only read. `run_id` is set when the caller showed a run token: such an actor reaches
    that run's inputs and its output, nothing else of the person's.
    """

    name: str
    staff: bool = False
    guest: bool = False
    writes: bool = True
    run_id: int | None = None
