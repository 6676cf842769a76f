"""What a template says of itself: `template.toml`, checked before a value is read from it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ...errors import BadInput

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class Strict(BaseModel):
    """A table in which a misspelt key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class About(Strict):
    """[template]: who made it and what it is for."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$")]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    title: str
    summary: str = ""
    authors: list[str] = []
    licence: str = ""
    citation: list[str] | str = []


class Parameter(Strict):
    """[parameters.NAME]: a typed value with its bounds, drawn as one field of a form."""

    type: Literal["number", "integer", "boolean", "choice", "text"]
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    choices: list[str] = []
    unit: str = ""
    help: str = ""
    title: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Parameter:
        if self.type == "choice" and not self.choices:
            raise ValueError("a choice needs choices")
        if self.default is not None:
            self.check("default", self.default)
        return self

    def check(self, name: str, value: Any) -> Any:
        """Return `value` as this type's plain JSON value, or raise ValueError saying why not."""
        value = _CHECKS[self.type](name, value)
        if self.type == "choice" and value not in self.choices:
            raise ValueError(f"{name} is one of {', '.join(self.choices)}; not {value!r}")
        if self.minimum is not None and value < self.minimum:
            raise ValueError(f"{name} is at least {self.minimum:g}; not {value!r}")
        if self.maximum is not None and value > self.maximum:
            raise ValueError(f"{name} is at most {self.maximum:g}; not {value!r}")
        return value


class Outputs(Strict):
    """[outputs]: what it writes, and how many bytes to reserve for it."""

    labels: list[str] = []
    images: list[str] = []
    tables: list[str] = []
    figures: list[str] = []
    metrics: list[str] = []
    labels_bytes_per_pixel: Annotated[int, Field(ge=0, le=64)] = 4


class Inputs(Strict):
    """[inputs]: the contract an image must meet."""

    kind: Literal["image", "labels"] = "image"
    axes: str = "yx"
    roles: list[str] = ["image"]
    dtypes: list[str] = []


class Resources(Strict):
    """[resources]: what one run needs."""

    cores: Annotated[int, Field(ge=1, le=64)] = 1
    memory: str = "2 GiB"
    gpus: Annotated[int, Field(ge=0, le=8)] = 0
    wall_seconds: Annotated[int, Field(ge=10, le=7 * 86400)] = 3600
    workers: Annotated[int, Field(ge=1, le=64)] = 2


class Environment(Strict):
    """[environment]: where it runs."""

    kernel: str = "python3"


class Truth(BaseModel):
    """[[truth]]: a case with a known answer; checked by the template's own tests."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Manifest(Strict):
    """A whole template.toml."""

    template: About
    parameters: dict[Identifier, Parameter] = {}
    inputs: Inputs = Inputs()
    outputs: Outputs = Outputs()
    resources: Resources = Resources()
    environment: Environment = Environment()
    truth: list[Truth] = []


def read(raw: dict[str, Any]) -> Manifest:
    """Return the manifest, or raise BadInput naming the first key that is wrong."""
    try:
        return Manifest.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"template.toml, {where}: {first['msg']}") from None


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} takes a number, not {value!r}")
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"{name} takes a finite number")
    return float(value)


def _integer(name: str, value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name} takes a whole number, not {value!r}")
    return value


def _boolean(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} takes true or false, not {value!r}")
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{name} takes text, not {value!r}")
    if len(value) > 2000:
        raise ValueError(f"{name} takes at most 2000 characters")
    return value


_CHECKS = {
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "text": _text,
    "choice": _text,
}
