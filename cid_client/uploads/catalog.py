"""What a catalog takes in: images and other files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, overload

from ..records.files import File
from ..records.images import Image
from ..records.projects import Project
from ..wire.session import Session
from . import uploaded
from .deposit import deposit
from .sending import Progress
from .uploaded import Uploaded


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
    ) -> Uploaded[Image] | Uploaded[File]:
        """Bring a file, or a folder with all that is in it, into a project.

        What comes back are the images that it became; its `files`, `problems` and `there` say what
        is kept as a file, what could not be read, and what was there already and was not sent,
        unless `again`. The folders of a folder become datasets. `kind` is "import" for images,
        "files" to keep everything as it is. `on_progress(fraction, text)` is called as it goes.

        Raises BadFile, BadInput, NotAllowed, NotFound or OverQuota; whatever fails leaves nothing
        behind. Where a line that broke, Ctrl-C or the end of Python stopped large files on their
        way, the same call goes on with them, for a day; with `resume` False it begins anew, and
        Ctrl-C leaves nothing.
        """
        name = project.name if isinstance(project, Project) else project
        done = deposit(
            self.session,
            Path(path),
            name,
            dataset,
            kind,
            on_progress,
            resume=resume,
            again=again,
        )
        if kind == "files":
            return uploaded.files(self.session, done)
        return uploaded.images(self.session, done)
