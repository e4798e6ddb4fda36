"""What came back: failures (RFC 3464), complaints (RFC 5965), unsubscriptions by mail, and bounces of no standard.

Whose it is stands in a signed reference: the Message-ID of the letter that is given back, the envelope's reference, or
the address to which the report was sent. A report without one of ours is left to whom it concerns.
"""

from __future__ import annotations

import email
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.policy import compat32
from itertools import chain
from typing import Literal

from flufl.bounce import all_failures

from snello.kit.mail.codes import bad_address
from snello.kit.mail.refs import Refs

Reason = Literal["hard", "soft", "complaint", "unsubscribed", "none"]
ADDRESSED = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to")
REPLIED = ("original-message-id", "in-reply-to", "references")
CODE = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.]*\d)")
FOUND = re.compile(r"[^\s<>@,;]+")
MOST_FOUND = 1000  # words of one header that are looked at


@dataclass(frozen=True)
class Report:
    """What one message says of one of our letters; ``mailbox`` is the address that failed, for counting alone."""

    key: str
    reason: Reason
    mailbox: str = ""


def read(raw: bytes, refs: Refs) -> Report | None:
    """The report in a message; None when it is about nothing that this sync has sent."""
    message = email.message_from_bytes(raw, policy=compat32)
    if key := _left(message, refs):
        return Report(key, "unsubscribed")
    parts = [part for part in message.walk() if isinstance(part, Message)]
    found = _key_of(message, parts, refs)
    if found is None:
        return None
    kind = {part.get_content_type() for part in parts}
    if "message/feedback-report" in kind:
        return Report(found, _complaint(parts))
    if "message/delivery-status" in kind:
        return _failure(found, parts)
    return Report(found, *_guess(message))


def _left(message: Message, refs: Refs) -> str | None:
    """The key in the subject of a mail that unsubscribes."""
    for word in _words(message.get("subject")):
        if key := refs.of_leave(word):
            return key
    return None


def _key_of(message: Message, parts: list[Message], refs: Refs) -> str | None:
    own = (key for word in _paths(message, parts) if (key := refs.of_path(word)))
    given = (key for word in _messages(message, parts) if (key := refs.of_message(word)))
    return next(chain(own, given), None)


def _paths(message: Message, parts: list[Message]) -> Iterator[str]:
    """Whatever may be a reference of a return path, or of an envelope, which a report writes as RFC 3461 does."""
    for name in ADDRESSED:
        for word in _words(*message.get_all(name, ())):
            yield word.partition("+")[2]
    for part in parts:
        envelope = str(part.get("original-envelope-id") or "").strip()
        yield re.sub(r"\+([0-9A-F]{2})", lambda code: chr(int(code[1], 16)), envelope)


def _messages(message: Message, parts: list[Message]) -> Iterator[str]:
    """Whatever may be the part of a Message-ID before the @."""
    for name in REPLIED:
        yield from _words(*message.get_all(name, ()))
    for part in parts:
        if part is not message:
            yield from _words(part.get("message-id"), part.get("original-message-id"))
        if part.get_content_type() in ("text/rfc822-headers", "message/rfc822-headers"):
            text = part.get_payload(decode=True)
            given = email.message_from_bytes(text if isinstance(text, bytes) else b"", policy=compat32)
            yield from _words(given.get("message-id"))


def _complaint(parts: list[Message]) -> Reason:
    kinds = {str(field).strip().lower() for part in parts for field in _fields(part, "feedback-type")}
    if kinds & {"opt-out", "opt-out-list"}:
        return "unsubscribed"
    return "none" if kinds == {"not-spam"} else "complaint"


def _failure(key: str, parts: list[Message]) -> Report:
    """The worst that is said of any recipient: a letter of ours has one."""
    worst = Report(key, "none")
    for part in parts:
        if part.get_content_type() == "message/delivery-status":
            for block in part.get_payload() if part.is_multipart() else ():
                if not isinstance(block, Message) or str(block.get("action", "")).strip().lower() != "failed":
                    continue
                mailbox = str(block.get("final-recipient") or block.get("original-recipient") or "")
                hard = any(map(bad_address, _codes(block)))
                worst = Report(key, "hard" if hard else "soft", mailbox.rpartition(";")[2].strip().lower())
                if hard:
                    return worst
    return worst


def _codes(block: Message) -> Iterator[str]:
    """The code of a failure, and where a server says no more than 5.0.0, the one that it was told itself."""
    status = str(block.get("status", "")).strip()
    yield status
    if status.endswith(".0.0"):
        yield from CODE.findall(str(block.get("diagnostic-code", "")))


def _guess(message: Message) -> tuple[Reason, str]:
    """A bounce of no standard, as a collection of detectors knows them; what is none, such as a reply, says nothing."""
    if str(message.get("auto-submitted", "no")).strip().lower() == "auto-replied":
        return "none", ""
    try:
        for_now, for_good = all_failures(message)
    except Exception:  # its detectors stumble over what is malformed, each in its own way
        return "none", ""
    if for_good:
        return "hard", ""
    return ("soft", _text(sorted(for_now)[0])) if for_now else ("none", "")


def _text(address: object) -> str:
    return (address.decode("ascii", "replace") if isinstance(address, bytes) else str(address)).lower()


def _fields(part: Message, name: str) -> Iterator[str]:
    """Fields of a part that is a block of fields, whichever way it was parsed."""
    if part.get_content_type() == "message/feedback-report":
        payload = part.get_payload()
        blocks = payload if isinstance(payload, list) else [email.message_from_string(str(payload))]
        for block in blocks:
            if isinstance(block, Message):
                yield from block.get_all(name, ())


def _words(*texts: object) -> Iterator[str]:
    for text in texts:
        if text is not None:
            yield from FOUND.findall(str(text))[:MOST_FOUND]
