"""Teams: who belongs to them, what their projects hold, what they owe."""

from __future__ import annotations

from typing import Any

from ..history.undoing import Done
from ..records.record import Field, Record
from ..usage import invoices, usage
from ..wire.session import segment
from . import members
from .members import Members, Until


class Team(Record):
    """A lab, which is invoiced; `projects` are the names of those that I reach."""

    collection = "teams"

    name = Field[str]()
    title = Field[str]()
    tariff = Field[str]()  # internal, academic or industrial
    projects = Field[list[str]]()

    @property
    def path(self) -> str:
        """Where the API has it: teams go by name."""
        return f"{self.collection}/{segment(self.record['name'])}"

    @property
    def invoiced_to(self) -> str:
        """The address on its invoices."""
        return str(self.wire("address"))

    @property
    def members(self) -> Members:
        """Its leaders and members."""
        return members.read(self.wire("members"))

    def add_member(self, person: str, role: str = "member", until: Until | None = None) -> Done:
        """Put a person into the team; its leaders may. Staff makes leaders, and may `undo()`."""
        return members.put(self, person, role, until)

    def remove_member(self, person: str) -> Done:
        """Take a person out of the team; its leaders may. Staff may `undo()` what is returned."""
        return members.remove(self, person)

    def change(
        self, *, title: str | None = None, tariff: str | None = None, address: str | None = None
    ) -> Team:
        """Give it another title, tariff or address of its invoices. Staff may."""
        body = {"title": title, "tariff": tariff, "address": address}
        told = {key: value for key, value in body.items() if value is not None}
        self.record = dict(self.session.send("PATCH", self.path, told))
        return self

    def usage(self) -> usage.TeamUsage:
        """Return what its projects hold, for its leaders and staff."""
        return usage.of_team(self.session, self.path)

    def invoice(self, period: str) -> invoices.Invoice:
        """Return the invoice of a month "2026-10", a quarter "2026-Q3" or a year "2026"."""
        return invoices.invoice(self.session, self.name, period)

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        leaders = [one.person for one in self.members if one.role == "leader"]
        return [
            ("name", self.name),
            ("title", self.title),
            ("leaders", ", ".join(leaders)),
            ("members", len(self.members)),
            ("projects", ", ".join(self.projects)),
        ]
