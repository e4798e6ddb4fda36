"""E-mail addresses: one spelling an address, and what an address says about who reads it.

Shapes by RFC 5321 and 5322, Unicode by RFC 6531 and IDNA, both as the library email-validator holds them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from email_validator import EmailNotValidError, validate_email

from snello.identifiers.tables import words
from snello.identifiers.text import null_like

# Quantifiers that give nothing back (``*+``): no sign can be read in two ways, so there is never a second try.
_PLAIN = re.compile(
    r"(?=[^@]{1,63}@)[a-z0-9_][a-z0-9_+-]*+(?:\.[a-z0-9_+-]++)*+"
    r"@(?:(?=[^.]{1,41}\.)[a-z0-9]++(?:-[a-z0-9]++)*+\.){1,3}[a-z]{2,12}"
)
_ANGLE = re.compile(r"<([^<>]+@[^<>]+)>\s*$")
_LONGEST = 1_000  # an address has 254 signs at most; the name in front of it may have more
ROLES = words("email_role")
STAND_INS, STAND_IN_DOMAINS = words("email_stand_in"), words("email_stand_in_domain")
_TAGGED = words("email_tagged")


class Email(NamedTuple):
    """What an address says; see ``normalise_email``, ``email_is_role`` and ``email_is_placeholder``."""

    address: str
    is_role: bool
    is_placeholder: bool


def read_email(value: str | None) -> Email | None:
    """All that the address says at once; ``None`` when it cannot be an address."""
    address = normalise_email(value)
    if address is None:
        return None
    local, _, domain = address.partition("@")
    return Email(address, _is_role(local), _is_placeholder(local, domain))


def normalise_email(value: str | None) -> str | None:
    """The address in lower case with its domain in ASCII; ``None`` when it cannot be an address.

    - takes the address out of ``Name <address>`` and ``mailto:address``
    - says nothing of whether the mailbox exists, and applies no provider's rule: see ``email_mailbox``
    """
    if value is None or len(value) > _LONGEST:
        return None
    lowered = value.strip().lower()
    return lowered if _PLAIN.fullmatch(lowered) else _full(value)


def plain_emails(values: Sequence[str]) -> list[str | None]:
    """``normalise_email`` of those that are plain; ``None`` for all others, which may be valid all the same."""
    plain = _PLAIN.fullmatch
    return [lowered if plain(lowered) else None for lowered in map(str.lower, values)]


@lru_cache(maxsize=65_536)
def _full(value: str) -> str | None:
    text = null_like(value)
    if text is None or "@" not in text:
        return None
    angle = _ANGLE.search(text)
    text = (angle[1] if angle else text).removeprefix("mailto:").removeprefix("MAILTO:").strip(" \"'<>,;:.()[]")
    text = text.replace(" @", "@").replace("@ ", "@").replace(" .", ".")
    try:
        # A domain that is not on the internet is still one spelling of one address; it must only have two labels.
        found = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except (EmailNotValidError, ValueError):
        return None
    domain = found.ascii_domain
    if domain is None or "." not in domain or domain.replace(".", "").isdigit():
        return None
    return f"{found.local_part}@{domain}".lower()


def email_is_role(value: str | None) -> bool | None:
    """Whether the address is an office's (``info@``, ``vendite@``), so that it may be read by many people."""
    address = normalise_email(value)
    return None if address is None else _is_role(address.partition("@")[0])


def _is_role(local: str) -> bool:
    return local.rstrip("0123456789") in ROLES


def email_is_placeholder(value: str | None) -> bool | None:
    """Whether the address was typed to get past a form (``nomail@``, ``aaaa@``, ``x@x.it``): it speaks of nobody."""
    address = normalise_email(value)
    if address is None:
        return None
    local, _, domain = address.partition("@")
    return _is_placeholder(local, domain)


def _is_placeholder(local: str, domain: str) -> bool:
    return (
        local.rstrip("0123456789") in STAND_INS
        or domain in STAND_IN_DOMAINS
        or local.count(local[:1]) == len(local)
        or (len(local) <= 2 and local == domain.split(".")[0])
    )


def email_mailbox(value: str | None) -> str | None:
    """The mailbox that the provider delivers the address to: Gmail ignores dots, several ignore ``+tag``.

    For comparing people; an address to write to is the one they gave.
    """
    address = normalise_email(value)
    if address is None:
        return None
    local, _, domain = address.partition("@")
    if domain in ("gmail.com", "googlemail.com"):
        return f"{local.partition('+')[0].replace('.', '') or local}@gmail.com"
    if domain in _TAGGED:
        return f"{local.partition('+')[0] or local}@{domain}"
    return address
