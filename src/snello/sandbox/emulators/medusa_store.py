"""What the stand-in for Medusa holds: rows made from their numbers, and over them what was changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from snello.sandbox.emulators.medusa_documents import MAKES
from snello.sandbox.emulators.medusa_rows import Row, key, moment, written

ROWS = {
    "customers": 260,
    "orders": 230,
    "returns": 12,
    "store_credit_accounts": 15,
    "transactions": 30,
    "gift_cards": 20,
}
DELETED = ("cus", 17)  # a customer who was deleted before anybody looked


class Table:
    """The rows of one kind, by key."""

    def __init__(self, prefix: str, make: Callable[[int], Row], count: int) -> None:
        self.prefix, self.make = prefix, make
        self.keys = [key(prefix, number) for number in range(count)]
        self._known = set(self.keys)
        self.changed: dict[str, Row] = {}

    def get(self, name: str) -> Row | None:
        """A row; none when there is no such row, or no more."""
        if name not in self._known:
            return None
        return self.changed.get(name) or self.make(self._number(name))

    def change(self, name: str, at: str | None = None, **values: Any) -> Row:
        """A row with new values, as of now or of ``at``. Raises ``KeyError`` when there is none."""
        before = self.get(name)
        if before is None:
            raise KeyError(name)
        moved = {"updated_at": at or written(datetime.now(UTC))}
        self.changed[name] = before | moved | values
        return self.changed[name]

    def touch(self, name: str, **values: Any) -> Row:
        """A row with new values and its old moment, as where what hangs on it changes."""
        before = self.get(name)
        if before is None:
            raise KeyError(name)
        return self.change(name, before["updated_at"], **values)

    def add(self, **values: Any) -> Row:
        """A new row; what is not given is as its number makes it."""
        number = self._number(self.keys[-1]) + 1
        self.keys.append(key(self.prefix, number))
        self._known.add(self.keys[-1])
        now = written(datetime.now(UTC))
        self.changed[self.keys[-1]] = self.make(number) | {"created_at": now, "updated_at": now} | values
        return self.changed[self.keys[-1]]

    def delete(self, name: str) -> None:
        """Take a row away: it is listed no more."""
        self.keys.remove(name)
        self._known.discard(name)
        self.changed.pop(name, None)

    def at(self, name: str) -> str:
        """When a row last changed."""
        changed = self.changed.get(name)
        return str(changed["updated_at"]) if changed else moment(self._number(name))

    def _number(self, name: str) -> int:
        return int(name.removeprefix(f"{self.prefix}_"))


class MedusaStore:
    """All tables; ``rows`` says how many rows some of them have."""

    def __init__(self, **rows: int) -> None:
        counts = ROWS | rows
        self.tables = {name: Table(prefix, make, counts[name]) for name, (prefix, make) in MAKES.items()}
        self.tables["customers"].delete(key(*DELETED))

    def counts(self) -> dict[str, Any]:
        """How many rows each table has."""
        return {name: len(table.keys) for name, table in self.tables.items()}

    def row(self, table: str, name: str) -> Row | None:
        """A row as it is shown, an account with its balance."""
        found = self.tables[table].get(name)
        if found is None or table != "store_credit_accounts":
            return found
        sums = {"credit": 0.0, "debit": 0.0}
        for each in self.bookings(name):
            sums[each["type"]] = round(sums[each["type"]] + each["amount"], 4)
        balance = round(sums["credit"] - sums["debit"], 4)
        return {**found, "credits": sums["credit"], "debits": sums["debit"], "balance": balance}

    def bookings(self, account: str) -> Iterable[Row]:
        """The bookings of an account."""
        table = self.tables["transactions"]
        found = (table.get(name) for name in table.keys)
        return [row for row in found if row is not None and row["account_id"] == account]
