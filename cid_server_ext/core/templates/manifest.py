"""What a template says of itself: `template.toml`, checked before a value is read from it."""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from ...errors import BadInput
from .. import names
from . import sizes

DTYPES = (
    "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float32", "float64",
)  # fmt: skip


def _folder(path: str) -> str:
    """Return the path of a dataset as it is called, or none."""
    try:
        return names.dataset_path(path) if path else ""
    except BadInput as error:
        raise ValueError(str(error)) from None


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

    type: Literal["number", "integer", "boolean", "choice", "text", "channel"]
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
        bounded = self.minimum is not None or self.maximum is not None
        if bounded and self.type not in ("number", "integer"):
            raise ValueError(f"a {self.type} has no minimum or maximum")
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
    """[outputs]: what it promises to write, and how many bytes to reserve for it.

    A run that writes less fails (`promises`). Metrics become the processing tags of what it made.
    What is `optional` may be missing. `dataset` is where it goes, instead of the template's name.
    """

    labels: list[str] = []
    images: list[str] = []
    tables: list[str] = []
    figures: list[str] = []
    files: list[str] = []
    metrics: list[str] = []
    optional: list[str] = []
    dataset: Annotated[str, AfterValidator(_folder)] = ""
    labels_bytes_per_pixel: Annotated[int, Field(ge=0, le=64)] = 4

    @model_validator(mode="after")
    def _whole(self) -> Outputs:
        every = {*self.labels, *self.images, *self.tables, *self.figures, *self.files}
        if unknown := set(self.optional) - every - set(self.metrics):
            raise ValueError(f"optional names {min(unknown)!r}, which is no output")
        return self


class Contract(Strict):
    """What an image must meet; `contract` says what the words mean.

    Of `axes` it must have each, z and t with more than one place; of `without` none has more than
    one. What it `needs` must be known of it, what it `wants` should: "pixel size", "z step", "time
    step", "excitation", "emission" or a key of the vocabulary. `largest` counts pixels as they are
    in memory.
    """

    kind: Literal["image", "labels"] = "image"
    axes: Annotated[str, Field(pattern=r"^[tczyx]{1,5}$")] = "yx"
    without: Annotated[str, Field(pattern=r"^[tczyx]{0,5}$")] = ""
    least_channels: Annotated[int, Field(ge=1)] = 1
    most_channels: Annotated[int, Field(ge=1)] | None = None
    dtypes: list[str] = []
    needs: list[str] = []
    wants: list[str] = []
    largest: Annotated[str, AfterValidator(sizes.checked)] = ""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.most_channels is not None and self.most_channels < self.least_channels:
            raise ValueError("most_channels is less than least_channels")
        if both := set(self.axes) & set(self.without):
            raise ValueError(f"axes and without both name {', '.join(sorted(both))}")
        for name in self.dtypes:
            if name not in DTYPES:
                raise ValueError(f"there is no dtype {name!r}: it is one of {', '.join(DTYPES)}")
        return self

    @property
    def largest_bytes(self) -> int:
        """The bytes of `largest`; 0: no limit."""
        return sizes.nbytes(self.largest) if self.largest else 0


class Also(Contract):
    """[[inputs.also]]: a further input of all runs of a batch, such as beads or a dark image."""

    role: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
    many: bool = False
    optional: bool = False
    help: str = ""


class Inputs(Contract):
    """[inputs]: the contract of the image that it runs on, and the `roles` that inputs play."""

    roles: Annotated[list[str], Field(min_length=1)] = ["image"]
    also: Annotated[list[Also], Field(max_length=10)] = []

    @model_validator(mode="after")
    def _apart(self) -> Inputs:
        roles = [self.roles[0], *(one.role for one in self.also)]
        if twice := [role for role in roles if roles.count(role) > 1]:
            raise ValueError(f"also: the role {twice[0]!r} is there already")
        return self


class Resources(Strict):
    """[resources]: what one run needs; with `tiles` it spreads them over the batch's workers.

    With `gpu_above` only images of more pixels (all axes) take the GPUs, the others none.
    """

    cores: Annotated[int, Field(ge=1, le=64)] = 1
    memory: Annotated[str, AfterValidator(sizes.checked)] = "2 GiB"
    gpus: Annotated[int, Field(ge=0, le=8)] = 0
    gpu_above: Annotated[int, Field(ge=1)] | None = None
    wall_seconds: Annotated[int, Field(ge=10, le=7 * 86400)] = 3600
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    tiles: bool = False


class Environment(Strict):
    """[environment]: where it runs: the kernel, and the digests of what it was made with."""

    kernel: str = "python3"
    lock: Annotated[str, Field(pattern=r"^(sha256:[0-9a-f]{64})?$")] = ""
    image: Annotated[str, Field(pattern=r"^(\S{1,400}@sha256:[0-9a-f]{64})?$")] = ""


class Expected(Strict):
    """What a metric of a truth case must be."""

    value: float
    tolerance: Annotated[float, Field(ge=0)] = 0


class Truth(Strict):
    """[[truth]]: a picture with a known answer, made by `make(seed)` of a script of the template.

    It returns pixels and true labels, or pixels alone. With these parameters the template must
    write as many objects within the tolerance and reach this F1 at this overlap, and each of
    `metrics` must come out as it says, within its own tolerance.
    """

    name: str
    script: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*\.py$")]
    seed: int = 0
    parameters: dict[Identifier, Any] = {}
    objects: Annotated[int, Field(ge=0)] | None = None
    tolerance: Annotated[int, Field(ge=0)] = 0
    overlap: Annotated[float, Field(gt=0, le=1)] = 0.5
    f1: Annotated[float, Field(ge=0, le=1)] | None = None
    metrics: dict[str, Expected] = {}


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
    if not abs(value) <= sys.float_info.max:
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


def _channel(name: str, value: Any) -> int | str:
    """A channel goes by its number, counted from 0, or by its name."""
    if isinstance(value, str) and value.strip():
        return _text(name, value)
    if isinstance(value, str) or _integer(name, value) < 0:
        raise ValueError(f"{name} takes a channel's number, counted from 0, or its name")
    return _integer(name, value)


_CHECKS = {
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "text": _text,
    "choice": _text,
    "channel": _channel,
}
