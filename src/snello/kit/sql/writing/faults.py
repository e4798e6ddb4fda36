"""What a database says while it is written to: which row it will not take and why, or one sentence for the whole."""

from __future__ import annotations

import re

from snello.errors import ConfigError, ContractError, RetryLater, SnelloError
from snello.kit.sql import faults
from snello.kit.sql.faults import Place, code_of

# SQLSTATE, MySQL's number or SQLite's words → the word of a receipt.
_REFUSALS = (
    (r"^(22001|mysql 1406)\b|string data, right truncation", "too_long"),
    (r"^(22003|mysql (1264|1690))\b|integer out of range|int too large", "out_of_range"),
    (r"^(23502|mysql (1048|1364))\b|NOT NULL constraint", "not_null"),
    (r"^(23505|mysql (1062|1586))\b|UNIQUE constraint", "unique"),
    (r"^(23503|mysql (1451|1452|1216|1217))\b|FOREIGN KEY constraint", "foreign_key"),
    (r"^(23514|23P01|mysql (4025|3819))\b|CHECK constraint", "check"),
    (r"^(22021|22P05|mysql (1366 Incorrect string|1300|3988))|cannot contain NUL", "encoding"),
    (r"^(22P02|22007|22008|42804|22\w{3}|mysql (1292|1366|1265|1367|1411|1525))\b|datatype mismatch", "bad_value"),
    (r"^(P0001|45000|mysql 1644)\b", "trigger"),
    (r"^23\w{3}\b", "constraint"),
)
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), word) for pattern, word in _REFUSALS)

_PASSING = re.compile(
    r"^(40001|40P01|55P03|57P0\d|08\w{3}|53300)\b|^mysql (1205|1213|1040|1053|1927|2006|2013|2055|0)\b|"
    r"server closed the connection|terminating connection|lost connection|connection is lost|connection is closed|"
    r"consuming input failed|database is locked",
    re.IGNORECASE,
)

_SIGNS = (
    (
        r"^(42501|25006|mysql (1142|1143|1044|1227|1290|1792|1836))\b|permission denied|readonly database",
        ConfigError,
        "user {user} may not write it",
        "grant that user select, insert, update and delete on it, and on snello_rows beside it",
    ),
    (
        r"^(53100|mysql (1021|1114))\b|disk is full|no space left",
        RetryLater,
        "{server} has no room left",
        "make room there, then run again: nothing of the batch was kept",
    ),
    (
        r"^(55P03|mysql 1205)\b|database is locked",
        RetryLater,
        "others hold rows of it locked for longer than the setting timeout",
        "run again later, or raise timeout",
    ),
    (
        r"^(42P01|mysql 1146)\b|no such table",
        ContractError,
        "the table went away while it was written to",
        "bring it back, or let it be made anew with create: true",
    ),
    (
        r"^(42703|mysql 1054)\b|no such column|has no column",
        ContractError,
        "a column went away while it was written to",
        "bring it back, or take it out of columns",
    ),
    (
        r"^(57P0\d|08\w{3}|40001|40P01|mysql (1213|1927|2006|2013|2055|0))\b|server closed|terminating connection|"
        r"lost connection|connection is (lost|closed)|consuming input failed",
        RetryLater,
        "{server} broke off or is busy",
        "run again: a batch that it may have taken is repeated without harm",
    ),
)


def refusal(error: BaseException) -> str | None:
    """The word for why a row is not taken; None when it is not the row's fault."""
    text = _text(error)
    return next((word for pattern, word in _COMPILED if pattern.search(text)), None)


def passing(error: BaseException) -> bool:
    """Whether the same work may succeed at once: it met another's, or the connection broke."""
    return bool(_PASSING.search(_text(error)))


def told(error: BaseException, place: Place, table: str | None) -> SnelloError:
    """The fault in our words: never the database's own, which hold the URL, the statement or a value."""
    if isinstance(error, SnelloError):
        return error
    text = _text(error)
    for pattern, kind, what, cure in _SIGNS:
        if re.search(pattern, text, re.IGNORECASE):
            return kind(place.at(table), what.format(server=place.server, user=place.user), cure)
    return faults.told(error, place, table)


def _text(error: BaseException) -> str:
    """The code, where there is one, and else the words: beside a code they may hold values."""
    cause = getattr(error, "orig", None) or error
    code = code_of(cause)
    if not code:
        return str(cause)
    numbered = len(cause.args) > 1 and isinstance(cause.args[0], int)
    return f"{code} {str(cause.args[1])[:16]}" if numbered else code
