"""Templates: the processing notebooks one can run, and the parameters they take."""

from __future__ import annotations

from typing import Any

from .. import display
from ..records.record import Field, Listing, Record
from ..wire import given
from ..wire.session import segment
from .version_diff import Difference


class Template(Record):
    """One published version of a template; `changelog` says what changed with it."""

    collection = "templates"

    name = Field[str]()
    version = Field[str]()
    digest = Field[str]()
    title = Field[str]()
    summary = Field[str]()
    parameters = Field[dict[str, dict[str, Any]]]()
    manifest = Field[dict[str, Any]]()
    reference = Field[str]()
    project = Field[str | None]()
    changelog = Field[str]()
    published_by = Field[str]()
    created_at = Field[str]()
    withdrawn = Field[dict[str, str] | None]()

    @property
    def path(self) -> str:
        """Where the API has it: templates go by name and version."""
        called = self.record.get("reference") or self.record["name"]
        version = self.record.get("version")
        return f"{self.collection}/{segment(f'{called}@{version}' if version else called)}"

    @property
    def schema(self) -> dict[str, Any]:
        """JSON Schema (draft 2020-12) of its parameters: what it takes, a run takes."""
        told: dict[str, Any] = self.session.get(f"{self.path}/schema")["json_schema"]
        return told

    @property
    def notebook(self) -> str:
        """The notebook of this version, as text."""
        return str(self.session.get(self._versioned)["notebook"])

    def versions(self) -> Listing[Template]:
        """Return every version, newest first, withdrawn ones too."""
        answer = self.session.get(f"{self._home}/versions")
        named = {"name": self.name, "reference": self.reference}
        return Listing(Template(self.session, row | named) for row in answer["versions"])

    def diff(self, to: str | None = None) -> Difference:
        """Return what changed from this version to another, or to the newest."""
        asked = {"to": to} if to else {}
        return Difference(self.session.get(f"{self._versioned}/diff", **asked))

    def withdraw(self, reason: str) -> Template:
        """Let nobody run this version any more; its runs keep it. Staff, or its publisher, may."""
        body = {"reason": given.text(reason, "the reason")}
        self.record |= self.session.send("POST", f"{self._versioned}/withdraw", body)
        return self

    def promote(self, changelog: str = "") -> Template:
        """Publish this version of a project's own template as the facility's. Staff may."""
        answer = self.session.send("POST", f"{self.path}/promote", {"changelog": changelog})
        return Template(self.session, answer)

    @property
    def _home(self) -> str:
        return f"{self.collection}/{segment(self.reference)}"

    @property
    def _versioned(self) -> str:
        return f"{self._home}/versions/{segment(self.version)}"

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        return [
            ("name", self.record.get("reference") or self.name),
            ("version", self.version),
            ("title", self.record.get("title")),
            ("changelog", self.record.get("changelog")),
            ("withdrawn", (self.record.get("withdrawn") or {}).get("reason")),
            ("parameters", ", ".join(self.record.get("parameters", ()))),
        ]

    def _repr_html_(self) -> str:
        head = ["parameter", "type", "default", "range", "unit", "what it does"]
        lines = [[name, *_columns(told)] for name, told in self.parameters.items()]
        summary = f"<p>{display.cell(self.summary)}</p>"
        return display.facts(self.facts()[:-1]) + summary + display.table(head, lines)


def _columns(told: dict[str, Any]) -> list[Any]:
    return [
        told.get("type"),
        told.get("default"),
        _range(told),
        told.get("unit"),
        told.get("help"),
    ]


def _range(told: dict[str, Any]) -> str:
    if told.get("choices"):
        return ", ".join(map(str, told["choices"]))
    low, high = told.get("minimum"), told.get("maximum")
    if low is None and high is None:
        return ""
    return f"{'…' if low is None else f'{low:g}'} to {'…' if high is None else f'{high:g}'}"
