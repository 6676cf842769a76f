"""The facility's mail server: read from one address, spoken to by SMTP."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from ..core.notices.wishes import Post
from ..errors import BadInput

PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
TAKES = {"from", "password_file", "domains", "link", "ca_file"}
SECONDS = 30.0  # for one word of the server


class Later(Exception):
    """The server cannot take it now."""


class Never(Exception):
    """The server refuses this letter for good."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail goes out. `link` is the catalog's address in letters; no `host`: nothing is sent.

    The password is read from its file each time, so that it may change.
    """

    host: str = ""
    port: int = 0
    tls: str = ""  # "", "starttls" or "whole"
    user: str = ""
    password_file: Path | None = None
    sender: str = ""
    link: str = ""
    ca_file: str | None = None
    domains: tuple[str, ...] = field(default=())

    @property
    def post(self) -> Post:
        """What the catalog says of it to people."""
        return Post(bool(self.host), self.domains)

    @classmethod
    def read(cls, text: str) -> MailServer:
        """Return the server of `smtp+starttls://user@host:587?from=cid@lab.example&...`.

        Raises BadInput that says what is wrong; nothing of the text is repeated.
        """
        if not text.strip():
            return cls()
        url = urlsplit(text.strip())
        said = {key: values[-1] for key, values in parse_qs(url.query).items()}
        if url.scheme not in PORTS or not url.hostname:
            raise BadInput(f"mail: begin with {', '.join(PORTS)}, as smtp+starttls://host:587")
        if unknown := set(said) - TAKES:
            raise BadInput(f"mail: there is no {min(unknown)!r}; there are {', '.join(TAKES)}")
        if url.password is not None:
            raise BadInput("mail: keep the password in a file, and say password_file=/path")
        if "@" not in said.get("from", ""):
            raise BadInput("mail: say from=cid@lab.example")
        if url.username and "password_file" not in said:
            raise BadInput("mail: a user needs password_file=/path")
        if "password_file" in said and not url.username:
            raise BadInput("mail: say the user of that password, as smtp+starttls://user@host")
        tls = {"smtp": "", "smtp+starttls": "starttls", "smtps": "whole"}[url.scheme]
        if url.username and not tls:
            raise BadInput("mail: a password goes through smtp+starttls or smtps only")
        domains = tuple(d.strip().lower() for d in said.get("domains", "").split(",") if d.strip())
        return cls(
            host=url.hostname,
            port=url.port or PORTS[url.scheme],
            tls=tls,
            user=unquote(url.username or ""),
            password_file=Path(said["password_file"]) if "password_file" in said else None,
            sender=said["from"],
            link=said.get("link", ""),
            ca_file=said.get("ca_file"),
            domains=domains,
        )

    @contextmanager
    def open(self) -> Iterator[smtplib.SMTP]:
        """Give a connection that is ready to send, or raise Later."""
        try:
            with self._connect() as smtp:
                if self.tls == "starttls":
                    smtp.starttls(context=self._trust())
                if self.user and self.password_file is not None:
                    smtp.login(self.user, self.password_file.read_text("utf-8").strip())
                yield smtp
        except (OSError, smtplib.SMTPException, UnicodeError) as error:  # a password is ASCII
            raise Later(type(error).__name__) from None

    def _connect(self) -> smtplib.SMTP:
        if self.tls == "whole":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=SECONDS, context=self._trust())
        return smtplib.SMTP(self.host, self.port, timeout=SECONDS)

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca_file)


def send(smtp: smtplib.SMTP, letter: EmailMessage) -> None:
    """Hand one letter over, or raise Later or Never."""
    try:
        smtp.send_message(letter)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise (Never if codes and min(codes) >= 500 else Later)("recipient") from None
    except smtplib.SMTPDataError as error:
        raise (Never if error.smtp_code >= 500 else Later)("letter") from None
    except smtplib.SMTPNotSupportedError:  # an address that this server cannot write
        raise Never("address") from None
