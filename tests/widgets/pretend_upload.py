"""A catalog in memory that takes deposits, and a data plane that counts what a page sends to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pretend
from playwright.sync_api import Page, Route
from processes import wait_until

URL = "http://hub.example/services/cid/"


class Gone(Exception):
    """It is not there."""

    status = 404


class Deposit:
    """One deposit; `record` is what it would be told as."""

    def __init__(self, catalog: Taking, record: dict[str, Any]) -> None:
        self.catalog, self.record = catalog, record

    @property
    def upload(self) -> str:
        return self.record["upload"] or ""

    def refresh(self) -> Deposit:
        self.catalog._ask("refresh", self.record["uid"])
        if self.record["state"] == "importing" and self.catalog.imports:
            self.record.update(self.catalog.imports.pop(0))
        return self

    def commit(self, *, check: bool = False, **told: Any) -> Deposit:
        self.catalog._ask("commit", self.record["uid"], *(("check",) if check else ()), *told)
        self.record.update(state="importing", upload=None)
        return self

    def give_up(self) -> Deposit:
        self.catalog._ask("give_up", self.record["uid"])
        self.record.update(state="aborted", upload=None)
        return self

    def became(self) -> Any:
        images = [SimpleNamespace(uid=uid) for uid in self.record["images"]]
        return Became(images, self.record["kept"])

    def became_files(self) -> Sequence[str]:
        return list(self.record["files"])


class Became(list[Any]):
    """Images, and the files beside them."""

    def __init__(self, images: Iterable[Any], files: Sequence[str]) -> None:
        super().__init__(images)
        self.files = list(files)


@dataclass
class Taking(pretend.Catalog):
    """`imports` is what an import tells, look by look; `there` are paths that are known already."""

    imports: list[dict[str, Any]] = field(default_factory=list)
    there: list[dict[str, Any]] = field(default_factory=list)
    deposits: dict[str, Deposit] = field(default_factory=dict)
    masks: list[Any] = field(default_factory=list)
    session: Any = field(default_factory=lambda: SimpleNamespace(url=URL))

    def open_deposit(
        self,
        project: str,
        dataset: str,
        files: Iterable[Mapping[str, Any]],
        *,
        kind: str,
        again: bool,
        **told: Any,
    ) -> Deposit:
        declared = list(files)
        self._ask("open", project, dataset, kind, again, declared, told)
        uid = f"d{len(self.deposits)}"
        record = {
            **{"uid": uid, "state": "open", "kind": kind, "project": project, "dataset": dataset},
            "upload": f"/services/cid/data/{uid}/",
            **{"images": [], "files": [], "kept": [], "problems": [], "progress": {}},
            "there": [one for one in self.there if any(_in(one, file) for file in declared)],
            **{"error": None, "warning": None},
        }
        self.deposits[uid] = Deposit(self, record)
        return self.deposits[uid]

    def deposit(self, uid: str) -> Deposit:
        self._ask("deposit", uid)
        if uid not in self.deposits:
            raise Gone("there is no such deposit")
        return self.deposits[uid]


def _in(there: Mapping[str, Any], file: Mapping[str, Any]) -> bool:
    return f"{file['path']}/".startswith(f"{there['path']}/")


def report(**more: Any) -> dict[str, Any]:
    """What five files would become, the worst first."""
    image = {
        **{"name": "cell", "kind": "image", "axes": "cyx", "shape": [3, 256, 256]},
        **{"dtype": "uint16", "scale": {"y": 0.1, "x": 0.1}, "completeness": 0.5},
        **{"units": {"y": "micrometer", "x": "micrometer"}, "nbytes": 9, "quality": None},
        **{"missing": {"Objective": "the file does not say"}, "findings": []},
    }
    verdicts = {"cut.tif": "unreadable", "a.tif": "look", "b.tif": "good", "notes.txt": "file"}
    findings = {"cut.tif": ["the file ends in the middle"], "a.tif": ["SNR low: 2.1"]}
    files = [
        {
            **{"path": path, "verdict": verdict, "nbytes": 9, "record": None},
            "findings": findings.get(path, []),
            "images": [image] if verdict in ("look", "good") else [],
        }
        for path, verdict in [*verdicts.items(), ("old.tif", "there")]
    ]
    counts = dict.fromkeys(["unreadable", "look", "good", "file", "there"], 1)
    return {"files": files, "counts": counts, "nbytes": 27, "masks": [], "wrong": []} | more


def filled() -> Taking:
    """The small facility, where one may upload to demo."""
    made = pretend.filled()
    return Taking(made.records, made.held)


@dataclass
class Plane:
    """Answers what the page sends: `answers` are given first, [status, body], None breaks the line.

    While `held` nothing is answered at all.
    """

    put: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    answers: list[tuple[int, str] | None] = field(default_factory=list)
    held: bool = False
    waiting: list[Route] = field(default_factory=list)

    def serve(self, page: Page) -> None:
        """Stand where the service would be."""
        page.route("**/services/cid/data/**", self._answer)

    def release(self) -> None:
        """Answer what waits."""
        self.held = False
        for route in self.waiting:
            self._answer(route)
        self.waiting.clear()

    def _answer(self, route: Route) -> None:
        if self.held:
            self.waiting.append(route)
            return
        answer = self.answers.pop(0) if self.answers else (201, "{}")
        if answer is None:
            route.abort("connectionreset")
            return
        if answer[0] == 201:
            path = route.request.url.partition("/data/")[2].partition("/")[2]
            self.put.append(path)
            self.digests[path] = route.request.headers.get("content-digest", "")
        route.fulfill(status=answer[0], body=answer[1], content_type="application/json")


DROP = """([tree, broken]) => {
  const file = (name, text) => ({ isFile: true, isDirectory: false, name,
    file: (give, fail) => broken.includes(name) ? fail(new Error("gone"))
      : give(new File([text], name, { lastModified: 1000 })) });
  const entry = (name, of) => typeof of === "string" ? file(name, of)
    : { isFile: false, isDirectory: true, name, createReader() {
        let left = Object.entries(of);
        return { readEntries(give) { const some = left.slice(0, 2); left = left.slice(2);
          give(some.map(([n, o]) => entry(n, o))); } };
      } };
  const items = Object.entries(tree).map(([name, of]) => ({ kind: "file",
    webkitGetAsEntry: () => entry(name, of) }));
  const event = new DragEvent("drop", { bubbles: true, cancelable: true });
  Object.defineProperty(event, "dataTransfer", { value: { types: ["Files"], items } });
  document.querySelector(".cid-upload").dispatchEvent(event);
  return event.defaultPrevented;
}"""


def drop(page: Page, tree: dict[str, Any], broken: tuple[str, ...] = ()) -> None:
    """Drop files and folders on the widget."""
    assert page.evaluate(DROP, [tree, list(broken)])


def reached(page: Page, true: Callable[[], Any], what: str) -> None:
    """Wait while the page goes on: what it sends is answered from here."""
    wait_until(lambda: page.title() is not None and true(), what=what)


def done(*images: str, **more: Any) -> dict[str, Any]:
    return {"state": "done", "images": list(images), **more}
