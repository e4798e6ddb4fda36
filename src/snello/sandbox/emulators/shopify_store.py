"""What a Shopify shop holds: its rows, who may read them, its points, its bulk operations."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from snello.sandbox.emulators.shopify_cost import Bucket
from snello.sandbox.emulators.shopify_rows import Row, drawn

SCOPES = frozenset({"read_customers", "read_orders", "read_all_orders", "read_products"})
NEEDED = {"customers": "read_customers", "orders": "read_orders", "abandonedCheckouts": "read_orders"}
KINDS = {"Customer": "customers", "Order": "orders", "AbandonedCheckout": "abandonedCheckouts"}
RECENT = timedelta(days=60)
DEEPEST = 25_000  # rows that pages reach

SORTS = {"CREATED_AT": "createdAt", "UPDATED_AT": "updatedAt", "PROCESSED_AT": "processedAt", "ID": "id"}
FILTERS = {"created_at": "createdAt", "updated_at": "updatedAt", "processed_at": "processedAt"}
_TERM = re.compile(r"(\w+):\s*(>=|<=|>|<|)\s*(?:'([^']*)'|\"([^\"]*)\"|(\S+))")


@dataclass
class Operation:
    """A bulk operation: its lines were found when it began; it ends when it was looked at often enough.

    - ``fate``: the status that it ends with; ``error``: its code then
    """

    id: str
    query: str
    lines: list[Row]
    roots: int
    created: datetime
    looks: int = 0
    fate: str = "COMPLETED"
    error: str | None = None


@dataclass
class ShopifyStore:
    """A shop.

    - ``scopes``: what the app may read; ``approved``: whether for protected customer data too
    - ``looks``: how often an operation is seen under way; ``at_once``: how many operations an app may have
    - ``fate``: how the next operations end; ``expired``: their files can no longer be fetched
    """

    customers: list[Row] = field(default_factory=list)
    orders: list[Row] = field(default_factory=list)
    abandonedCheckouts: list[Row] = field(default_factory=list)
    scopes: frozenset[str] = SCOPES
    approved: bool = True
    bucket: Bucket = field(default_factory=Bucket)
    looks: int = 1
    at_once: int = 5
    fate: tuple[str, str | None] = ("COMPLETED", None)
    expired: bool = False
    operations: dict[str, Operation] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @classmethod
    def drawn(cls, customers: int, orders: int, checkouts: int, **given: Any) -> ShopifyStore:
        """A shop of generated rows, the same every time."""
        return cls(*drawn(customers, orders, checkouts), **given)

    def counts(self) -> dict[str, Any]:
        """How many rows there are, how many bulk operations were begun, how many queries had too few points."""
        told = {name: len(getattr(self, name)) for name in NEEDED}
        return told | {"operations": len(self.operations), "throttled": self.bucket.refused}

    def rows(self, name: str, search: str | None, sort: str = "ID", *, reverse: bool = False) -> list[Row]:
        """The rows of a list that a search finds, in their order; equal ones by their ids."""
        found = [row for row in getattr(self, name) if self._shown(name, row) and matches(row, search)]
        return sorted(found, key=lambda row: place(row, sort), reverse=reverse)

    def single(self, gid: str) -> Row | None:
        """The row of a global id; None when there is none that the app may see."""
        kind = gid.rpartition("/")[0].rpartition("/")[2]
        if kind not in KINDS:
            return None
        name = KINDS[kind]
        return next((row for row in getattr(self, name) if row["id"] == gid and self._shown(name, row)), None)

    def under_way(self) -> int:
        """Bulk operations that have not ended."""
        return sum(each.looks < self.looks for each in self.operations.values())

    def _shown(self, name: str, row: Row) -> bool:
        if name != "orders" or "read_all_orders" in self.scopes:
            return True
        return datetime.fromisoformat(row["createdAt"]) >= self.now() - RECENT


def number(gid: str) -> int:
    """The number in a global id."""
    return int(gid.rpartition("/")[2])


def place(row: Row, sort: str) -> tuple[str, int]:
    """Where a row stands in an order."""
    key = SORTS[sort]
    return ("" if key == "id" else str(row[key]), number(row["id"]))


def matches(row: Row, search: str | None) -> bool:
    """Whether a row is found; a term that is not known is passed over, as Shopify does."""
    for name, sign, *values in _TERM.findall(search or ""):
        value = next((each for each in values if each), "")
        if name == "id":
            have: Any = number(row["id"])
            wanted: Any = int(value)
        elif name in FILTERS:
            have, wanted = datetime.fromisoformat(row[FILTERS[name]]), _moment(value)
        else:
            continue
        fits = {">=": have >= wanted, "<=": have <= wanted, ">": have > wanted, "<": have < wanted, "": have == wanted}
        if not fits[sign]:
            return False
    return True


def _moment(value: str) -> datetime:
    found = datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
