"""A page that shows one real widget in a real browser, without Jupyter between them.

The page's model posts what a front end would send over a comm; the Python widget answers. Its
thumbnails are served by ticket, and tickets can be ended.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pretend
from ipywidgets.widgets.widget import _instances
from playwright.sync_api import Page

import cid_widgets

Show = Callable[..., tuple[Page, "Stage"]]
HERE = Path(__file__).parent
STATIC = Path(cid_widgets.__file__).parent / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"
)
TYPES = {".js": "text/javascript", ".css": "text/css"}


class Wire:
    """A comm that keeps what the widget sends until the page fetches it."""

    def __init__(self, comm_id: str = "stage") -> None:
        self.comm_id = comm_id
        self._lock = threading.Lock()
        self._sent: list[dict[str, Any]] = []
        self._gone = 0
        self.count = 0

    def send(self, data: dict[str, Any], *_: Any, **__: Any) -> None:
        with self._lock:
            self.count += 1
            self._sent.append(json.loads(json.dumps(data)))

    def taken(self) -> list[dict[str, Any]]:
        """Return what was sent since the last time."""
        return self.batch()["said"]

    def batch(self) -> dict[str, Any]:
        """Return it with the number of its first: answers overtake each other on their way."""
        with self._lock:
            first, sent, self._sent = self._gone, self._sent, []
            self._gone += len(sent)
        return {"first": first, "said": sent}

    def next(self) -> int:
        """Return the number of the first that is still to be taken."""
        with self._lock:
            return self._gone

    def on_msg(self, _: Any) -> None:
        pass

    def close(self, *_: Any, **__: Any) -> None:
        pass


def heard(widget: Any, **data: Any) -> None:
    """Give the widget what a front end has sent."""
    widget._handle_msg({"content": {"data": data}, "buffers": []})


class Stage:
    """Serves one widget on loopback; `address` is the page. `fetched` are paths of thumbnails."""

    def __init__(self, widget: Any, name: str, oldest_ticket: int = 0) -> None:
        self.widget = widget
        self.name = name
        self.wire = Wire()
        self._first = threading.Lock()  # questions come in threads of their own
        self.oldest_ticket = oldest_ticket
        self.fetched: list[str] = []
        self.said: list[dict[str, Any]] = []
        widget.comm = self.wire
        self.wire.taken()
        handler = type("Handler", (_Handler,), {"stage": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def end_tickets(self) -> None:
        """From now on every ticket given so far answers 401."""
        self.oldest_ticket = next(self.widget.catalog.tickets)

    def questions(self, ask: str) -> list[dict[str, Any]]:
        """What the view has asked so far, of one kind."""
        said = [one["content"] for one in self.said if one["method"] == "custom"]
        return [one for one in said if one["ask"] == ask]

    def of(self, uid: str) -> tuple[Any, Wire]:
        """The widget of this page, or another one that it refers to, with its comm."""
        if not uid:
            return self.widget, self.wire
        widget = _instances[uid]
        with self._first:
            if not isinstance(widget.comm, Wire):
                widget.comm = Wire(uid)
                widget.comm.taken()
        return widget, widget.comm

    def state(self, widget: Any) -> dict[str, Any]:
        """The widget's traits, as a front end gets them."""
        state = widget.get_state()
        shown = {key: value for key, value in state.items() if not key.startswith("_")}
        return shown | {"layout": None, "_view_name_here": type(widget).__name__.lower()}

    def close(self) -> None:
        """End the server and the widget."""
        self.widget.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing of a page that went while it was loading."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            raise


class _Handler(BaseHTTPRequestHandler):
    stage: Stage

    def do_GET(self) -> None:
        path, _, of = self.path.partition("?of=")
        if path == "/":
            self._answer(_page(self.stage).encode(), "text/html; charset=utf-8")
        elif path == "/state":
            widget, wire = self.stage.of(of)
            now = wire.next()
            self._json({"state": self.stage.state(widget), "next": now})
        elif path == "/news":
            self._json(self.stage.of(of)[1].batch())
        elif path == "/static/none.css":
            self._answer(b"", "text/css")
        elif path.startswith("/data/"):
            self._thumbnail(path)
        elif path.startswith("/services/"):
            self._answer(b"the service is elsewhere", "text/plain", 404)
        else:
            folder, name = (HERE, "stage.js") if path == "/stage.js" else (STATIC, Path(path).name)
            self._answer((folder / name).read_bytes(), TYPES[Path(name).suffix])

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.stage.said.append(said)
        widget, wire = self.stage.of(self.path.partition("?of=")[2])
        heard(widget, **said)
        self._json(wire.batch())

    def _thumbnail(self, path: str) -> None:
        _, _, ticket, name = path.split("/")
        self.stage.fetched.append(path)
        if int(ticket) < self.stage.oldest_ticket:
            self._answer(b"the ticket has ended", "text/plain", 401)
        else:
            self._answer(pretend.picture(name.removesuffix(".png")), "image/png")

    def _json(self, value: Any) -> None:
        self._answer(json.dumps(value).encode(), "application/json")

    def _answer(self, body: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def _page(stage: Stage) -> str:
    return f"""<!doctype html><html><meta charset="utf-8">
<title>stage</title><link rel="icon" href="/static/none.css">
<link rel="stylesheet" href="/static/{stage.name}.css">
<body data-view="{stage.name}"><div id="stage"></div>
<script type="module" src="/stage.js"></script></body></html>"""
