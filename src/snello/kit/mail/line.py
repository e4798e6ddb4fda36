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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from snello.errors import ConfigError
from snello.kit.mail.rounds import Job

Security = Literal["starttls", "tls", "none"]
PORTS: dict[str, int] = {"starttls": 587, "tls": 465, "none": 25}
ENHANCED = re.compile(rb"\s*([245]\.\d{1,3}\.\d{1,3})(?:\s|$)")
SERVICE_ENDS = 421
GOOD = (250, 251, 252, 354)
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
                self._smtp.starttls(context=server.context())
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
        server = self.server
        port = server.port or PORTS[server.security]
        if server.security == "tls":
            return smtplib.SMTP_SSL(server.host, port, server.helo, timeout=server.timeout, context=server.context())
        return smtplib.SMTP(server.host, port, server.helo, timeout=server.timeout)

    def _envelope(self, job: Job) -> Answer | None:
        """Sender, recipient and the wish to send; the refusal, if there is one."""
        commands = self._commands(job)
        steps = ("sender", "recipient", "text")
        if self.knows("pipelining"):
            self._smtp.send("".join(commands).encode())
            answers = [self._answer(step) for step in steps]
        else:
            answers = []
            for step, command in zip(steps, commands, strict=True):
                self._smtp.send(command.encode())
                answers.append(self._answer(step))
                if answers[-1].status not in GOOD:
                    break
        refusal = next((one for one in answers if one.status not in GOOD), None)
        if refusal is None:
            return None
        if answers[-1].status == 354:  # it waits for a text although nobody is to have it
            self._smtp.send(DOT)
            self._answer("text")
        if refusal.status == SERVICE_ENDS:
            self.hang_up()
        else:
            self._smtp.rset()
        return refusal

    def _commands(self, job: Job) -> tuple[str, str, str]:
        sender, recipient = "", ""
        if job.wide:
            sender += " BODY=8BITMIME SMTPUTF8" if self.knows("8bitmime") else " SMTPUTF8"
        if self.knows("dsn"):
            sender += f" RET=HDRS ENVID={_xtext(job.ref)}"
            recipient = " NOTIFY=FAILURE"
        return f"MAIL FROM:<{job.sender}>{sender}\r\n", f"RCPT TO:<{job.recipient}>{recipient}\r\n", "DATA\r\n"

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
            what = (
                "the server offers no STARTTLS, or no login"
                if self.server.username
                else "the server offers no STARTTLS"
            )
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


def _xtext(ref: str) -> str:
    """As RFC 3461 writes a reference: plus and equals signs in hexadecimal."""
    return "".join(f"+{ord(letter):02X}" if letter in "+=" else letter for letter in ref)
