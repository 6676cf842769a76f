"""Mail through a real SMTP server that insists on TLS and a login."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from ports import free_port
from sqlalchemy import select, update

from cid_server_ext.core.actor import Actor
from cid_server_ext.core.notices import notices, wishes
from cid_server_ext.core.notices.wishes import Post, Wish
from cid_server_ext.db import tables as t
from cid_server_ext.db.session import Sessions
from cid_server_ext.errors import BadInput
from cid_server_ext.mail.mailer import Mailer
from cid_server_ext.mail.server import MailServer

PASSWORD = "only-the-mail-server-knows"


@dataclass
class Strict:
    """Takes letters of who logged in with PASSWORD; keeps what was said, right or wrong."""

    folder: Path
    port: int = field(default_factory=free_port)
    letters: list[str] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:
        self.letters.append(envelope.content.decode())
        return "250 taken"

    def judge(self, _: Any, __: Any, ___: Any, ____: str, said: LoginPassword) -> AuthResult:
        self.logins.append((said.login, said.password))
        return AuthResult(success=said.password == PASSWORD.encode(), handled=False)

    def server(
        self, password: str = PASSWORD, scheme: str = "smtp+starttls", ca: str = "cert.pem"
    ) -> MailServer:
        (self.folder / "password").write_text(password + "\n")
        said = f"from=cid@lab.example&password_file={self.folder}/password"
        trusted = f"&ca_file={self.folder}/{ca}" if ca else ""
        return MailServer.read(f"{scheme}://cid@127.0.0.1:{self.port}?{said}{trusted}")


class Heard(Controller):
    """One whose first caller, by which it knows that it listens, speaks TLS as a client does."""

    def _trigger_server(self) -> None:
        if self.ssl_context is None:
            super()._trigger_server()
            return
        trust = ssl.create_default_context(cafile=self.handler.folder / "cert.pem")
        with socket.create_connection((self.hostname, self.port), 30) as line:
            trust.wrap_socket(line, server_hostname=self.hostname).close()


def certificate(folder: Path) -> ssl.SSLContext:
    """Return the TLS of a server that signed its own certificate, cert.pem, for 127.0.0.1."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.lab.example")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


@pytest.fixture
def strict(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Strict]:
    """A server that begins in plain; by its parameter one that is `whole` TLS, or has none."""
    how, made = getattr(request, "param", "starttls"), Strict(tmp_path)
    context = certificate(tmp_path)
    told: dict[str, Any] = {"authenticator": made.judge, "auth_required": True}
    if how == "starttls":
        told |= {"tls_context": context, "require_starttls": True}
    elif how == "whole":
        told |= {"ssl_context": context, "auth_require_tls": False}  # it knows STARTTLS only
    controller = Heard(made, hostname="127.0.0.1", port=made.port, **told)
    controller.start()
    yield made
    controller.stop()


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What the service logs; the server of the test has a log of its own."""
    ours = "cid_server_ext"
    return lambda: [r.getMessage() for r in caplog.records if r.name.startswith(ours)]


def a_notice(sessions: Sessions) -> None:
    with sessions.begin() as session:
        wishes.put(session, Actor("mia"), Wish("each", "mia@lab.example"), Post(True))
        notices.tell(session, "mia", "batch", "batch:b1", "50 of 50 runs")


def state(sessions: Sessions) -> tuple[str, int]:
    with sessions() as session:
        (row,) = session.execute(select(t.Notice.mail, t.Notice.tries)).all()
        return tuple(row)


def test_it_goes_out_encrypted_and_logged_in(sessions: Sessions, strict: Strict) -> None:
    a_notice(sessions)
    assert Mailer(sessions, strict.server()).look() == 1
    assert strict.logins == [(b"cid", PASSWORD.encode())]
    assert "50 of 50 runs" in strict.letters[0]
    assert state(sessions) == ("sent", 0)


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
@pytest.mark.parametrize("strict", ["whole"], indirect=True)
def test_it_goes_out_through_a_line_that_is_encrypted_from_its_start(
    sessions: Sessions, strict: Strict
) -> None:
    a_notice(sessions)
    assert Mailer(sessions, strict.server(scheme="smtps")).look() == 1
    assert (len(strict.letters), state(sessions)) == (1, ("sent", 0))


def test_a_wrong_password_waits_is_not_logged_and_the_right_one_needs_no_restart(
    sessions: Sessions, strict: Strict, logged: Callable[[], list[str]]
) -> None:
    a_notice(sessions)
    mailer = Mailer(sessions, strict.server("a-password-of-last-year"))
    assert mailer.look() == 0
    assert logged() == ["mail waits: SMTPAuthenticationError"]
    assert (state(sessions), strict.letters) == (("due", 1), [])
    (strict.folder / "password").write_text(PASSWORD)
    with sessions.begin() as session:
        session.execute(update(t.Notice).values(mail_at=t.Notice.created_at))
    assert mailer.look() == 1
    assert state(sessions) == ("sent", 1)


@pytest.mark.parametrize(
    ("password", "ca", "why"),
    [
        (PASSWORD, "", "SSLCertVerificationError"),
        (PASSWORD, "no such.pem", "FileNotFoundError"),
        ("pässword", "cert.pem", "UnicodeEncodeError"),
    ],
)
def test_what_the_operator_must_mend_waits_and_nobody_is_told_the_password(
    sessions: Sessions,
    strict: Strict,
    logged: Callable[[], list[str]],
    password: str,
    ca: str,
    why: str,
) -> None:
    a_notice(sessions)
    assert Mailer(sessions, strict.server(password, ca=ca)).look() == 0
    assert logged() == [f"mail waits: {why}"]
    assert (state(sessions), strict.logins, strict.letters) == (("due", 1), [], [])


@pytest.mark.parametrize("strict", ["bare"], indirect=True)
def test_a_server_without_tls_is_never_told_the_password(
    sessions: Sessions, strict: Strict, logged: Callable[[], list[str]]
) -> None:
    a_notice(sessions)
    assert Mailer(sessions, strict.server()).look() == 0
    assert logged() == ["mail waits: SMTPNotSupportedError"]
    assert (state(sessions), strict.logins, strict.letters) == (("due", 1), [], [])


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("smtp://cid@127.0.0.1?from=a@b.c&password_file=/x", "smtp.starttls or smtps only"),
        ("smtp+starttls://mail.lab.example?from=a@b.c&password_file=/x", "say the user"),
    ],
)
def test_a_password_that_would_go_in_plain_or_nowhere_stops_the_service(
    text: str, wrong: str
) -> None:
    with pytest.raises(BadInput, match=wrong):
        MailServer.read(text)
