"""Pages that begin behind the greatest id of the page before.

Records that are changed, made or deleted while pages are read neither shift others out of sight nor bring them twice.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from snello.kit.http import Answer
from snello.kit.rest import Ask, ContractError, Paging, Row, Token, keyset
from tap_suitecrm.asking import Interface

AFTER = "after"
THERE, GONE = "there", "gone"
ID = re.compile(r"[\w-]{1,36}")


def pages(interface: Interface, with_gone: bool) -> Paging:
    """A token is an id and what it is of: the records that are there first, then those that were deleted."""

    def behind(answer: Answer, rows: Sequence[Row], token: Token) -> Token:
        phase = token[0] if token else THERE
        ids = [each.get("id") for each in interface.records(answer.document) or ()]
        if ids and interface.more(answer.document, len(ids)):
            return [phase, _good(ids[-1], answer)]
        return [GONE, None] if phase == THERE and with_gone else None

    return keyset(behind, lambda token: Ask(body={AFTER: token or [THERE, None]}))


def _good(number: Any, answer: Answer) -> str:
    if isinstance(number, str) and ID.fullmatch(number):
        return number
    what = f"the answer of {answer.place} holds a record without a good id"
    raise ContractError("tap-suitecrm", what, "look for records whose id is no id in SuiteCRM's database")
