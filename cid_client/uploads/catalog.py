"""What a catalog takes in: images and other files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Unpack, overload

from ..records.datasets import called
from ..records.files import File
from ..records.images import Image
from ..records.projects import Project
from ..wire import given
from ..wire.session import Session
from . import checked, uploaded
from .checked import Checked
from .deposit import deposit
from .opened import Deposit, open_deposit
from .sending import Progress
from .told import Told, plain
from .uploaded import Uploaded

PLACE = "dataset: its path in the project"


class Uploads:
    """The part of a catalog that takes files in."""

    session: Session

    @overload
    def upload(
        self,
        path: str | os.PathLike[str],
        project: str | Project,
        dataset: str = "",
        *,
        kind: Literal["import"] = "import",
        on_progress: Progress | None = None,
        resume: bool = True,
        again: bool = False,
        **told: Unpack[Told],
    ) -> Uploaded[Image]: ...
    @overload
    def upload(
        self,
        path: str | os.PathLike[str],
        project: str | Project,
        dataset: str = "",
        *,
        kind: Literal["files"],
        on_progress: Progress | None = None,
        resume: bool = True,
        again: bool = False,
        **told: Unpack[Told],
    ) -> Uploaded[File]: ...
    def upload(
        self,
        path: str | os.PathLike[str],
        project: str | Project,
        dataset: str = "",
        *,
        kind: Literal["import", "files"] = "import",
        on_progress: Progress | None = None,
        resume: bool = True,
        again: bool = False,
        **told: Unpack[Told],
    ) -> Uploaded[Image] | Uploaded[File]:
        """Bring a file, or a folder with all that is in it, into a project.

        What comes back are the images that it became; its `files`, `problems` and `there` say what
        is kept as a file, what could not be read, and what was there already and was not sent,
        unless `again`. The folders of a folder become datasets. `kind` is "import" for images,
        "files" to keep everything as it is. `on_progress(fraction, text)` is called as it goes.
        `told` may be a mask, or an instrument whose mask it then is, tags, and `tags_of` some.

        Raises BadFile, BadInput, NotAllowed, NotFound or OverQuota; whatever fails leaves nothing
        behind. Where a line that broke, Ctrl-C or the end of Python stopped large files on their
        way, the same call goes on with them, for a day; with `resume` False it begins anew, and
        Ctrl-C leaves nothing.
        """
        done = deposit(
            self.session,
            given.path(path),
            _project(project),
            given.text(dataset, PLACE, empty=True),
            kind,
            on_progress,
            resume=resume,
            again=again,
            told=told,
        )
        if kind == "files":
            return uploaded.files(self.session, done)
        return uploaded.images(self.session, done)

    def check(
        self,
        path: str | os.PathLike[str],
        project: str | Project,
        dataset: str = "",
        *,
        on_progress: Progress | None = None,
        **told: Unpack[Told],
    ) -> Checked:
        """Say of each file of a file or folder what it would become; nothing is in the catalog yet.

        What is there already is not sent. The rest is sent, read and measured where an upload would
        be; `upload()` of what comes back brings it in without sending it again, within a day, and
        `drop()` removes it. Raises BadInput, NotAllowed, NotFound or OverQuota.
        """
        where = (_project(project), given.text(dataset, PLACE, empty=True))
        return checked.check(self.session, given.path(path), *where, on_progress, told)

    def open_deposit(
        self,
        project: str | Project,
        dataset: str = "",
        files: Iterable[Mapping[str, Any]] = (),
        *,
        kind: Literal["import", "files"] = "import",
        again: bool = False,
        **told: Unpack[Told],
    ) -> Deposit:
        """Open a deposit whose bytes you send yourself: files have path, nbytes, perhaps sha256.

        `upload` of what comes back is where they go, by PUT or tus; then `commit()` it.
        """
        more = {"dataset": dataset, "kind": kind, "again": again, **plain(told)}
        several = given.several(files, "files, each with path and nbytes")
        for one in several:
            given.mapping(one, "a file", '{"path": "a.tif", "nbytes": 123}')
        return open_deposit(self.session, _project(project), several, **more)

    def deposit(self, uid: str) -> Deposit:
        """Return one of my deposits as it is now, or raise NotFound."""
        return Deposit(self.session, {"uid": uid}).refresh()


def _project(project: str | Project) -> str:
    return given.text(called(project), "project: its name")
