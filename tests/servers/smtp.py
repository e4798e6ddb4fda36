"""A mail server that says what a test tells it to, and keeps what it takes."""

from __future__ import annotations

import asyncio
import email
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

HANG_UP = "hang up"
USER, PASSWORD = "aurora", "open-sesame"


@dataclass(frozen=True)
class Mail:
    """A letter that was taken, as it came over the wire."""

    sender: str
    recipient: str
    raw: bytes
    options: tuple[str, ...] = ()

    @property
    def message(self) -> EmailMessage:
        found = email.message_from_bytes(self.raw, policy=default)
        assert isinstance(found, EmailMessage)
        return found


@dataclass
class Mails:
    """A running server.

    - ``at_recipient``, ``at_text``: answers to a recipient in their order, before letters to it are taken; ``HANG_UP``
      ends the connection instead: at the text, after the letter was taken
    - ``at_sender``: answers to any sender, in their order; ``on_text`` is called when so many letters were taken
    """

    port: int = 0
    letters: list[Mail] = field(default_factory=list)
    at_recipient: dict[str, list[str]] = field(default_factory=dict)
    at_text: dict[str, list[str]] = field(default_factory=dict)
    at_sender: list[str] = field(default_factory=list)
    on_text: Callable[[int], None] = lambda _count: None
    extensions: tuple[str, ...] = ()
    connections: int = 0
    encrypted: int = 0
    logins: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    news: threading.Condition = field(default_factory=threading.Condition)

    def to(self, recipient: str) -> list[Mail]:
        return [mail for mail in self.letters if mail.recipient == recipient]

    # ---- what aiosmtpd asks

    def login(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        good = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        self.logins += good
        return AuthResult(success=good, handled=False)

    async def handle_EHLO(
        self, server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.encrypted += server.transport.get_extra_info("cipher") is not None
        return [*responses[:-1], *(f"250-{extension}" for extension in self.extensions), responses[-1]]

    async def handle_MAIL(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.at_sender:
            return self.at_sender.pop(0)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        self.seen[address] += 1
        if answers := self.at_recipient.get(address):
            if (answer := answers.pop(0)) == HANG_UP:
                server.transport.abort()
            return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        recipient = envelope.rcpt_tos[0]
        answers = self.at_text.get(recipient)
        answer = answers.pop(0) if answers else ""
        if answer and answer != HANG_UP:
            return answer
        assert isinstance(envelope.original_content, bytes)
        with self.news:
            options = tuple(envelope.mail_options)
            self.letters.append(Mail(str(envelope.mail_from), recipient, envelope.original_content, options))
            self.on_text(len(self.letters))
            self.news.notify_all()
        if answer == HANG_UP:
            server.transport.abort()
        return "250 2.0.0 OK"


class _Protocol(SMTP):
    """Extended by what aiosmtpd does not know of reports about failures (DSN)."""

    async def smtp_MAIL(self, arg: str | None) -> None:
        words = (arg or "").split()
        own = [word for word in words if word.startswith(("RET=", "ENVID="))]
        await super().smtp_MAIL(" ".join(word for word in words if word not in own))
        self.envelope.mail_options.extend(own)

    async def smtp_RCPT(self, arg: str | None) -> None:
        await super().smtp_RCPT(" ".join(word for word in (arg or "").split() if not word.startswith("NOTIFY=")))


@dataclass(frozen=True)
class Certificates:
    """Of an authority that the clients of a test trust by its file."""

    context: ssl.SSLContext
    ca_file: Path

    @classmethod
    def made(cls, folder: Path) -> Certificates:
        authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        return cls(context, folder / "ca.pem")


@contextmanager
def mails(
    *,
    starttls: ssl.SSLContext | None = None,
    tls: ssl.SSLContext | None = None,
    login: bool = False,
    wide: bool = True,
    **given: Any,
) -> Iterator[Mails]:
    """A mail server on a free port of 127.0.0.1, as long as the block lasts; ``wide``: it knows SMTPUTF8."""
    server = Mails(**given)
    options: dict[str, Any] = {"enable_SMTPUTF8": wide, "hostname": "mail.example"}
    if starttls is not None:
        options |= {"tls_context": starttls, "require_starttls": True}
    if login:
        options |= {"authenticator": server.login, "auth_required": tls is None, "auth_require_tls": tls is None}
    loop = asyncio.new_event_loop()

    def protocol() -> SMTP:
        made = _Protocol(server, loop=loop, **options)
        server.connections += 1
        return made

    listener = loop.run_until_complete(loop.create_server(protocol, "127.0.0.1", 0, ssl=tls))
    server.port = listener.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(_ended(listener), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _ended(listener: asyncio.Server) -> None:
    """Those who still talk are hung up on."""
    listener.close()
    talking = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in talking:
        task.cancel()
    await asyncio.gather(*talking, return_exceptions=True)
