"""What the upload view asks of a catalog. The bytes go past it, from the page to the service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, Self

from ..browse.catalog import Project
from ..lib.catalog import Record


class Deposit(Record, Protocol):
    """Files on their way in; `record` is a Deposit of docs/developer/api.md."""

    @property
    def upload(self) -> str:
        """Where its bytes go; "" once it takes no more."""

    def refresh(self) -> Self:
        """Read it again, with a fresh ticket."""

    def commit(self, *, check: bool = False, **told: Any) -> Self:
        """Begin the import with what is told of it now; `check`: only say what would come."""

    def give_up(self) -> Self:
        """Remove what came."""

    def became(self) -> Any:
        """The images, once it is done."""

    def became_files(self) -> Any:
        """The files, once one of files is done."""


class Catalog(Protocol):
    """The questions."""

    @property
    def session(self) -> Any:
        """Its `url` is the catalog's address."""

    @property
    def masks(self) -> Iterable[Record]:
        """What uploads must say."""

    def projects(self) -> Sequence[Project]:
        """Projects that I reach."""

    def open_deposit(
        self,
        project: str,
        dataset: str,
        files: Iterable[Mapping[str, Any]],
        *,
        kind: Any,
        again: bool,
        **told: Any,
    ) -> Deposit:
        """Reserve room for files, with their mask and tags; BadInput says what is wrong of each."""

    def deposit(self, uid: str) -> Deposit:
        """One of my deposits."""

    def image(self, uid: str) -> Record:
        """One image, with a fresh ticket."""
