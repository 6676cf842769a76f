"""A catalog of a few hundred lines on loopback: real HTTP, real bytes, tickets that really end.

It keeps to docs/developer/api.md and decides nothing else. `seen` records every request.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import tiny_batch

TOKEN = "person-token-5f1d"
RUN_TOKEN = "run-token-77aa"
BASE = "/services/cid/"
ESTIMATE = {
    "seconds": {"low": 480.0, "likely": 720.0, "high": 1200.0},
    "bytes": 1_200_000_000,
    "gpu_minutes": 0.0,
    "price": "3.40",
    "currency": "EUR",
    "history": 57,
    "says": "about 12 min (8 to 20), 1.2 GB, 3.40 EUR",
}


class Refused(Exception):
    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status, self.answer = status, {"error": name, "message": message}


@dataclass
class Seen:
    verb: str
    path: str
    headers: dict[str, str]
    sent: int = 0


@dataclass
class Tiny:
    """What the catalog holds. Tests change it in place."""

    folder: Path
    images: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    runs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)  # what each look shows
    work: dict[str, Any] = field(default_factory=dict)
    deposits: dict[str, dict[str, Any]] = field(default_factory=dict)
    tickets: dict[str, tuple[Path, str]] = field(default_factory=dict)
    thrown: int = 0  # how many lie in the trash, two on a page
    outages: int = 0  # answers of 503 still to give
    import_states: list[dict[str, Any]] = field(default_factory=list)
    there: list[dict[str, Any]] = field(default_factory=list)  # what need not be sent
    seen: list[Seen] = field(default_factory=list)
    submitted: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def ticket(self, folder: Path, mode: str = "r") -> str:
        name = f"t{len(self.tickets)}"
        self.tickets[name] = (folder, mode)
        return f"{BASE}data/{name}/"

    def end_tickets(self) -> None:
        self.tickets = {name: (Path(), "ended") for name in self.tickets}

    def add_image(self, uid: str, **record: Any) -> dict[str, Any]:
        """Add an image whose bytes lie below `folder`/uid."""
        plain = {
            "uid": uid, "name": uid, "kind": "image", "project": "demo", "dataset": "",
            "axes": "yx", "shape": [4, 4], "dtype": "uint8", "levels": 1, "scale": {},
            "units": {}, "channels": [], "nbytes": 16, "sha256": "", "tags": [], "source": None,
            "run": None, "created_by": "researcher", "created_at": "2026-11-21T01:00:00Z",
            "original": None,
        }  # fmt: skip
        self.images[uid] = {**plain, **record}
        return self.images[uid]

    def asked(self, verb: str, start: str) -> list[Seen]:
        return [s for s in self.seen if s.verb == verb and s.path.startswith(BASE + start)]

    # --- the API -------------------------------------------------------------------------

    def image(self, uid: str, body: Any, query: dict[str, str]) -> Any:
        record = dict(self._have(self.images, uid))
        place = self.ticket(self.folder / uid)
        record["thumbnail"] = f"{place}thumbnail.png"
        record["data"] = f"{place}image.ome.zarr/"
        original = record["original"]
        record["original_url"] = original and f"{place}{original['name']}"
        return record

    def row(self, record: dict[str, Any]) -> dict[str, Any]:
        hidden = ("channels", "sha256", "run", "original")
        kept = {key: value for key, value in record.items() if key not in hidden}
        place = self.ticket(self.folder / record["uid"])
        return {**kept, "thumbnail": f"{place}thumbnail.png"}

    def search(self, body: Any, query: dict[str, str]) -> Any:
        newest = sorted(self.images.values(), key=lambda image: image["uid"], reverse=True)
        start, limit = int(query.get("after", 0)), int(query.get("limit", 50))
        found = [i for i in newest if query.get("q", "") in i["name"]]
        more = start + limit < len(found)
        page = [self.row(image) for image in found[start : start + limit]]
        return {"images": page, "next": start + limit if more else None}

    def trash(self, body: Any, query: dict[str, str]) -> Any:
        number = int(query.get("after", self.thrown))
        page = [{**THROWN, "uid": f"t{n}"} for n in range(number - 1, max(number - 3, -1), -1)]
        return {"trash": page, "next": str(number - 2) if number > 2 else None}

    def put_tag(self, uid: str, key: str, body: Any, query: dict[str, str]) -> Any:
        self.drop_tag(uid, key, body, query)
        number = body["value"] if isinstance(body["value"], int | float) else None
        tag = {"key": key, "value": str(body["value"]), "number": number, "unit": ""}
        self.images[uid]["tags"].append(tag)
        return self.image(uid, body, query)

    def drop_tag(self, uid: str, key: str, body: Any, query: dict[str, str]) -> Any:
        tags = self._have(self.images, uid)["tags"]
        tags[:] = [tag for tag in tags if tag["key"] != key]
        return self.image(uid, body, query)

    def rename(self, uid: str, body: Any, query: dict[str, str]) -> Any:
        self._have(self.images, uid)["name"] = body["name"]
        return self.image(uid, body, query)

    def lineage(self, uid: str, body: Any, query: dict[str, str]) -> Any:
        children = [self.row(i) for i in self.images.values() if i["source"] == uid]
        return {"parents": [], "children": children}

    def file(self, uid: str, body: Any, query: dict[str, str]) -> Any:
        record = dict(self._have(self.files, uid))
        return {**record, "url": self.ticket(self.folder / uid) + record["name"]}

    def submit(self, body: Any, query: dict[str, str]) -> Any:
        runs = [looks[0] for looks in self.runs.values()]
        self.submitted.append(body)
        wanted = body.get("images", self.images)
        return {"batch": "b1", "runs": runs[: len(wanted)], "asked": body}

    def run(self, uid: str, body: Any, query: dict[str, str]) -> Any:
        looks = self._have(self.runs, uid)
        return looks.pop(0) if len(looks) > 1 else looks[0]

    def look(self, body: Any, query: dict[str, str]) -> Any:
        named = [self.images[uid] for uid in body.get("images", self.images)]
        seen = [{"uid": i["uid"], "name": i["name"], "light": "green", "notes": []} for i in named]
        told = {"name": body["template"], "version": "1.0.0", "digest": "d"}
        counts = {"red": 0, "amber": 0, "green": len(seen)}
        rest = {"counts": counts, "notes": [], "channels": [], "nbytes": 1, "estimate": ESTIMATE}
        return {"template": told, "images": seen, **rest}

    def list_runs(self, body: Any, query: dict[str, str]) -> Any:
        return {"runs": [self.run(uid, body, query) for uid in self.runs], "next": None}

    def batch(self, uid: str, body: Any, query: dict[str, str]) -> Any:
        return tiny_batch.counted(uid, [self.run(one, body, query) for one in self.runs])

    def steer(self, uid: str, how: str, body: Any, query: dict[str, str]) -> Any:
        for one, looks in self.runs.items():
            if how == "cancel" and looks[-1]["state"] not in ("done", "failed"):
                self.runs[one] = [{**looks[-1], "state": "cancelled"}]
        return self.batch(uid, body, query)

    def cancel(self, uid: str, body: Any, query: dict[str, str]) -> Any:
        self.runs[uid] = [{**self.runs[uid][-1], "state": "cancelled"}]
        return self.runs[uid][0]

    def open_deposit(self, project: str, body: Any, query: dict[str, str]) -> Any:
        if project == "full":
            raise Refused(413, "OverQuota", "project full has 0 bytes left")
        uid = f"d{len(self.deposits)}"
        deposit = {"uid": uid, "state": "open", "images": [], "files": [], "progress": {}}
        self.deposits[uid] = {**deposit, "error": None, "body": body, "there": self.there}
        return self.deposit(uid, body, query)

    def deposit(self, uid: str, body: Any, query: dict[str, str]) -> Any:
        deposit = self._have(self.deposits, uid)
        if deposit["state"] == "importing" and self.import_states:
            deposit.update(self.import_states.pop(0))
        upload = self.ticket(self.folder / uid, "w") if deposit["state"] == "open" else None
        return {**deposit, "upload": upload}

    def commit(self, uid: str, body: Any, query: dict[str, str]) -> Any:
        deposit = self._have(self.deposits, uid)
        there = {one["path"] for one in self.there}
        for declared in deposit["body"]["files"]:
            if declared["path"] in there:
                continue
            staged = self.folder / uid / declared["path"]
            if not staged.is_file() or staged.stat().st_size != declared["nbytes"]:
                raise Refused(400, "BadInput", f"{declared['path']} was not uploaded whole")
        deposit["state"] = "importing"
        return {**deposit, "upload": None}

    def abort(self, uid: str, body: Any, query: dict[str, str]) -> Any:
        deposit = self._have(self.deposits, uid)
        deposit["state"] = "aborted"
        return self.deposit(uid, body, query)

    def _have(self, things: dict[str, Any], uid: str) -> Any:
        if uid not in things:
            raise Refused(404, "NotFound", f"no {uid!r} here")
        return things[uid]


# what one step answers, whatever was asked
ANNOTATED = {"dry": True, "records": 1, "changed": 1, "keys": {}, "snapped": {}, "similar": {}}
ENTRY = {
    "entry": 1, "at": "2026-11-21T01:00:00Z", "person": "researcher", "action": "annotate",
    "subject": "project:demo", "detail": {}, "undone_by": None, "undoable": True,
}  # fmt: skip
THROWN = {
    "uid": "t", "project": "demo", "what": "cell", "person": "researcher", "state": "kept",
    "nbytes": 1, "records": 1, "created_at": "2026-11-21T01:00:00Z", "purge_at": "2026-12-21",
}  # fmt: skip
PREVIEW = {
    "rows": 1, "changes": [], "problems": 0, "digest": "d", "new_keys": [], "snapped": {},
    "similar": {},
}  # fmt: skip
USAGE = {
    "limit": 2, "soft": None, "used": 1, "online": 1, "trashed": 0, "archived": 0, "linked": 0,
    "reserved": 0, "free": 1, "state": "ok", "growth": None, "days_to_full": None,
    "warning": None, "datasets": [], "people": [], "series": [], "project": "demo", "title": "Demo",
    "team": "lab", "drift": 0, "disk_drift": None, "saves": None, "leads": False,
}  # fmt: skip
OFFER = {"text": "cell_type:", "label": "Cell type", "start": 2, "count": None}
FACET = {"key": "Cell type", "values": [{"value": "HeLa", "count": 1}], "numbers": []}


def always(answer: Any) -> Callable[..., Any]:
    """Answer the same to everybody."""
    return lambda *asked: answer


ROUTES: list[tuple[str, str, Callable[..., Any]]] = [
    ("GET", "whoami", lambda tiny, body, query: {"name": "researcher", "home": "service", "x": 1}),
    ("GET", "projects", lambda tiny, body, query: {"projects": []}),
    ("GET", "projects/demo", always({"name": "demo"})),
    ("POST", "projects/demo/datasets", always({"uid": "b", "path": "screen/best", "query": None})),
    ("PUT", "datasets/b/links/([^/]+)", always({"dataset": "b"})),
    ("POST", "notes", always({"uid": "n", "text": "", "person": "researcher"})),
    ("PATCH", "images/([^/]+)", Tiny.rename),
    ("GET", "projects/demo/usage", always(USAGE)),
    ("GET", "search/count", lambda tiny, body, query: {"count": len(tiny.images)}),
    ("GET", "search/facets", always({"facets": [FACET]})),
    ("GET", "search/complete", always({"completions": [OFFER]})),
    ("GET", "search/top", always({"tags": [{"key": "Cell type", "value": "HeLa", "count": 1}]})),
    ("POST", "annotations", always(ANNOTATED)),
    ("GET", "journal", always({"entries": [ENTRY], "next": None})),
    ("POST", "journal/1/undo", always({"undone": 1})),
    ("GET", "trash", Tiny.trash),
    ("POST", "trash", always(THROWN)),
    ("POST", "trash/t/restore", always({**THROWN, "state": "restored"})),
    ("GET", "sheets", always("a sheet")),
    ("POST", "sheets/preview", always(PREVIEW)),
    ("POST", "sheets/apply", always(PREVIEW)),
    ("GET", "templates", lambda tiny, body, query: {"templates": []}),
    ("GET", "images", Tiny.search),
    ("GET", "images/([^/]+)", Tiny.image),
    ("GET", "images/([^/]+)/lineage", Tiny.lineage),
    ("PUT", "images/([^/]+)/tags/([^/]+)", Tiny.put_tag),
    ("DELETE", "images/([^/]+)/tags/([^/]+)", Tiny.drop_tag),
    ("GET", "files/([^/]+)", Tiny.file),
    ("POST", "runs", Tiny.submit),
    ("POST", "runs/preflight", Tiny.look),
    ("GET", "runs", Tiny.list_runs),
    ("GET", "runs/([^/]+)", Tiny.run),
    ("GET", "batches/([^/]+)", Tiny.batch),
    ("POST", "batches/([^/]+)/([a-z]+)", Tiny.steer),
    ("GET", "runs/([^/]+)/work", lambda tiny, uid, body, query: tiny.work),
    ("POST", "runs/([^/]+)/cancel", Tiny.cancel),
    ("POST", "projects/([^/]+)/deposits", Tiny.open_deposit),
    ("GET", "deposits/([^/]+)", Tiny.deposit),
    ("POST", "deposits/([^/]+)/commit", Tiny.commit),
    ("DELETE", "deposits/([^/]+)", Tiny.abort),
]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    tiny: Tiny

    def serve(self) -> None:
        seen = Seen(self.command, self.path, {k.lower(): v for k, v in self.headers.items()})
        self.tiny.seen.append(seen)
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        try:
            if self.path.startswith(f"{BASE}data/"):
                self.serve_bytes(seen, body)
            else:
                self.answer(200, json.dumps(self.api(body)).encode(), "application/json")
        except Refused as refused:
            self.answer(refused.status, json.dumps(refused.answer).encode(), "application/json")

    def api(self, body: bytes) -> Any:
        tiny, url = self.tiny, urlsplit(self.path)
        if self.headers.get("Authorization") not in (f"token {TOKEN}", f"CID-Run {RUN_TOKEN}"):
            raise Refused(401, "NotLoggedIn", "log in first")
        if tiny.outages:
            tiny.outages -= 1
            raise Refused(503, "Unavailable", "the database is away")
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        for verb, pattern, function in ROUTES:
            found = re.fullmatch(f"{BASE}api/v1/{pattern}", url.path)
            if verb == self.command and found:
                parts = [unquote(part) for part in found.groups()]
                return function(tiny, *parts, json.loads(body or b"null"), query)
        raise Refused(404, "NotFound", f"no such address: {url.path}")

    def serve_bytes(self, seen: Seen, body: bytes) -> None:
        name, _, key = self.path.removeprefix(f"{BASE}data/").partition("/")
        folder, mode = self.tiny.tickets.get(name, (Path(), "ended"))
        if mode == "ended":
            raise Refused(401, "NotLoggedIn", "the ticket has ended")
        file = folder / unquote(key)
        if self.command == "PUT":
            digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
            if self.headers["Content-Digest"] != f"sha-256=:{digest}:":
                raise Refused(400, "BadInput", f"wrong digest of {key}")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
            self.answer(201, b"")
            return
        if not file.is_file():
            raise Refused(404, "NotFound", f"no {key}")
        asked = self.headers.get("Range")
        content, status = (_ranged(file, asked), 206) if asked else (file.read_bytes(), 200)
        seen.sent = len(content)
        self.answer(status, content)

    def answer(self, status: int, content: bytes, kind: str = "application/octet-stream") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_PATCH = serve


def _ranged(file: Path, asked: str) -> bytes:
    first, last = asked.removeprefix("bytes=").split("-")
    size = file.stat().st_size
    start = int(first) if first else max(size - int(last), 0)
    stop = int(last) + 1 if first and last else size
    with file.open("rb") as opened:
        opened.seek(start)
        return opened.read(stop - start)


class Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up in the middle is what some tests are about."""


class Running:
    """A tiny catalog that is served until the `with` ends."""

    def __init__(self, tiny: Tiny) -> None:
        handler = type("TinyHandler", (Handler,), {"tiny": tiny})
        self.tiny = tiny
        self.server = Server(("127.0.0.1", 0), handler)
        tiny.url = f"http://127.0.0.1:{self.server.server_port}{BASE}"

    def __enter__(self) -> Tiny:
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()
        return self.tiny

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
