"""What a log never shows: tickets, tokens, cookies, passwords of databases, values of their rows.

It is taken out of the finished text, tracebacks included, so no message has to think of it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable

HIDDEN = "…"
SECRETS = [
    # a ticket in an address of the data plane
    (re.compile(r"(/data/)[^/\s\"'?]+"), rf"\1{HIDDEN}"),
    # postgresql://person:password@host
    (re.compile(r"(://[^\s:/@]*:)[^\s@]+@"), rf"\1{HIDDEN}@"),
    # Authorization: token abc, as a header, a mapping or a keyword
    (re.compile(r"(?i)(authorization\W{1,6}(?:\w[\w-]*\s+)?)[^\s\"',)}]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b((?:set-)?cookie\b\W{1,6})[^\r\n\"')}]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b((?:access_|run_|api_)?token=)[^\s&\"']+"), rf"\1{HIDDEN}"),
    # the values of a row that PostgreSQL refused
    (re.compile(r"(DETAIL: )[^\r\n]+"), rf"\1{HIDDEN}"),
    (re.compile(r"\b((?:CID-Run|Bearer|token) )[\w.~+/-]{12,}=*"), rf"\1{HIDDEN}"),
]


def scrubbed(text: str) -> str:
    """Return text without what would open something."""
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text


class Scrubbed(logging.Formatter):
    """Another formatter's text, scrubbed."""

    def __init__(self, inner: logging.Formatter | None) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        """Return the whole text of a record."""
        return scrubbed(self._inner.format(record))


def everywhere() -> None:
    """Scrub all that any logger of this process writes."""
    known = logging.getLogger().manager.loggerDict.values()
    install(logger for logger in known if isinstance(logger, logging.Logger))


def install(loggers: Iterable[logging.Logger]) -> None:
    """Scrub all that these loggers, the root and Python's last resort write."""
    handlers = {handler for logger in loggers for handler in logger.handlers}
    handlers |= {*logging.getLogger().handlers}
    if logging.lastResort is not None:
        handlers.add(logging.lastResort)
    for handler in handlers:
        if not isinstance(handler.formatter, Scrubbed):
            handler.setFormatter(Scrubbed(handler.formatter))
