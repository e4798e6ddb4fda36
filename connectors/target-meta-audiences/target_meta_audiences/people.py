"""People as Meta takes them: one value a field, hashed where Meta hashes, beside the customer_id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from snello.kit.channel import ConfigError, choices
from snello.kit.platforms import META

Row = Mapping[str, str]

ID = "EXTERN_ID"
ORDER = (ID, "EMAIL", "PHONE", "MADID", "FN", "LN", "GEN", "DOBY", "DOBM", "DOBD", "CT", "ST", "ZIP", "COUNTRY")
COLUMNS = tuple(column for column in META.fields if column != "external_id")
ALONE = ("email", "phone", "maid")
TOGETHER = tuple(("first_name", "last_name", third, "country") for third in ("postcode", "city", "birth_date"))
STRONG = ("EMAIL", "PHONE", "MADID")
NAMES = ("FN", "LN", "ZIP", "CT", "DOBY", "COUNTRY")
WEAK = tuple(("FN", "LN", third, "COUNTRY") for third in ("ZIP", "CT", "DOBY"))


def naming(columns: Iterable[str], mapping: Mapping[str, str], where: str) -> dict[str, str]:
    """The audience's columns that Meta takes, with their canonical names. Raises ``ConfigError`` for another name.

    - ``mapping``: column to canonical name; an empty name keeps a column back
    """
    for name in filter(None, mapping.values()):
        if name not in COLUMNS:
            cure = choices(name, COLUMNS)
            raise ConfigError(where, f"columns: {name} is nothing that Meta knows people by", cure)
    named = {column: mapping.get(column, column) for column in columns}
    return {column: name for column, name in named.items() if name in COLUMNS}


def match_keys(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Of these canonical names, the sets of which any alone lets Meta recognise a person."""
    there = set(names)
    return [keys for keys in (*((name,) for name in ALONE), *TOGETHER) if there.issuperset(keys)]


def legible(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Of each row, given by canonical names, those of which something is left once it is normalised."""
    fields = {name: META.fields[name] for row in rows[:1] for name in row if name in COLUMNS}
    return [[name for name, field in fields.items() if field in one] for one in META.prepare(rows).rows]


def row_of(key: str, values: Mapping[str, Any], emptied: Counter[str] | None = None) -> Row | None:
    """What is sent of one person, given by canonical names; None when Meta could recognise nobody by it.

    ``emptied`` counts the values, by field, of which nothing was left.
    """
    prepared = META.prepare([values])
    if emptied is not None:
        emptied.update(prepared.dropped)
    (fields,) = prepared.rows
    if not any(name in fields for name in STRONG) and not any(all(name in fields for name in keys) for keys in WEAK):
        return None
    return {ID: key, **{name: fields[name] for name in ORDER if name in fields}}


def marks_of(row: Row) -> list[str]:
    """What alone recognises a person: each address, number and device; for want of these the names with their place."""
    strong = [f"{name} {row[name]}" for name in STRONG if name in row]
    return strong or ["names " + " ".join(row.get(name, "") for name in NAMES)]


def unshared(row: Row, shared: Collection[str]) -> Row | None:
    """What is to be taken back of a row where others are known by some of it; None when nothing is left.

    The external id stays then: Meta may have found the others by it. Names take nobody back who was known by more.
    """
    if not shared or set(shared).isdisjoint(marks_of(row)):
        return row
    left = {name: value for name, value in row.items() if name != ID and f"{name} {value}" not in shared}
    return left if any(name in left for name in STRONG) else None


def handle_of(row: Row) -> str:
    """A row as the ledger keeps it."""
    return msgspec.json.encode(row).decode()


def row_from(handle: str) -> Row:
    """A row that the ledger kept."""
    return msgspec.json.decode(handle, type=dict[str, str])


def fields_of(rows: Iterable[Row]) -> list[str]:
    """The fields that any of the rows has, in one order."""
    there = {name for row in rows for name in row}
    return [name for name in ORDER if name in there]


def payload_of(rows: Sequence[Row], fields: Sequence[str]) -> dict[str, Any]:
    """Rows in Meta's form for several keys: what a person lacks is blank."""
    return {"schema": fields, "is_raw": True, "data": [[row.get(name, "") for name in fields] for row in rows]}
