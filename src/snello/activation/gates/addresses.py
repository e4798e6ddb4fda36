"""The e-mail addresses and telephone numbers of an audience: their one spelling, whether they are ones, their hash.

Nearly all are plain, and SQL tells so; the rest, each once, goes through ``snello.identifiers``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pyarrow as pa

from snello.activation.audience import quoted
from snello.activation.gates.case import Case
from snello.identifiers.email import STAND_IN_DOMAINS, STAND_INS, Email, read_email
from snello.identifiers.phone import NUR, RUN, Phone, italian_numbers, read_phone

_SEEN = pa.schema([("raw", pa.string()), ("value", pa.string()), ("is_stand_in", pa.bool_())])
CUSTOMARY = {"email": "email", "phone": "phone", "mobile": "phone"}
# a part of what ``normalise_email`` takes as it is, without look-ahead, which RE2 lacks; no stand-in among it
_EMAIL = r"[a-z0-9_]+(?:[.+-][a-z0-9_]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.){1,3}[a-z]{2,12}"
_PLAIN_EMAIL = """
length({x}) <= 90 and regexp_full_match({x}, '{shape}') and position('@' in {x}) between 4 and 60
and length({x}) - position('@' in {x}) <= 40
and rtrim(split_part({x}, '@', 1), '0123456789') not in ({names}) and split_part({x}, '@', 2) not in ({domains})
and replace(split_part({x}, '@', 1), left({x}, 1), '') <> ''
"""
_PLAIN_PHONE = "regexp_full_match({x}, '\\+39(?:{shape})') and not regexp_matches({x}, '{rows}')"
# four digits alike or in a row: perhaps typed to get past a form, and worth a second look
_ROWS = "|".join([*(f"{n}{{4}}" for n in range(10)), *(row[n : n + 4] for row in (RUN, NUR) for n in range(10))])


def address_columns(case: Case) -> dict[str, str]:
    """The audience's columns of addresses and their kind: those declared in ``valid``, and those called so."""
    text = {name: CUSTOMARY[name] for name, kind in case.kinds.items() if name in CUSTOMARY and kind == "VARCHAR"}
    return {**text, **case.sync.valid}


def odd(case: Case, column: str, kind: str) -> str:
    """The name of a relation ``raw, value, is_stand_in`` of the values in a column that are not plainly addresses.

    Among the members to be looked at.

    ``value``: the one spelling; null: it is no address.
    """
    name = f"odd_{kind}_{list(case.kinds).index(column)}"
    known = "select 1 from duckdb_tables() where table_name = $1"
    if case.connection.execute(known, [name]).fetchall():
        return name
    raw = f"{quoted(column)}::varchar"
    strange = f"trim({raw}) <> '' and not ({_plain(raw, kind)})"
    found = case.connection.execute(f"select distinct {raw} from judged where {strange}").fetchall()
    read: Callable[[str], Email | Phone | None] = read_email if kind == "email" else read_phone
    seen = [(text, read(text)) for (text,) in found]
    rows = [(text, one[0] if one else None, bool(one and one.is_placeholder)) for text, one in seen]
    table = pa.Table.from_pylist([dict(zip(_SEEN.names, row, strict=True)) for row in rows], schema=_SEEN)
    case.connection.register("read_one_by_one", table)
    case.connection.execute(f"create temp table {name} as select * from read_one_by_one")
    case.connection.unregister("read_one_by_one")
    return name


def _plain(expression: str, kind: str) -> str:
    if kind == "phone":
        shape = italian_numbers()
        return _PLAIN_PHONE.format(x=expression, shape=shape, rows=_ROWS) if shape else "false"
    names, domains = (", ".join(f"'{word}'" for word in sorted(words)) for words in (STAND_INS, STAND_IN_DOMAINS))
    return _PLAIN_EMAIL.format(x=expression, shape=_EMAIL, names=names, domains=domains)


def hashed(case: Case, expression: str) -> str:
    """HMAC-SHA-256 of a text in SQL, in hex, as ``hash_key`` makes it under the salt."""
    key = case.salt.encode()
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    case.connection.execute("set variable inner_key = $1", [bytes(byte ^ 0x36 for byte in block)])
    case.connection.execute("set variable outer_key = $1", [bytes(byte ^ 0x5C for byte in block)])
    inside = f"unhex(sha256(getvariable('inner_key') || encode({expression})))"
    return f"sha256(getvariable('outer_key') || {inside})"
