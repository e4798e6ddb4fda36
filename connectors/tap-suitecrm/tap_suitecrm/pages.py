"""Pages that begin behind the greatest id of the page before.

Records that are changed, made or deleted while pages are read neither shift others out of sight nor bring them twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from snello.kit.http import Answer
from snello.kit.rest import Ask, ContractError, Row, Token
from tap_suitecrm.asking import Interface

AFTER = "after"
THERE, GONE = "there", "gone"
ID = re.compile(r"[\w-]{1,36}")


@dataclass(frozen=True)
class Pages:
    """A token is an id and what it is of: the records that are there first, then those that were deleted."""

    interface: Interface
    with_gone: bool
    first: Token = None

    def ask(self, token: Token) -> Ask:
        """What asks for the page behind an id."""
        return Ask(body={AFTER: token or [THERE, None]})

    def following(self, answer: Answer, rows: Sequence[Row], token: Token) -> Token:
        """The last id of the page; the deleted records after the last page of those that are there."""
        phase = token[0] if token else THERE
        ids = [each.get("id") for each in self.interface.records(answer.document) or ()]
        if ids and self.interface.more(answer.document, len(ids)):
            return [phase, _good(ids[-1], answer)]
        return [GONE, None] if phase == THERE and self.with_gone else None

    def ahead(self, answer: Answer, rows: Sequence[Row], token: Token) -> Iterator[Token] | None:
        """None: where a page begins is known from the one before."""
        return None

    def total(self, answer: Answer) -> int | None:
        """None: what is told counts the rows behind an id."""
        return None


def _good(number: Any, answer: Answer) -> str:
    if isinstance(number, str) and ID.fullmatch(number):
        return number
    what = f"the answer of {answer.place} holds a record without a good id"
    raise ContractError("tap-suitecrm", what, "look for records whose id is no id in SuiteCRM's database")
