"""Plain values of whole columns, read as the functions on single values read them.

Most addresses and numbers are in order when they come here: of those one pattern is asked, and nothing else. ``None``
says that a value is not plain: it is left to the function on single values. A plain value is never a hash.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from snello.identifiers.email import plain_emails
from snello.identifiers.platforms import people

Plain: TypeAlias = Callable[[Sequence[str]], "list[str | None]"]


def gmails(values: Sequence[str]) -> list[str | None]:
    """``gmail`` of each plain address."""
    mailbox = people.gmailbox
    return [address and mailbox(address) for address in plain_emails(values)]


def untagged(values: Sequence[str]) -> list[str | None]:
    """``untagged`` of each plain address."""
    without_tag = people.without_tag
    return [address and without_tag(address) for address in plain_emails(values)]


def numbers(values: Sequence[str]) -> list[str | None]:
    """``e164`` of each number with plus sign and country code."""
    plain = people.E164.fullmatch
    return [value if plain(value) else None for value in values]


def digits(values: Sequence[str]) -> list[str | None]:
    """``digits`` of each number with plus sign and country code."""
    plain = people.E164.fullmatch
    return [value[1:] if plain(value) else None for value in values]


COLUMNS: dict[Callable[[str, str], str | None], Plain] = {
    people.email: plain_emails,
    people.gmail: gmails,
    people.untagged: untagged,
    people.e164: numbers,
    people.digits: digits,
}
"""Function on a single value → the same for the plain values of a column."""
