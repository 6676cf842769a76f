"""What a mask's document may say: its fields by name and type, and what is wrong in words.

`Mask.model_json_schema()` is the JSON Schema of the document.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic import Field as Told

from ...errors import BadInput
from . import completeness, mask_text, patterns
from .mask_text import Lines

MOST_FIELDS = 100
MOST_CHOICES = 1000
SHOWN = 50  # things that are wrong

Text = Annotated[str, Told(max_length=400)]
Finite = Annotated[float, Told(allow_inf_nan=False)]
Value = Text | int | Finite

TYPES = Literal["text", "number", "date", "choice", "ontology", "id"]
FACTS = (
    *("name", "serial", "room", "microscope"),
    *("software", "objectives", "lasers", "filters", "detectors"),
)


class Field(BaseModel):
    """One field of the form: its key is that of the tag which it becomes."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    key: Annotated[str, Told(min_length=1, max_length=80)]
    type: TYPES = Told(default="text", description="what a value is")
    required: bool = Told(default=False, description="an upload without it is refused")
    many: bool = Told(default=False, description="an image may have several of it")
    unit: Annotated[str, Told(max_length=24, description="of a number: µm, ms, %")] = ""
    minimum: Finite | None = Told(default=None, description="of a number")
    maximum: Finite | None = Told(default=None, description="of a number")
    choices: list[Value] = Told(default=[], max_length=MOST_CHOICES, description="the only values")
    scheme: Literal["", "orcid", "rrid", "doi", "url", "own"] = Told(
        default="", description="of an id"
    )
    pattern: Annotated[str, Told(max_length=200, description="of an id of the scheme own")] = ""
    from_: Annotated[
        str,
        Told(
            alias="from",
            max_length=90,
            description="where it comes from when nobody says it: filename.GROUP,"
            f" or instrument. and one of {', '.join(FACTS)}",
        ),
    ] = ""
    default: Value | None = Told(default=None, description="when nothing else says it")
    help: Text = ""


class Mask(BaseModel):
    """What an upload must and may say."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    mask: Annotated[str, Told(min_length=1, max_length=120, description="its name")]
    instrument: Annotated[str, Told(max_length=120)] = Told(
        default="", description="name in the register; nothing: of any microscope"
    )
    help: Text = ""
    closed: bool = Told(default=False, description="no other tags than these fields are taken")
    filename: Annotated[str, Told(max_length=patterns.LONGEST)] = Told(
        default="",
        description="pattern of the whole file name; its groups are values of fields",
    )
    filename_required: bool = Told(
        default=True, description="a file that is called otherwise is refused"
    )
    machine: list[Literal[completeness.FACILITY]] | None = Told(  # type: ignore[valid-type]
        default=None,
        description="what the file or the register must say of an image to be complete",
    )
    fields: list[Field] = Told(default=[], max_length=MOST_FIELDS)

    @property
    def body(self) -> dict[str, Any]:
        """What it says, without what is as it is anyway."""
        return self.model_dump(by_alias=True, exclude_defaults=True)


class Wrong:
    """Gathers what is wrong in a document: by field, with its line."""

    def __init__(self, told: Any, lines: Lines) -> None:
        self.told, self.lines = told, lines
        self.found: list[dict[str, Any]] = []

    def say(self, where: Sequence[str | int], message: str) -> None:
        """Note what is wrong with a part."""
        line = mask_text.line(self.lines, where)
        field = self._field(where)
        self.found.append({"field": field, "line": line, "file": "", "message": message})

    def of_field(self, number: int, what: str, message: str) -> None:
        """Note what is wrong with one key of a field."""
        self.say(("fields", number, what), f"{what}: {message}")

    def refuse(self) -> None:
        """Raise BadInput when anything is wrong."""
        if self.found:
            self.found.sort(key=lambda one: one["line"] or 0)
            first = self.found[0]
            line = f"line {first['line']}: " if first["line"] else ""
            field = f"{first['field']}: " if first["field"] else ""
            more = f" (and {len(self.found) - 1} more)" if len(self.found) > 1 else ""
            raise BadInput(f"{line}{field}{first['message']}{more}", self.found[:SHOWN])

    def _field(self, where: Sequence[str | int]) -> str:
        """Return what a person calls the field of this part."""
        if len(where) > 1 and where[0] == "fields" and isinstance(where[1], int):
            fields = self.told.get("fields") if isinstance(self.told, Mapping) else None
            one = fields[where[1]] if isinstance(fields, list) and where[1] < len(fields) else {}
            key = one.get("key") if isinstance(one, Mapping) else None
            return str(key)[:80] if key else f"field {where[1] + 1}"
        return ""


def shape(told: Any, lines: Lines | None = None) -> tuple[Mask, Wrong]:
    """Return a document as a mask, or raise BadInput with what is wrong with each field."""
    wrong = Wrong(told, lines or {})
    if not isinstance(told, Mapping):
        raise BadInput("a mask is written as keys and values: begin with 'mask: NAME'")
    try:
        return Mask.model_validate(dict(told)), wrong
    except ValidationError as error:
        for one in error.errors(include_url=False)[:SHOWN]:
            _say(wrong, one["loc"], one)
    wrong.refuse()
    raise AssertionError("not reached")


def _say(wrong: Wrong, loc: Sequence[str | int], one: Mapping[str, Any]) -> None:
    where = [part for part in loc if part not in _BRANCHES]
    names = [str(part) for part in where if isinstance(part, str) and part != "fields"]
    last = names[-1] if names else ""
    if one["type"] == "extra_forbidden":
        model: type[BaseModel] = Field if len(where) > 1 else Mask
        known = [info.alias or name for name, info in model.model_fields.items()]
        near = difflib.get_close_matches(last, known, 1, 0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(known)}"
        wrong.say(where, f"{last[:60]!r} is not known; {hint}")
        return
    either = any(part in _BRANCHES for part in loc)  # each branch has its error
    words = "a text or a number" if either else _WORDS.get(one["type"]) or _plain(one)
    told = f"{last}: {words}" if last else words
    if not either or not any(known["message"] == told for known in wrong.found[-3:]):
        wrong.say(where, told)


def _plain(one: Mapping[str, Any]) -> str:
    said = str(one["msg"])
    return said.replace("Input should be", "it must be").replace("Value error, ", "")


_BRANCHES = ("int", "float", "constrained-str", "str")
_WORDS = {
    "missing": "is missing",
    "string_type": 'a text; in quotes where it looks like a number, as "12"',
    "bool_type": "true or false",
    "float_type": "a number",
    "finite_number": "a number that is not too large",
    "list_type": "a list, each in a line that begins with '- '",
    "model_type": "keys and values, as 'key: Cell type'",
}
