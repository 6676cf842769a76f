"""Masks as a notebook sees them: staff saves them, everybody reads and checks uploads by them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .. import display
from ..errors import BadInput, NotFound
from ..records.changing import Changing
from ..records.record import Field, Listing
from ..uploads.told import Tags, plain
from ..wire import given
from ..wire.session import Session, segment
from . import checked
from .checked import CheckedMask

Source = str | os.PathLike[str] | Mapping[str, Any]  # a file, YAML text of several lines, or values


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a mask; `changes` of the one before, where the whole was read."""

    number: int
    note: str
    person: str
    at: str
    text: str = ""
    document: Mapping[str, Any] | None = None
    changes: tuple[Mapping[str, Any], ...] = ()

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        return [
            ("version", self.number),
            ("at", self.at[:16]),
            ("by", self.person),
            ("note", self.note),
        ]


class Mask(Changing):
    """What an upload must and may say. Versions never change; new uploads go by the newest."""

    collection = "masks"

    name = Field[str]()
    retired = Field[bool]()

    @property
    def instrument(self) -> str:
        """The name of its microscope; "": of any."""
        scope = self.wire("instrument")
        return str(scope["name"]) if scope else ""

    @property
    def version(self) -> int:
        """The number of the newest version."""
        return int(self.wire("version")["number"])

    @property
    def text(self) -> str:
        """The YAML of the newest version, as it was saved."""
        return str(self.wire("version")["text"])

    @property
    def document(self) -> dict[str, Any]:
        """What the newest version says."""
        return dict(self.wire("version")["document"])

    @property
    def fields(self) -> list[dict[str, Any]]:
        """Its fields in their order."""
        return list(self.document.get("fields", ()))

    @property
    def versions(self) -> Listing[Any]:
        """All versions, the newest first."""
        return Listing(_version(told) for told in self.wire("versions"))

    def at(self, number: int) -> Version:
        """Return one version whole, with what it changed."""
        return _version(self.session.get(f"{self.path}/versions/{number}"))

    def save(self, source: Source, note: str = "") -> Mask:
        """Make the next version of a YAML file, its text, or what it says. Staff may.

        Raises BadInput, whose `fields` say of each what is wrong and in which line.
        """
        return self._changed("PUT", body={**read(source), "note": note})

    def retire(self, retired: bool = True) -> Mask:
        """Let new uploads use it no more; `undo()` takes it back. Staff may."""
        return self._changed("PATCH", body={"retired": retired})

    def check(self, files: Iterable[str | os.PathLike[str]] = (), **said: Any) -> CheckedMask:
        """Say what an upload of these files would say, and what would be refused."""
        return check(self.session, files, mask=self.uid, **said)

    def facts(self) -> list[tuple[str, Any]]:
        """Return what a person wants to see of it."""
        needed = [one["key"] for one in self.fields if one.get("required")]
        return [
            ("name", self.name),
            ("instrument", self.instrument),
            ("version", self.version),
            ("required", ", ".join(needed)),
            ("fields", len(self.fields)),
            ("retired", "yes" if self.retired else ""),
        ]


class Masks:
    """All masks of the facility: `catalog.masks["Confocal 1"]`."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def all(self) -> Listing[Mask]:
        """Return all of them by name, the retired ones too."""
        return Listing(Mask(self.session, row) for row in self.session.get("masks")["masks"])

    def __getitem__(self, called: str) -> Mask:
        """Return the one of this name or uid, or raise NotFound."""
        told = self.session.look(f"masks/{segment(called)}")
        found = Mask(self.session, told.body)
        found._take(told)
        return found

    def __iter__(self) -> Iterator[Mask]:
        return iter(self.all())

    def __len__(self) -> int:
        return len(self.all())

    def of(self, instrument: str) -> Listing[Mask]:
        """Return those of a microscope that are in use."""
        wanted = instrument.casefold()
        return Listing(m for m in self.all() if not m.retired and m.instrument.casefold() == wanted)

    def save(self, source: Source, note: str = "") -> Mask:
        """Save a YAML file, its text, or what it says: a new mask, or the next version. Staff may.

        It is that of the name in the document; `mask.save` renames.
        """
        body = read(source)
        read_back = check(self.session, (), **body)
        if read_back.wrong:
            raise BadInput("; ".join(map(str, read_back.wrong[:3])), read_back.wrong)
        try:
            return self[str((read_back.document or {})["mask"])].save(source, note)
        except NotFound:
            return Mask(self.session, self.session.send("POST", "masks", {**body, "note": note}))

    def check(
        self,
        files: Iterable[str | os.PathLike[str]] = (),
        *,
        source: Source | None = None,
        **said: Any,
    ) -> CheckedMask:
        """Say what an upload would say, and what would be refused, by a mask or by a draft.

        `said`: mask or instrument by name, project, tags, tags_of. Nothing is changed or sent.
        """
        return check(self.session, files, **(read(source) if source is not None else {}), **said)

    def __repr__(self) -> str:
        return f"<masks {', '.join(one.name for one in self.all())}>"

    def _repr_html_(self) -> str:
        rows = [[v for _, v in one.facts()[:-1]] for one in self.all() if not one.retired]
        return display.table(["name", "instrument", "version", "required", "fields"], rows)


def check(
    session: Session,
    files: Iterable[str | os.PathLike[str]],
    *,
    tags: Tags | None = None,
    tags_of: Mapping[str, Tags] | None = None,
    **by: Any,
) -> CheckedMask:
    """Ask the catalog what an upload would say."""
    names = [given.path(one).as_posix() for one in given.several(files, "names of files in a list")]
    body = {"files": names, **plain({"tags": tags, "tags_of": tags_of}), **plain(by)}
    return checked.read(session.send("POST", "masks/check", body))


def read(source: Source) -> dict[str, Any]:
    """Return what a mask is sent as: values as they are, a file or text of lines as YAML."""
    if isinstance(source, Mapping):
        return {"document": dict(source)}
    if isinstance(source, str) and "\n" in source:
        return {"text": source}
    path = given.path(source)
    if not path.is_file():
        raise BadInput(f"{path}: no such file")
    try:
        return {"text": path.read_text(encoding="utf-8-sig")}
    except UnicodeDecodeError:
        raise BadInput(f"{path}: this is no text in UTF-8") from None


def _version(told: Mapping[str, Any]) -> Version:
    return Version(
        told["number"],
        told["note"],
        told["person"],
        told["created_at"],
        told.get("text", ""),
        told.get("document"),
        tuple(told.get("changes", ())),
    )
