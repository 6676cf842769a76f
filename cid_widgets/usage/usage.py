"""What takes the room: teams, projects, datasets and people, their growth, and the invoice."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import traitlets as t

from ..lib.shapes import Shape
from ..lib.view import View, built
from . import shapes
from .catalog import Catalog, Invoice

AGAIN = ("", "")  # stands for an invoice that is asked for whatever was known


class Usage(View):
    """What is held: `Usage(catalog)`, `Usage(catalog, project="demo")` or `Usage(catalog, team=…)`.

    `team`, `project` and `dataset` (a uid) say what is shown and may be set from Python; all empty
    is everything I may see. `period` ("2026-10", "2026-Q3", "2026") chooses the team's invoice,
    and `save(path)` writes it. `shown` and `invoice` are what the view shows. Errors are told in
    `error` and `invoice_error`, as one line.
    """

    _esm, _css = built("usage")

    catalog: Catalog

    team = t.Unicode().tag(sync=True)
    project = t.Unicode().tag(sync=True)
    dataset = t.Unicode().tag(sync=True)
    period = t.Unicode().tag(sync=True)

    shown: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)
    invoice: Any = t.Dict(allow_none=True, default_value=None).tag(sync=True)
    looked = t.Int().tag(sync=True)  # counts answers, so that waiting has an end
    charged = t.Int().tag(sync=True)  # counts invoices
    error = t.Unicode().tag(sync=True)
    invoice_error = t.Unicode().tag(sync=True)

    def __init__(
        self,
        catalog: Catalog | None = None,
        project: str | None = None,
        team: str | None = None,
    ) -> None:
        self._asked: tuple[str, str, str] | None = None
        self._billed: tuple[str, str] | None = None
        self._bill: Invoice | None = None
        super().__init__(catalog)
        self._asked = ("", project or "", "") if project else (team or "", "", "")
        self.team, self.project, self.dataset = self._asked
        self.refresh()
        if project is None and team is None:
            self._enter()

    def save(self, path: Any) -> Any:
        """Write the invoice that is shown, CSV or PDF by the file's name; return the path."""
        with self.turn:
            if self._bill is None:
                raise LookupError("no invoice is shown: choose a team and set `period`")
            return self._bill.save(path)

    def refresh(self) -> None:
        """Ask for all that is shown again."""
        with self.turn:
            self._asked, self._billed = None, AGAIN
            self._look()

    @t.observe("team", "project", "dataset")
    def _look(self, _: object = None) -> None:
        """Ask once for all that was set together."""
        with self.turn:
            team, project, dataset = asked = self._place()
            if asked == self._asked:
                return
            self._asked = asked
            shown = None
            with self.telling("error"):
                shown = self._ask(*asked)
            if shown is not None and project:
                team = str(shown["team"])
            self._asked = (team, project, dataset)
            with self.hold_sync():
                self.team, self.project, self.dataset = self._asked
                self.shown = shown
                self.looked += 1
            self._charge()

    def _place(self) -> tuple[str, str, str]:
        """Return what is to be shown: whoever sets a team alone leaves the project, and so on."""
        team, project, dataset = self.team, self.project, self.dataset
        if self._asked is not None:
            before = self._asked
            if team != before[0] and project == before[1]:
                project = ""
            if project != before[1] and dataset == before[2]:
                dataset = ""
        return team, project, dataset

    def _ask(self, team: str, project: str, dataset: str) -> Shape:
        catalog = self.catalog
        if project:
            told = catalog.project(project).usage(dataset=dataset or None)
            return shapes.project(told.record, dataset)
        if team:
            return shapes.team(catalog.team(team).usage().record)
        return shapes.overview(catalog.usage().record)

    def _enter(self) -> None:
        """Begin with the only thing there is, where there is only one."""
        if self.shown is None:
            return
        teams, projects = self.shown["teams"], self.shown["projects"]
        if len(teams) + len(projects) != 1:
            return
        if teams:
            self.team = teams[0]["name"]
        else:
            self.project = projects[0]["name"]

    @t.observe("period")
    def _charge(self, _: object = None) -> None:
        """Ask for the invoice of the team that is shown; elsewhere there is none."""
        with self.turn:
            at_team = self.shown is not None and self.shown["level"] == "team"
            asked = (self.team, self.period) if at_team and self.period else None
            if asked == self._billed:
                return
            bill = None
            with self.telling("invoice_error"):
                if asked is not None:
                    bill = self.catalog.team(self.team).invoice(self.period)
            with self.hold_sync():
                self._billed, self._bill = asked, bill
                self.invoice = None if bill is None else shapes.invoice(bill.record)
                self.charged += 1

    def answer_refresh(self, _: Mapping[str, Any]) -> None:
        """Ask again."""
        self.refresh()

    def answer_save(self, asked: Mapping[str, Any]) -> None:
        """Tell the invoice as a file: the view has no token to fetch it with."""
        with self.telling("invoice_error"):
            if self._bill is None:
                return
            form = str(asked["form"])
            content = base64.b64encode(self._bill.content(form)).decode()
            name = f"{self._bill.record['number']}.{form}"
            self.tell("saved", form=form, name=name, content=content)
