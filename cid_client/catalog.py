"""The catalog as one person sees it: the way to everything else."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Unpack, overload

from . import environment, invoices, sheets, suggestions, uploads, usage, vocabulary
from .annotate import Annotated, annotate, named
from .datasets import Dataset, Moved, called, move
from .errors import BadInput
from .files import File
from .history import Entry, history
from .images import Image
from .people import People
from .projects import Project
from .records import Chosen, Listing, listing, uids
from .runs import Batch, Run
from .search import RecordSearch, Search, asked
from .stored import Values
from .suggestions import Completion, Tagged
from .tagged import Tags, tagged
from .templates import Template
from .trash import Trash, throw
from .uploads import Progress
from .vocabulary import NewTerm, Term
from .wire import Session

PAGE = 50


@dataclass(frozen=True, slots=True)
class Person:
    """Who I am to the catalog; `home` is where the catalog runs: laptop or service."""

    name: str
    staff: bool = False
    guest: bool = False
    home: str = ""
    run: str | None = None


def connect(url: str | None = None, token: str | None = None) -> Catalog:
    """Return the catalog at `url` as the one whose `token` it is.

    What is not given comes from the environment: CID_URL, and JUPYTERHUB_API_TOKEN on the hub,
    CID_RUN_TOKEN inside a run, or CID_TOKEN. Nothing is asked of the catalog yet. Raises
    NotConfigured when no address or token is known.
    """
    return Catalog(Session(environment.access(url, token)))


class Catalog(People):
    """Images, projects, templates and runs that I reach."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def whoami(self) -> Person:
        """Return who the catalog takes me for."""
        told = self.session.get("whoami")
        known = {key: told[key] for key in Person.__dataclass_fields__ if key in told}
        return Person(**known)

    def projects(self) -> Listing[Project]:
        """Return the projects I reach."""
        return listing(Project, self.session, self.session.get("projects"))

    def project(self, name: str) -> Project:
        """Return one project, or raise NotFound."""
        return Project(self.session, {"name": name}).refresh()

    def usage(self) -> usage.Overview:
        """Return what the teams hold that I lead, and my projects in others; all for staff."""
        return usage.of_all(self.session)

    def prices(self) -> list[invoices.Prices]:
        """Return all versions of the price list, the newest first."""
        return invoices.prices(self.session)

    def search(
        self,
        query: str = "",
        *,
        project: str | Project | None = None,
        dataset: str | None = None,
        kind: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
        **more: Any,
    ) -> Search:
        """Return the images that match, newest first, read page by page as you look at them.

        `query` is in the query language: words, `key:value` and more. What else is given must be
        true too: `objective="63x"`, a list for one of several, `snr__gt=10` (also `__ge`, `__lt`,
        `__le`), `staining__not="DAPI"`, `staining=None` for none. `kind` is image or labels, `sort`
        is newest, oldest, name, size, acquired, or a key of numbers or dates; `-` turns it round.
        Nothing is asked before the first look; then an unknown project is NotFound.
        """
        question = asked(query, called(project), dataset, more, kind, sort)
        return Search(self.session, question, limit)

    def records(
        self,
        query: str = "",
        *,
        project: str | Project | None = None,
        dataset: str | None = None,
        kind: str | None = None,
        sort: str | None = None,
        limit: int | None = None,
        **more: Any,
    ) -> RecordSearch:
        """Return the images and files that match, as `search` does; `kind` may be file too."""
        question = asked(query, called(project), dataset, more, kind, sort)
        return RecordSearch(self.session, question, limit)

    def complete(self, text: str) -> list[Completion]:
        """Return what the last word of a query may become: keys, or values of a key with counts."""
        return suggestions.complete(self.session, text)

    def top(self, limit: int = 20) -> list[Tagged]:
        """Return the tags that most records of my projects have."""
        return suggestions.top(self.session, limit)

    def image(self, uid: str) -> Image:
        """Return one image, or raise NotFound."""
        return Image(self.session, {"uid": uid}).refresh()

    def file(self, uid: str) -> File:
        """Return one file, or raise NotFound."""
        return File(self.session, {"uid": uid}).refresh()

    def dataset(self, uid: str) -> Dataset:
        """Return one dataset, or raise NotFound; `project.dataset(path)` finds it by path."""
        return Dataset(self.session, {"uid": uid}).refresh()

    def templates(self) -> Listing[Template]:
        """Return the newest version of every template."""
        return listing(Template, self.session, self.session.get("templates"))

    def template(self, name: str) -> Template:
        """Return the newest version of one template, or raise NotFound."""
        return Template(self.session, {"name": name}).refresh()

    def publish(self, manifest: Mapping[str, Any], notebook: str) -> Template:
        """Publish one version of a template: its template.toml as data, its notebook as text.

        Staff may. The same content again is the same version; other content under a published
        version is a Conflict.
        """
        body = {"manifest": manifest, "notebook": notebook}
        return Template(self.session, self.session.send("POST", "templates", body))

    def runs(
        self, *, project: str | None = None, batch: str | None = None, limit: int = PAGE
    ) -> Listing[Run]:
        """Return the newest runs that I may see, or those of one batch in the order of submit."""
        asked = {"project": project, "batch": batch, "limit": limit}
        return listing(Run, self.session, self.session.get("runs", **asked))

    @overload
    def run(self, template: str, images: Image, /, **parameters: Any) -> Run: ...
    @overload
    def run(self, template: str, images: Iterable[Image], /, **parameters: Any) -> Batch: ...
    def run(
        self, template: str, images: Image | Iterable[Image], /, **parameters: Any
    ) -> Run | Batch:
        """Run a template on one image (returns a Run) or on each of several (returns a Batch).

        A search that was not read to its end goes as its query: all that it finds then, of the
        kind that the template takes. Everything is checked before anything is queued: raises
        BadParameter, BadInput, NotAllowed or OverQuota with the reason.
        """
        alone = isinstance(images, Image)
        chosen = images if isinstance(images, Image | Search) else list(images)
        if not alone and not chosen:
            raise BadInput(f"no image to run {template} on: the selection is empty")
        body = {"template": template, **named(chosen, "images"), "parameters": parameters}
        answer = self.session.send("POST", "runs", body)
        runs = [Run(self.session, run) for run in answer["runs"]]
        return runs[0] if alone else Batch(self.session, answer["batch"], runs)

    @overload
    def upload(
        self,
        path: str | os.PathLike[str],
        project: str | Project,
        dataset: str = "",
        *,
        kind: Literal["import"] = "import",
        on_progress: Progress | None = None,
    ) -> Listing[Image]: ...
    @overload
    def upload(
        self,
        path: str | os.PathLike[str],
        project: str | Project,
        dataset: str = "",
        *,
        kind: Literal["files"],
        on_progress: Progress | None = None,
    ) -> Listing[File]: ...
    def upload(
        self,
        path: str | os.PathLike[str],
        project: str | Project,
        dataset: str = "",
        *,
        kind: Literal["import", "files"] = "import",
        on_progress: Progress | None = None,
    ) -> Listing[Image] | Listing[File]:
        """Bring one file, or one OME-Zarr folder, into a project and return what it became.

        `kind` is "import" for images, "files" to keep any file as it is. `on_progress(fraction,
        text)` is called as it goes. Raises BadFile, BadInput, NotAllowed, NotFound or OverQuota;
        whatever fails, also Ctrl-C, leaves nothing behind.
        """
        name = project.name if isinstance(project, Project) else project
        done = uploads.deposit(self.session, Path(path), name, dataset, kind, on_progress)
        if kind == "files":
            return Listing(self.file(uid) for uid in done["files"])
        return Listing(self.image(uid) for uid in done["images"])

    def annotate(
        self,
        records: Chosen,
        *,
        set: Mapping[str, Values] | None = None,
        add: Mapping[str, Values] | None = None,
        remove: Mapping[str, Values | None] | Iterable[str] = (),
        dry: bool = False,
    ) -> Annotated:
        """Say the same of many records of one project, all or nothing, one step to undo.

        `set` replaces what a tag says, `add` adds values, `remove` takes off keys, or the values of
        a key. `dry` only says what would happen.
        """
        return annotate(self.session, records, set or {}, add or {}, remove, dry)

    def tags(self, records: Chosen, *, limit: int | None = None) -> list[Tags]:
        """Return what is said of records now, of the first `limit`: in few questions."""
        return tagged(self.session, records, limit)

    def terms(self) -> Listing[Term]:
        """Return the facility's vocabulary; `project.terms()` has a project's own too."""
        return vocabulary.terms(self.session, "terms")

    def add_term(self, key: str, **how: Unpack[NewTerm]) -> Term:
        """Declare a term that all projects have: `add_term("Pinhole", type="number", unit="µm")`.

        Staff may. `similar` of what is returned names keys that are spelled much like it.
        """
        return vocabulary.add(self.session, "terms", key, how)

    def history(
        self,
        project: str | Project | None = None,
        *,
        about: str | None = None,
        limit: int = PAGE,
        after: int | None = None,
    ) -> Listing[Entry]:
        """Return what was done, newest first: in a project, or about one thing ("image:<uid>").

        `after`: older than this entry, to go on where a list ended.
        """
        return history(self.session, limit, after, project=called(project), about=about)

    def move(self, records: Chosen, dataset: Dataset) -> Moved:
        """Put records into a dataset, all or none, in one step; `undo()` takes it back.

        Into another project their bytes are charged there: contributors of both may.
        """
        return move(self.session, records, dataset)

    def trash(self, records: Chosen) -> Trash:
        """Throw records of one project away; `restore()` of what is returned brings them back."""
        return throw(self.session, uids(records))

    def preview(self, path: str | os.PathLike[str], project: str | Project) -> sheets.Preview:
        """Return all that an edited sheet would change; its `apply()` does it."""
        name = project.name if isinstance(project, Project) else project
        return sheets.preview(self.session, Path(path), name)

    def apply(self, path: str | os.PathLike[str], project: str | Project) -> sheets.Preview:
        """Apply an edited sheet without looking at its changes first; return them."""
        return self.preview(path, project).apply()

    def close(self) -> None:
        """Close the connections; they open again when they are needed."""
        self.session.close()

    def __repr__(self) -> str:
        return f"<Catalog {self.session.url}>"


def find_items(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield what can be imported at or below `path`; see `uploads.find_items`."""
    return uploads.find_items(Path(path))
