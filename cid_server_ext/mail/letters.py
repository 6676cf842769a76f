"""How a letter reads: one line a notice, where to look, and how to have no more of them."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import format_datetime

from ..core.notices.outbox import Letter
from .server import MailServer

SUBJECT = 78  # characters


def letter(of: Letter, server: MailServer) -> EmailMessage:
    """Return the mail. Its Message-ID is that of its first notice: sent twice, it is the same."""
    first, count = of.lines[0], len(of.lines)
    made = EmailMessage()
    made["From"] = server.sender
    made["To"] = of.address
    made["Subject"] = f"CID: {_short(first.text)}" if count == 1 else f"CID: {count} notices"
    made["Date"] = format_datetime(of.lines[-1].at)
    made["Message-ID"] = f"<{first.uid}.{count}@{server.sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    lines = [f"{line.at:%Y-%m-%d %H:%M} UTC  {_plain(line.text)}" for line in of.lines]
    end = ["", f"Look at them in JupyterLab: {server.link}" if server.link else ""]
    end += ["To change what comes by mail: cid_widgets.Notices(), below the list."]
    made.set_content("\n".join([*lines, *end]) + "\n")
    return made


def _plain(text: str) -> str:
    """Return the text on one line, without what a header or a terminal would act on."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _short(text: str) -> str:
    plain = _plain(text)
    return plain if len(plain) <= SUBJECT else plain[: SUBJECT - 1] + "…"
