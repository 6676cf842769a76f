"""The local status page: what goes, what waits, and why. It is only for this computer, to read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from ..display import size
from .journal import STATES, Journal, Row

LIMIT = 100  # rows of a list
HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
}
STYLE = """
:root { color-scheme: light dark; --line: #8886; --soft: #88888822; --bad: #b3261e }
@media (prefers-color-scheme: dark) { :root { --bad: #ffb4ab } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
h1 { font-size: 1.4rem; margin: 0 0 .2rem } h2 { font-size: 1.05rem; margin: 1.8rem 0 .4rem }
p { margin: .2rem 0 }
.counts { display: grid; grid-template-columns: repeat(auto-fit, minmax(6.4rem, 1fr)); gap: .5rem }
.counts div { background: var(--soft); border-radius: .4rem; padding: .5rem .7rem }
.counts b { display: block; font-size: 1.4rem; font-variant-numeric: tabular-nums }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100% }
th { text-align: left; font-weight: 600 }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .8rem .3rem 0; vertical-align: top }
td { overflow-wrap: anywhere } td:last-child { min-width: 9rem } .bad { color: var(--bad) }
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """All that is to be shown at one moment; now: path, fraction and what is done."""

    counts: dict[str, tuple[int, int]]
    facts: dict[str, str]
    quarantine: Sequence[Row]
    failed: Sequence[Row]
    noted: Sequence[Row]
    now: Sequence[tuple[str, float, str]] = ()


def shown(journal: Journal, now: Sequence[tuple[str, float, str]] = ()) -> Shown:
    """Return what the journal says."""
    return Shown(
        journal.counts(),
        journal.facts(),
        journal.latest("quarantined", limit=LIMIT),
        journal.latest("failed", limit=LIMIT),
        journal.noted(LIMIT),
        now,
    )


def html(told: Shown) -> str:
    """Return the page."""
    facts = told.facts
    counts = "".join(
        f"<div><b>{told.counts[state][0]}</b>{state}<br>{size(told.counts[state][1] or 0)}</div>"
        for state in STATES
    )
    away = facts.get("away", "")
    problems = [line for line in facts.get("problems", "").splitlines() if line]
    body = [
        "<h1>CID acquisition agent</h1>",
        f"<p>Catalog: {escape(facts.get('catalog', ''))}</p>",
        f"<p>{escape(scanned(facts))}</p>",
        f"<p class='bad' role='status'>Waiting: {escape(away)}</p>" if away else "",
        *(f"<p class='bad'>Folder not read: {escape(line)}</p>" for line in problems),
        f"<h2>All acquisitions</h2><div class='counts'>{counts}</div>",
        _table("Goes now", ["what", "how far", ""], (_going(one) for one in told.now)),
        _rows("Quarantine: goes nowhere until this is mended", told.quarantine, told.counts),
        _rows("Failed: tried again by itself", told.failed, told.counts),
        _rows("With a note", told.noted, {}),
    ]
    head = (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>CID agent</title>"
        "<meta name='viewport' content='width=device-width'>"
        f"<meta http-equiv='refresh' content='10'><style>{STYLE}</style></head>"
    )
    return f"{head}<body><main>{''.join(body)}</main></body></html>"


def scanned(facts: dict[str, str]) -> str:
    """Return when the folders were last looked at, in words."""
    told = facts.get("scanned", "").split()
    if len(told) != 2:
        return "The folders were not looked at yet."
    return f"Last looked at the folders at {_clock(float(told[0]))}, in {float(told[1]):.1f} s."


def _going(one: tuple[str, float, str]) -> tuple[str, str, str]:
    return one[0], f"{one[1]:.0%}", one[2]


def _rows(title: str, rows: Sequence[Row], counts: dict[str, tuple[int, int]]) -> str:
    total = counts[rows[0].state][0] if rows and counts else len(rows)
    more = f" ({total}, the newest {len(rows)} are shown)" if total > len(rows) else ""
    lines = ((row.path, row.reason, _when(row)) for row in rows)
    return _table(f"{title}{more}", ["what", "why", "when"], lines)


def _when(row: Row) -> str:
    if row.state == "failed":
        return f"{_clock(row.changed)}; again at {_clock(row.next_try)}"
    return _clock(row.changed)


def _table(title: str, head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>" for line in lines
    )
    if not body:
        return f"<h2>{escape(title)}</h2><p>Nothing.</p>"
    top = "".join(f"<th scope='col'>{escape(word)}</th>" for word in head)
    table = f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"
    return f"<h2>{escape(title)}</h2><div class='scroll'>{table}</div>"


def _clock(at: float) -> str:
    when = datetime.fromtimestamp(at)
    return f"{when:%H:%M:%S}" if time.time() - at < 43_200 else f"{when:%Y-%m-%d %H:%M}"


@contextmanager
def served(port: int, look: Callable[[], Shown]) -> Iterator[None]:
    """Serve the page on this computer's own address as long as this lasts."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer with the page, to whoever asks this computer by its own name only."""
            name = self.headers.get("Host", "").rpartition(":")[0]
            if name not in ("127.0.0.1", "localhost") or self.path != "/":
                self.send_error(404)
                return
            body = html(look()).encode()
            self.send_response(200)
            for key, value in HEADERS.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", port), Page) as server:
        thread = Thread(target=server.serve_forever, args=(0.2,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
