"""Files from this computer into a project: dropped in the page, sent past the kernel, imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets as t

from ..browse.shapes import project as project_shape
from ..lib.view import built, line
from . import memory, shapes
from .broken_off import BrokenOff, folder
from .catalog import Catalog, Deposit
from .memory import Kept

SAID = ("path", "nbytes", "sha256")
ABOUT = ("project", "dataset", "kind", "mask", "tags")
MAY = ("contributor", "manager")
GONE = "the upload takes no more files: it was given up, or its time has passed. Begin anew."


class Upload(BrokenOff):
    """Bring files in: `Upload(catalog, "demo", "screen/plate 1")`, then drop them on it.

    With a `browser` they go where that is, and it shows what came.

    `project`, `dataset`, `mask`, `tags`, `kind` and `again` say what the form says. `state` goes
    from ready to sending, importing, and done or failed; `images` and `files` are what came out.
    What is checked first, or lacks what its mask asks for, is `checked` on its way: `report` says
    what it would become, `bring()` brings it in, `cancel()` gives it up. A page that is read again,
    or another kernel, goes on with what is `unfinished` once the same files are dropped again. In
    one line of Python, for files where the kernel is: `catalog.upload(path, project, dataset)`, or
    `catalog.check(path, project, dataset)`.
    """

    _esm, _css = built("upload")

    project = t.Unicode().tag(sync=True)
    dataset = t.Unicode().tag(sync=True)
    kind = t.Enum(["import", "files"], default_value="import").tag(sync=True)
    again = t.Bool().tag(sync=True)

    projects = t.List(t.Dict()).tag(sync=True)
    masks = t.List(t.Dict()).tag(sync=True)
    shows = t.Bool().tag(sync=True)  # is there a browser that can show what came

    def __init__(
        self,
        catalog: Catalog | None = None,
        project: str | None = None,
        dataset: str = "",
        *,
        browser: Any = None,
    ) -> None:
        self.browser = browser
        super().__init__(catalog)
        self.shows = browser is not None
        if browser is not None and project is None:
            project, dataset = browser.project, dataset or browser.dataset
        self.project, self.dataset = project or "", dataset
        self.refresh()
        self.remember()

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
            if self._deposit is not None and self.state in ("sending", "importing", "checked"):
                self._deposit.give_up()
                self.forget()
            self.be_ready()
        if not self.error:
            self.refresh()

    def show(self) -> None:
        """Show what came in the browser, selected."""
        with self.turn, self.telling("error"):
            if self.browser is not None and self._deposit is not None:
                told = self._deposit.record
                self.browser.show(told["project"], told["dataset"], told["images"])

    def came(self) -> None:
        """Let the browser look again."""
        if self.browser is not None:
            self.browser.refresh()

    # --- what the page says -------------------------------------------------------------------

    def answer_open(self, asked: Mapping[str, Any]) -> None:
        """Open a deposit of the files that were listed, and tell where their bytes go."""
        files = self.listed(asked["sender"])
        declared = [{key: one[key] for key in SAID if key in one} for one in files]
        told = {"mask": self.mask, "tags": self.tags}
        self.wrong = []
        with self.telling("error"), self.judged():
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
                **{key: getattr(self, key) for key in ABOUT},
                "check": bool(asked.get("check")) and self.kind == "import",
                "files": [[one["path"], one["nbytes"], one["modified"]] for one in files],
            }
            kept = memory.remember(folder(), deposit.record["uid"], about)
            self._begin(deposit, kept, asked["sender"])
        if self.error:
            self.tell("refused", sender=asked["sender"], message=self.error)

    def answer_go_on(self, asked: Mapping[str, Any]) -> None:
        """Take up an unfinished deposit."""
        uid = asked["uid"]
        with self.telling("error"):
            kept = next(kept for kept in self.all_broken_off() if kept.uid == uid)
            deposit = self.catalog.deposit(uid)
            with self.hold_sync():
                self.project, self.dataset = kept.about["project"], kept.about["dataset"]
                self.kind, self.tags = kept.about["kind"], dict(kept.about["tags"])
                self.mask = kept.about["mask"]
            if deposit.record.get("report"):
                self.take_up(kept)
                self.follow(deposit, kept)
            elif not deposit.upload:
                self.drop(kept)
                self.tell("refused", sender=asked["sender"], message=GONE)
            else:
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
        """All bytes are there: begin the import, or the check."""
        with self.telling("error"):
            if self._kept is not None and self.state == "sending":
                self.begin_import(check=bool(self._kept.about.get("check")))
        if self.error:
            self.tell("refused", sender=asked["sender"], message=self.error)

    def answer_bring(self, _: Mapping[str, Any]) -> None:
        """Bring in what was checked."""
        self.bring()
        self.tell("brought")

    def answer_cancel(self, asked: Mapping[str, Any]) -> None:
        """Give up what is under way; of a page that says who it is, only what it began."""
        sender = asked.get("sender")
        if sender is None or (self.deposit or {}).get("sender") == sender:
            self.cancel()
        elif self.state == "ready":
            self.error = ""

    def answer_reset(self, _: Mapping[str, Any]) -> None:
        """Be ready for more; what is brought in twice is asked each time."""
        self.be_ready()
        self.again = False
        self.refresh()

    def answer_show(self, _: Mapping[str, Any]) -> None:
        """Show what came in the browser."""
        self.show()

    def _begin(
        self, deposit: Deposit, kept: Kept, sender: str, missing: list[str] | None = None
    ) -> None:
        """Let this page send what is `missing`: all but what is there already, where it is new."""
        self._deposit, self._kept = deposit, kept
        told = deposit.record
        kept.note_there([one["path"] for one in told.get("there") or ()])
        with self.hold_sync():
            self.take_up(kept)
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
