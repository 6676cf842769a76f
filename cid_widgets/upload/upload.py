"""Files from this computer into a project: dropped in the page, sent past the kernel, imported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import traitlets as t

from ..browse.shapes import project as project_shape
from ..lib.view import built, line
from . import memory, shapes
from .catalog import Catalog, Deposit
from .following import ENDED, Following
from .memory import Kept

SAID = ("path", "nbytes", "sha256")
MAY = ("contributor", "manager")
GONE = "the upload takes no more files: it was given up, or its time has passed. Begin anew."


class Upload(Following):
    """Bring files in: `Upload(catalog, "demo", "screen/plate 1")`, then drop them on it.

    With a `browser` they go where that is, and it shows what came.

    `project`, `dataset`, `mask`, `tags`, `kind` and `again` say what the form says. `state` goes
    from ready to sending, importing, and done or failed; `images` and `files` are what came out. A
    page that is read again, or another kernel, goes on with what is `unfinished` once the same
    files are dropped again. In one line of Python, for files where the kernel is:
    `catalog.upload(path, project, dataset)`.
    """

    _esm, _css = built("upload")

    project = t.Unicode().tag(sync=True)
    dataset = t.Unicode().tag(sync=True)
    mask = t.Unicode().tag(sync=True)
    tags: Any = t.Dict().tag(sync=True)
    kind = t.Enum(["import", "files"], default_value="import").tag(sync=True)
    again = t.Bool().tag(sync=True)

    projects = t.List(t.Dict()).tag(sync=True)
    masks = t.List(t.Dict()).tag(sync=True)
    wrong = t.List(t.Dict()).tag(sync=True)  # what the mask has against the tags, field by field
    unfinished = t.List(t.Dict()).tag(sync=True)
    shows = t.Bool().tag(sync=True)  # is there a browser that can show what came

    def __init__(
        self,
        catalog: Catalog | None = None,
        project: str | None = None,
        dataset: str = "",
        *,
        browser: Any = None,
    ) -> None:
        self._memories: dict[str, Kept] = {}
        self._listed: dict[str, list[Any]] = {}  # files that a page speaks of
        self.browser = browser
        super().__init__(catalog)
        self.shows = browser is not None
        if browser is not None and project is None:
            project, dataset = browser.project, dataset or browser.dataset
        self.project, self.dataset = project or "", dataset
        self.refresh()
        self._remember()

    def refresh(self) -> None:
        """Read the projects where I may upload, and the room that they have."""
        with self.turn, self.telling("error"):
            found = [project_shape(one) for one in self.catalog.projects()]
            self.projects = [one for one in found if one["role"] in MAY]
            names = [one["name"] for one in self.projects]
            if not self.project and names:
                self.project = names[0]
            known = [one.record for one in self.catalog.masks]
            self.masks = [shapes.mask(one) for one in known if not one["retired"]]

    def cancel(self) -> None:
        """Give up what is under way; nothing of it stays."""
        with self.turn, self.telling("error"):
            if self._deposit is not None and self.state in ("sending", "importing"):
                self._deposit.give_up()
                self.forget()
            self.be_ready()
        if not self.error:
            self.refresh()

    def discard(self, uid: str) -> None:
        """Give up what is unfinished; nothing of it stays."""
        with self.turn, self.telling("error"):
            kept = self._memories[uid]
            self.catalog.deposit(uid).give_up()
            self._drop(kept)

    def show(self) -> None:
        """Show what came in the browser."""
        with self.turn, self.telling("error"):
            if self.browser is not None and self._deposit is not None:
                told = self._deposit.record
                self.browser.project = told["project"]
                self.browser.dataset = told["dataset"]
                self.browser.refresh()

    # --- what the page says -------------------------------------------------------------------

    def answer_listed(self, asked: Mapping[str, Any]) -> None:
        """Hear of some files, each with path, nbytes, modified and perhaps its sha256."""
        before = self._listed.get(asked["sender"], []) if asked["start"] else []
        self._listed = {asked["sender"]: [*before, *asked["files"]]}

    def answer_gathered(self, asked: Mapping[str, Any]) -> None:
        """Tell which unfinished upload the files that were listed go on with."""
        files = self._listed.pop(asked["sender"], [])
        have = {one["path"]: (one["nbytes"], one["modified"]) for one in files}
        found = next((k for k in self._broken_off() if _covers(have, k.missing())), None)
        known = shapes.unfinished(found) if found is not None else None
        self.tell("gathered", sender=asked["sender"], known=known)

    def answer_open(self, asked: Mapping[str, Any]) -> None:
        """Open a deposit of the files that were listed, and tell where their bytes go."""
        files = self._listed.pop(asked["sender"], [])
        declared = [{key: one[key] for key in SAID if key in one} for one in files]
        told = {"mask": self.mask, "tags": self.tags}
        self.wrong = []
        with self.telling("error"), self._judged():
            deposit = self.catalog.open_deposit(
                self.project,
                self.dataset,
                declared,
                kind=self.kind,
                again=self.again,
                **{key: value for key, value in told.items() if value},
            )
            about = {
                "url": self.url,
                **{
                    key: getattr(self, key)
                    for key in ("project", "dataset", "kind", "mask", "tags")
                },
                "files": [[one["path"], one["nbytes"], one["modified"]] for one in files],
            }
            kept = memory.remember(_folder(), deposit.record["uid"], about)
            self._begin(deposit, kept, asked["sender"])
        if self.error:
            self.tell("refused", sender=asked["sender"], message=self.error)

    def answer_go_on(self, asked: Mapping[str, Any]) -> None:
        """Take up an unfinished deposit."""
        uid = asked["uid"]
        with self.telling("error"):
            kept = next(kept for kept in self._broken_off() if kept.uid == uid)
            deposit = self.catalog.deposit(uid)
            if not deposit.upload:
                self._drop(kept)
                self.tell("refused", sender=asked["sender"], message=GONE)
                return
            with self.hold_sync():
                self.project, self.dataset = kept.about["project"], kept.about["dataset"]
                self.kind, self.tags = kept.about["kind"], dict(kept.about["tags"])
                self.mask = kept.about["mask"]
            self._begin(deposit, kept, asked["sender"], missing=list(kept.missing()))
        if self.error:
            self.tell("refused", sender=asked["sender"], message=self.error)

    def answer_ticket(self, asked: Mapping[str, Any]) -> None:
        """Tell a fresh address for the bytes of the deposit that is under way."""
        address, wrong, final = "", "", False
        try:
            if self._deposit is None or self._deposit.record["uid"] != asked["uid"]:
                wrong, final = GONE, True
            else:
                address = self._deposit.refresh().upload
                if not address:
                    wrong, final = GONE, True
        except Exception as error:
            self.log.debug("no ticket", exc_info=True)
            wrong = line(error)
            final = getattr(error, "status", 0) in (401, 403, 404, 409)
        self.tell("ticket", uid=asked["uid"], address=address, message=wrong, final=final)

    def answer_notes(self, asked: Mapping[str, Any]) -> None:
        """Keep how far the page got."""
        if self._kept is None or self._kept.uid != asked["uid"] or self.state != "sending":
            return
        self._kept.note(asked["begun"], asked["done"])
        self.progress = dict(asked["progress"])

    def answer_finish(self, asked: Mapping[str, Any]) -> None:
        """All bytes are there: begin the import, and follow it."""
        with self.telling("error"):
            if self._deposit is not None and self.state == "sending":
                self._deposit.commit()
                self.progress = shapes.importing(self._deposit.record)
                self.state = "importing"
        if self.error:
            self.tell("refused", sender=asked["sender"], message=self.error)
        elif self.state == "importing":
            self._watcher.wake()

    def answer_cancel(self, _: Mapping[str, Any]) -> None:
        """Give up what is under way."""
        self.cancel()

    def answer_discard(self, asked: Mapping[str, Any]) -> None:
        """Give up what is unfinished."""
        self.discard(asked["uid"])

    def answer_reset(self, _: Mapping[str, Any]) -> None:
        """Be ready for more."""
        self.be_ready()
        self.refresh()

    def answer_show(self, _: Mapping[str, Any]) -> None:
        """Show what came in the browser."""
        self.show()

    @contextmanager
    def _judged(self) -> Iterator[None]:
        """Say of each field what is wrong with it, where the service does."""
        try:
            yield
        except Exception as error:
            self.wrong = [shapes.wrong(one) for one in getattr(error, "fields", ())]
            raise

    # --- what becomes of it -------------------------------------------------------------------

    def _begin(
        self, deposit: Deposit, kept: Kept, sender: str, missing: list[str] | None = None
    ) -> None:
        """Let this page send what is `missing`: all but what is there already, where it is new."""
        self._deposit, self._kept = deposit, kept
        self._memories.pop(kept.uid, None)
        told = deposit.record
        kept.note_there([one["path"] for one in told.get("there") or ()])
        with self.hold_sync():
            self._list()
            self.outcome, self.progress = None, {}
            self.deposit = shapes.going(told, kept, sender)
            self.state = "sending"
        self.tell(
            "go",
            sender=sender,
            uid=kept.uid,
            address=deposit.upload,
            begun=kept.begun,
            done=sorted(kept.done) if missing is None else [],
            missing=missing,
        )

    # --- what is remembered -------------------------------------------------------------------

    def _remember(self) -> None:
        """List what was broken off, and follow what is imported."""
        for kept in memory.everything(_folder(), self.url):
            try:
                deposit = self.catalog.deposit(kept.uid)
            except Exception as error:
                if getattr(error, "status", 0) == 404:
                    kept.forget()
                continue
            state = deposit.record["state"]
            if state == "open":
                self._memories[kept.uid] = kept
            elif state == "importing" and self._deposit is None:
                self.follow(deposit, kept)
            elif state in ENDED:
                kept.forget()
        self._list()

    def _broken_off(self) -> list[Kept]:
        """Return what can be gone on with; what is under way too: its page may be gone."""
        under_way = [self._kept] if self._kept is not None and self.state == "sending" else []
        return [*under_way, *self._memories.values()]

    def _list(self) -> None:
        self.unfinished = [shapes.unfinished(kept) for kept in self._memories.values()]

    def _drop(self, kept: Kept) -> None:
        kept.forget()
        self._memories.pop(kept.uid, None)
        self._list()


def _covers(have: Mapping[str, Any], missing: Mapping[str, Any]) -> bool:
    return all(have.get(path) == known for path, known in missing.items())


def _folder() -> Path | None:
    from cid_client.wire import environment

    try:
        return environment.state_folder() / "pages"
    except RuntimeError:  # nobody's home
        return None
