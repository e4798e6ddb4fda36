"""Which fields are asked for, and what becomes of the records that come: rows, and keys of what was deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from snello.kit.rest import Answer, ContractError, Row
from snello.kit.rest.values import EXTRA
from snello.kit.rest.values import GONE as DELETED_AT
from tap_suitecrm.values import Convert, converter, plain

DELETED = ("id", "date_modified", "deleted")
"""What is asked of a deleted record; only pages of such records have the last of these fields."""


def wanted(selected: Sequence[str], own: Sequence[str]) -> list[str]:
    """The selected fields without our own columns, then the customer's own fields."""
    names = [name for name in selected if name not in (EXTRA, DELETED_AT)]
    return names + [name for name in own if name not in names]


def converters(properties: Mapping[str, Any]) -> dict[str, Convert]:
    """What reads each field's text."""
    return {name: converter(each) for name, each in {**properties, "deleted": {"type": ["boolean"]}}.items()}


def rows_of(records: Sequence[Row] | None, known: Mapping[str, Convert], where: str, answer: Answer) -> list[Row]:
    """The records as rows; a deleted one is its key and when, and others that come along with such are dropped.

    Raises ``ContractError`` where there are no records to speak of.
    """
    if records is None:
        what = f"the answer of {answer.place} holds no list of records"
        raise ContractError(where, what, "check that the server's version of the interface fits")
    rows = [plain(record, known) for record in records]
    return [_tombstone(row) if row.get("deleted") else row for row in rows if row.get("deleted") is not False]


def _tombstone(row: Row) -> Row:
    return {"id": row["id"], "date_modified": row["date_modified"], DELETED_AT: row["date_modified"]}
