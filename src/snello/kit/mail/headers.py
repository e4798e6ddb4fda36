"""A letter as an Internet message (RFC 5322), made so that the same letter has the same bytes."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime, parseaddr
from typing import Any

from email_validator import EmailNotValidError, validate_email

from snello.kit.mail.templates import Rendered, Unfit

UNFOLDED = ("message-id", "list-unsubscribe", "feedback-id")


class _Lines(EmailPolicy):
    """Folds as the RFC asks, but leaves long addresses alone, which the library would otherwise encode as words."""

    def fold(self, name: str, value: Any) -> str:
        if name.lower() in UNFOLDED:
            return f"{name}: {str(value).replace(', <', f',{self.linesep} <')}{self.linesep}"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: Any) -> bytes:
        if name.lower() in UNFOLDED:
            return self.fold(name, value).encode("ascii")
        return super().fold_binary(name, value)


# seven bits: a server on the way that must convert eight of them would break a signature
POLICY = _Lines(linesep="\r\n", cte_type="7bit", max_line_length=78)
WIDE = POLICY.clone(utf8=True)


@dataclass(frozen=True)
class Mailbox:
    """An address as mail servers take it, and the name before it.

    - ``address``: the domain in ASCII; ``wide``: the local part needs a server with SMTPUTF8
    """

    address: str
    name: str = ""
    wide: bool = False

    @property
    def domain(self) -> str:
        """What comes after the @, in lower case."""
        return self.address.rpartition("@")[2].lower()

    @property
    def header(self) -> Address:
        """For an address header."""
        local, _, domain = self.address.rpartition("@")
        return Address(self.name, local, domain)


@dataclass(frozen=True)
class Envelope:
    """All that stands around the text of one letter.

    - ``ref``: before the @ of the Message-ID; ``extra``: further headers by name
    """

    sender: Mailbox
    recipient: Mailbox
    ref: str
    moment: datetime
    reply_to: Mailbox | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def message_id(self) -> str:
        """The Message-ID, with its brackets."""
        return f"<{self.ref}@{self.sender.domain}>"


def mailbox(text: str) -> Mailbox:
    """A setting such as ``Aurora <news@aurora.example>``. Raises ``ValueError``, which shows no part of it."""
    name, address = parseaddr(text)
    try:
        return recipient(address, name)
    except Unfit:
        raise ValueError(
            "it is no mail address. Next: write it as name@example.com or Name <name@example.com>"
        ) from None


def recipient(address: object, name: object = "") -> Mailbox:
    """A row's address and name. Raises ``Unfit`` for an address that cannot be one; a name is cleaned of line ends."""
    given = str(address or "").strip()
    if not given:
        raise Unfit("no_email")
    try:
        valid = validate_email(given, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise Unfit("invalid_email") from None
    shown = "".join(" " if unicodedata.category(letter) in ("Cc", "Zl", "Zp") else letter for letter in str(name or ""))
    local = valid.ascii_local_part or valid.local_part
    found = f"{local}@{valid.ascii_domain}"
    return Mailbox(found, " ".join(shown.split()), not found.isascii())


def message(envelope: Envelope, text: Rendered) -> bytes:
    """The message as it goes over the wire, with CRLF line ends."""
    made = EmailMessage(WIDE if envelope.recipient.wide else POLICY)
    made["Date"] = format_datetime(envelope.moment)
    made["From"] = envelope.sender.header
    made["To"] = envelope.recipient.header
    if envelope.reply_to:
        made["Reply-To"] = envelope.reply_to.header
    made["Message-ID"] = envelope.message_id
    made["Subject"] = text.subject
    for name, value in envelope.extra.items():
        made[name] = value
    made.set_content(text.plain)
    if text.html is not None:
        made.add_alternative(text.html, subtype="html")
        made.set_boundary(f"=_{envelope.ref[-16:]}_=")
    return made.as_bytes()
