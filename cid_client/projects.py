"""Projects: what I may do in them, how full they are, and who else is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import display
from .records import Field, Record
from .wire import segment


@dataclass(frozen=True, slots=True)
class Allocation:
    """Bytes a project may hold, holds, and has promised to deposits and runs under way."""

    limit: int
    used: int
    reserved: int

    @property
    def free(self) -> int:
        """Bytes that a new deposit may take."""
        return max(self.limit - self.used - self.reserved, 0)


class Project(Record):
    """One project that I reach."""

    collection = "projects"

    name = Field[str]()
    title = Field[str]()
    role = Field[str | None]()  # mine; None where I look as staff

    @property
    def path(self) -> str:
        """Where the API has it: projects go by name."""
        return f"{self.collection}/{segment(self.record['name'])}"

    @property
    def allocation(self) -> Allocation:
        """How full it is."""
        told = self.wire("allocation")
        return Allocation(told["limit"], told["used"], told["reserved"])

    @property
    def datasets(self) -> list[str]:
        """The paths of its datasets, such as "screen/plate 1"; "" is the project's own."""
        return [dataset["path"] for dataset in self.wire("datasets")]

    @property
    def members(self) -> dict[str, str]:
        """People and their roles."""
        return {member["person"]: member["role"] for member in self.wire("members")}

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        held = self.allocation
        used = f"{display.size(held.used)} of {display.size(held.limit)}"
        return [("name", self.name), ("title", self.title), ("role", self.role), ("used", used)]
