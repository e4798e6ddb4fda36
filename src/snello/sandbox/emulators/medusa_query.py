"""The query of Medusa's lists: which parameters each takes, which fields come, which rows, in which order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zlib import crc32

from snello.sandbox.emulators.medusa_rows import Row
from snello.sandbox.emulators.medusa_store import Table

COMMON = ("fields", "offset", "limit", "order", "with_deleted", "q", "created_at", "updated_at")
OPERATORS = ("$gt", "$gte", "$lt", "$lte", "$ne", "$eq")
Tree = dict[str, Any]


class Refused(Exception):
    """An answer in Medusa's error envelope."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(kind)
        self.status, self.body = status, {"type": kind, "message": message}


@dataclass(frozen=True)
class Listing:
    """One list: its path, its table, its usual size, whether keys may be compared, what else it takes."""

    path: str
    table: str
    limit: int
    keyed: bool = True
    takes: tuple[str, ...] = ()

    @property
    def single(self) -> str:
        """The field of the answer that holds one row."""
        return self.table.removesuffix("s")


LISTINGS = (
    Listing("customers", "customers", 50, takes=("email", "has_account", "groups", "deleted_at")),
    Listing("orders", "orders", 15, takes=("status", "customer_id", "region_id", "sales_channel_id", "total")),
    Listing("returns", "returns", 15, keyed=False, takes=("order_id", "status", "deleted_at")),
    Listing("store-credit-accounts", "store_credit_accounts", 15, takes=("customer_id", "currency_code")),
    Listing("gift-cards", "gift_cards", 15, takes=("customer_id", "status", "reference", "reference_id")),
)
BOOKINGS = Listing("transactions", "transactions", 15)


@dataclass(frozen=True)
class Asked:
    """A valid query."""

    offset: int
    limit: int
    order: str
    fields: Tree
    filters: Sequence[tuple[str, str, str]]

    @classmethod
    def read(cls, query: Mapping[str, str], listing: Listing) -> Asked:
        """Check a query against a list. Raises ``Refused``."""
        filters = []
        for name, value in query.items():
            field, _, operator = name.rstrip("]").partition("[")
            if field not in (*COMMON, "id", *listing.takes):
                raise Refused(400, "invalid_data", f"Invalid request: Unrecognized fields: '{field}'")
            if operator and (operator not in OPERATORS or (field == "id" and not listing.keyed)):
                raise Refused(400, "invalid_data", f"Invalid request: Expected type: 'string' for field '{field}'")
            if operator or field in ("id", "status", "customer_id", "order_id"):
                filters.append((field, operator or "$eq", value))
        return cls(
            _whole(query, "offset", 0),
            _whole(query, "limit", listing.limit),
            query.get("order", "id"),
            tree(query.get("fields", "")),
            filters,
        )

    def select(self, table: Table, keys: Sequence[str]) -> list[str]:
        """The keys of all rows that are asked for, in their order; ties of a moment have none, page by page."""
        found = [name for name in keys if all(self._meets(table, name, each) for each in self.filters)]
        name, turned = self.order.removeprefix("-"), self.order.startswith("-")
        if name in ("updated_at", "created_at"):
            found.sort(key=lambda each: (table.at(each), crc32(f"{each}{self.offset}".encode())))
        elif name != "id":
            raise Refused(500, "unknown_error", "An unknown error occurred.")
        return found[::-1] if turned else found

    def _meets(self, table: Table, name: str, wanted: tuple[str, str, str]) -> bool:
        field, operator, value = wanted
        own: Any = name
        if field == "updated_at":
            own, value = _moment(table.at(name)), _moment(value)
        elif field != "id":
            row = table.get(name) or {}
            own = row.get(field)
        if operator in ("$eq", "$ne"):
            return bool((own == value) == (operator == "$eq"))
        if own is None:
            return False
        return bool({"$gt": own > value, "$gte": own >= value, "$lt": own < value, "$lte": own <= value}[operator])


def _moment(text: str) -> Any:
    return datetime.fromisoformat(text)


def _whole(query: Mapping[str, str], name: str, usual: int) -> int:
    text = query.get(name, "")
    if text == "":
        return usual
    if not re.fullmatch(r"-?\d+", text):
        message = f"Invalid request: Expected type: 'number' for field '{name}', got: '{text}'"
        raise Refused(400, "invalid_data", message)
    if int(text) < 0:
        raise Refused(500, "unknown_error", "An unknown error occurred.")
    return int(text)


def tree(fields: str) -> Tree:
    """The fields of a text such as ``id,*items,groups.name`` as branches; a whole one is empty."""
    found: Tree = {}
    for path in filter(None, fields.split(",")):
        branch = found
        names = path.removeprefix("*").split(".")
        for name in names[:-1]:
            branch = branch.setdefault(name, {})
        branch.setdefault(names[-1], {})
    return found


def shown(row: Row, fields: Tree) -> Row:
    """A row with the fields that were asked for; plain ones where none were. What is not known is passed over."""
    if not fields:
        return {name: value for name, value in row.items() if not isinstance(value, dict | list)}
    return {name: _branch(row[name], fields[name]) for name in row if name in fields}


def _branch(value: Any, fields: Tree) -> Any:
    if not fields or value is None:
        return value
    if isinstance(value, list):
        return [_branch(each, fields) for each in value]
    return {name: _branch(value[name], fields[name]) for name in value if name in fields}
