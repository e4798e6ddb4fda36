"""One connection to a mail server, and what it answers to one letter.

Commands of a letter go out together where the server allows it (PIPELINING, RFC 2920), and a server that reports
failures (DSN, RFC 3461) is told under which reference.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

from snello.errors import ConfigError
from snello.kit.mail.rounds import Job

Security = Literal["starttls", "tls", "none"]
PORTS: dict[str, int] = {"starttls": 587, "tls": 465, "none": 25}
ENHANCED = re.compile(rb"\s*([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")
SERVICE_ENDS = 421
PASSED = {"sender": (250,), "recipient": (250, 251, 252), "text": (354,)}
DOT = b".\r\n"
DOTS = re.compile(rb"(?m)^\.")


class Lost(Exception):
    """The connection is gone; ``begun`` when the text of the letter was on its way, so that it may have arrived."""

    def __init__(self, what: str, *, begun: bool = False) -> None:
        super().__init__(what)
        self.what, self.begun = what, begun


@dataclass(frozen=True)
class Server:
    """Where letters are handed in, and as whom."""

    host: str
    port: int | None = None
    security: Security = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    helo: str | None = None
    timeout: float = 30.0

    @cached_property
    def context(self) -> ssl.SSLContext:
        """Certificates are verified. Raises ``ConfigError`` when the file of authorities cannot be read."""
        try:
            return ssl.create_default_context(cafile=str(self.ca_file) if self.ca_file else None)
        except (OSError, ssl.SSLError):
            raise ConfigError("setting ca_file", "it holds no certificates", "name a file in PEM format") from None


@dataclass(frozen=True)
class Answer:
    """What the server said: its code, and the enhanced one (RFC 3463) where it gave one; never its words.

    - ``step``: ``sender``, ``recipient`` or ``text``, to which it was said
    """

    status: int
    code: str
    step: str

    @classmethod
    def read(cls, status: int, words: bytes, step: str) -> Answer:
        """Of a reply."""
        found = ENHANCED.match(words)
        return cls(status, found[1].decode() if found else str(status), step)

    @property
    def passed(self) -> bool:
        """Whether the next step may follow."""
        return self.status in PASSED[self.step]

    @property
    def good(self) -> bool:
        """Whether the letter was taken."""
        return 200 <= self.status < 300


class Line:
    """An open, authenticated connection.

    Raises ``ConfigError`` for what waiting does not mend: certificate, login, no encryption. Raises ``Lost``.
    """

    def __init__(self, server: Server, where: str) -> None:
        self.server, self.where = server, where
        self.letters = 0
        try:
            self._smtp = self._opened()
            if self._smtp.sock:  # the end of a text must not wait for the answer to its beginning
                self._smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._smtp.ehlo_or_helo_if_needed()
            if server.security == "starttls":
                self._smtp.starttls(context=server.context)
                self._smtp.ehlo()
            if server.username is not None:
                self._smtp.login(server.username, server.password or "")
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise self._fault(error) from None

    def send(self, job: Job, text: bytes, begun: Callable[[], None]) -> Answer:
        """Hand in one letter; ``begun`` is called when all but the end of its text has gone out. Raises ``Lost``."""
        if job.wide and not self.knows("smtputf8"):
            return Answer(553, "no_smtputf8", "recipient")
        self.letters += 1
        on_its_way = False
        try:
            refusal = self._envelope(job)
            if refusal is not None:
                return refusal
            self._smtp.send(DOTS.sub(b"..", text) + (b"" if text.endswith(b"\r\n") else b"\r\n"))
            begun()
            on_its_way = True
            self._smtp.send(DOT)
            return self._answer("text")
        except (smtplib.SMTPException, OSError) as error:
            self.hang_up()
            raise Lost(type(error).__name__, begun=on_its_way) from None

    def close(self) -> None:
        """Take leave of the server."""
        try:
            self._smtp.quit()
        except (smtplib.SMTPException, OSError):
            self.hang_up()

    def hang_up(self) -> None:
        """End the connection without a word."""
        self._smtp.close()

    def knows(self, extension: str) -> bool:
        """Whether the server announced an extension."""
        return bool(self._smtp.has_extn(extension))

    def _opened(self) -> smtplib.SMTP:
        server, port = self.server, self.server.port or PORTS[self.server.security]
        name = server.helo or _own_name()
        if server.security == "tls":
            return smtplib.SMTP_SSL(server.host, port, name, timeout=server.timeout, context=server.context)
        return smtplib.SMTP(server.host, port, name, timeout=server.timeout)

    def _envelope(self, job: Job) -> Answer | None:
        """Sender, recipient and the wish to send; the refusal, if there is one."""
        commands = self._commands(job)
        together = self.knows("pipelining")
        if together:
            self._smtp.send("".join(commands.values()).encode())
        answers = []
        for step, command in commands.items():
            if not together:
                self._smtp.send(command.encode())
            answers.append(self._answer(step))
            if not (together or answers[-1].passed):
                break
        refusal = next((one for one in answers if not one.passed), None)
        if refusal is not None:
            self._reset(refusal, waiting=answers[-1].passed)
        return refusal

    def _reset(self, refusal: Answer, *, waiting: bool) -> None:
        """Make ready for the next letter; ``waiting``: the server waits for a text that nobody is to have."""
        if refusal.status < 400:
            raise smtplib.SMTPServerDisconnected("an answer that fits no question")
        with suppress(smtplib.SMTPException):
            if waiting:
                self._smtp.send(DOT)
                self._answer("text")
            if refusal.status == SERVICE_ENDS:
                self.hang_up()
            else:
                self._smtp.rset()

    def _commands(self, job: Job) -> dict[str, str]:
        sender, recipient = "", ""
        if job.wide:
            sender += " BODY=8BITMIME SMTPUTF8" if self.knows("8bitmime") else " SMTPUTF8"
        if self.knows("dsn"):
            sender += f" RET=HDRS ENVID={_xtext(job.ref)}"
            recipient = " NOTIFY=FAILURE"
        return {
            "sender": f"MAIL FROM:<{job.sender}>{sender}\r\n",
            "recipient": f"RCPT TO:<{job.recipient}>{recipient}\r\n",
            "text": "DATA\r\n",
        }

    def _answer(self, step: str) -> Answer:
        status, words = self._smtp.getreply()
        answer = Answer.read(status, words, step)
        if status == -1:
            raise smtplib.SMTPServerDisconnected("hung up")
        if status == SERVICE_ENDS and step == "text":
            self.hang_up()
        return answer

    def _fault(self, error: Exception) -> Exception:
        """By what the reader does next; the server's words, which may hold an address, are left out."""
        where = self.where
        if hasattr(self, "_smtp"):
            self.hang_up()
        if isinstance(error, ssl.SSLCertVerificationError):
            return ConfigError(where, "the server's certificate does not verify", "check host and ca_file")
        if isinstance(error, smtplib.SMTPNotSupportedError):
            what = f"the server offers no STARTTLS{' or no login' * (self.server.username is not None)}"
            return ConfigError(where, what, "set security to what the server speaks: starttls, tls or none")
        if isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code >= 500:
            return ConfigError(where, f"{error.smtp_code} at the login", "check username and password")
        if isinstance(error, smtplib.SMTPResponseException):
            if error.smtp_code >= 500:
                what = f"{error.smtp_code} when the connection opens"
                return ConfigError(where, what, "ask the server's owner whether this machine may send")
            return Lost(str(error.smtp_code))
        if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return ConfigError(where, "the server does not speak TLS here", "check port and security")
        if isinstance(error, socket.gaierror):
            return Lost("no address of that name")
        return Lost(type(error).__name__)


@cache
def _own_name() -> str:
    """Asked for once: where names are not resolved, the answer takes seconds."""
    return socket.getfqdn()


def _xtext(ref: str) -> str:
    """As RFC 3461 writes a reference: plus and equals signs in hexadecimal."""
    return "".join(f"+{ord(letter):02X}" if letter in "+=" else letter for letter in ref)
