"""The box to which reports come back: a Maildir, or a folder behind IMAP. What was read is flagged, never deleted.

A soft failure keeps the flag *flagged*, and counts until it is too old. Reports about other syncs stay unread.
"""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Protocol

from imap_tools import AND, BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted, MailMessageFlags
from imap_tools.errors import ImapToolsError

from snello.errors import ConfigError, RetryLater

WHERE = "bounces"
FLAGS = ":2,"
MOST = 2_000_000  # bytes of one message that are read: a report is small


@dataclass(frozen=True)
class Piece:
    """A message in the box."""

    mark: str
    raw: bytes


class Box(Protocol):
    """Where reports arrive."""

    def unread(self) -> Iterator[Piece]:
        """Messages that nobody has read."""

    def soft(self, since: date) -> Iterator[Piece]:
        """Soft failures that count, of this day or later."""

    def done(self, mark: str, *, soft: bool = False) -> None:
        """A message has been read, and what it says is known."""

    def close(self) -> None:
        """Let go of it."""


class Folder:
    """A Maildir: a file a message, its flags at the end of the name. Raises ``ConfigError`` when it is none."""

    def __init__(self, path: Path) -> None:
        if not all((path / part).is_dir() for part in ("cur", "new", "tmp")):
            raise ConfigError(WHERE, "the folder is no Maildir", "name a folder with cur, new and tmp in it")
        self._path = path

    def unread(self) -> Iterator[Piece]:
        """Messages without the flag S, those in new among them."""
        yield from (piece for mark in self._marks() if "S" not in _flags(mark) for piece in self._piece(mark))

    def soft(self, since: date) -> Iterator[Piece]:
        """Those with the flags S and F."""
        for mark in self._marks():
            if {"S", "F"} <= _flags(mark):
                yield from (piece for piece in self._piece(mark) if _day(piece.raw) >= since)

    def done(self, mark: str, *, soft: bool = False) -> None:
        """Into cur, with its flags; whoever took it away meanwhile has done it."""
        name = mark.partition("/")[2].partition(FLAGS)[0]
        flags = "".join(sorted(_flags(mark) | set("SF" if soft else "S")))
        with suppress(FileNotFoundError):
            (self._path / mark).rename(self._path / "cur" / f"{name}{FLAGS}{flags}")

    def close(self) -> None:
        """Nothing to let go of."""

    def _marks(self) -> list[str]:
        return sorted(f"{part}/{file.name}" for part in ("new", "cur") for file in (self._path / part).iterdir())

    def _piece(self, mark: str) -> Iterator[Piece]:
        with suppress(FileNotFoundError), (self._path / mark).open("rb") as file:
            yield Piece(mark, file.read(MOST))


def _flags(mark: str) -> set[str]:
    return set(mark.partition(FLAGS)[2])


@dataclass(frozen=True)
class Account:
    """A mailbox behind IMAP."""

    host: str
    username: str
    password: str = field(repr=False)
    port: int | None = None
    security: str = "tls"
    folder: str = "INBOX"
    timeout: float = 30.0
    context: ssl.SSLContext | None = None


class Imap:
    """A folder behind IMAP. Raises ``ConfigError`` for a wrong login or folder, ``RetryLater`` for what may pass."""

    def __init__(self, account: Account) -> None:
        try:
            self._box = _connected(account)
        except (ImapToolsError, imaplib.IMAP4.error, OSError) as error:
            raise _fault(error) from None
        try:
            self._box.login(account.username, account.password, account.folder)
        except (ImapToolsError, imaplib.IMAP4.error, OSError) as error:
            self._box.client.shutdown()
            raise _fault(error) from None

    def unread(self) -> Iterator[Piece]:
        """Messages without the flag Seen."""
        yield from self._found(str(AND(seen=False)))

    def soft(self, since: date) -> Iterator[Piece]:
        """Those with the flags Seen and Flagged."""
        yield from self._found(str(AND(seen=True, flagged=True, date_gte=since)))

    def done(self, mark: str, *, soft: bool = False) -> None:
        """Flag it."""
        flags = [MailMessageFlags.SEEN, *([MailMessageFlags.FLAGGED] if soft else [])]
        try:
            self._box.flag(mark, flags, True)
        except (ImapToolsError, imaplib.IMAP4.error, OSError):
            raise self._gone() from None

    def close(self) -> None:
        """Log out."""
        try:
            self._box.logout()
        except (ImapToolsError, imaplib.IMAP4.error, OSError):
            return

    def _found(self, criteria: str) -> Iterator[Piece]:
        try:
            marks = self._box.uids(criteria)
            for mark in marks:
                for message in self._box.fetch(AND(uid=mark), mark_seen=False):
                    yield Piece(mark, message.obj.as_bytes()[:MOST])
        except (ImapToolsError, imaplib.IMAP4.error, OSError):
            raise self._gone() from None

    @staticmethod
    def _gone() -> RetryLater:
        return RetryLater(WHERE, "the connection to the mailbox broke", "run again later; the reports wait in the box")


def _fault(error: Exception) -> ConfigError | RetryLater:
    """By what the reader does next; what the server said may hold a name."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return ConfigError(WHERE, "the server's certificate does not verify", "check host and ca_file")
    if isinstance(error, OSError | imaplib.IMAP4.abort):
        what = f"no connection to the mailbox ({type(error).__name__})"
        return RetryLater(WHERE, what, "run again later; the reports wait in the box")
    cure = "check username, password and folder"
    return ConfigError(WHERE, "the server of the mailbox refuses the login or the folder", cure)


def _connected(account: Account) -> BaseMailBox:
    given = {"host": account.host, "timeout": account.timeout}
    if account.port is not None:
        given["port"] = account.port
    if account.security == "none":
        return MailBoxUnencrypted(**given)
    kind = MailBox if account.security == "tls" else MailBoxStartTls
    return kind(**given, ssl_context=account.context)


def _day(raw: bytes) -> date:
    """The day of a message; that of today when it has none that can be read."""
    head = raw[:20_000].decode("ascii", "replace").splitlines()
    for line in head:
        if line.lower().startswith("date:"):
            try:
                return parsedate_to_datetime(line[5:].strip()).date()
            except ValueError:
                break
    return datetime.now().date()


def days_ago(days: int) -> date:
    """The day so many days before today."""
    return datetime.now().date() - timedelta(days=days)
