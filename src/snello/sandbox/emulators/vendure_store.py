"""What the shop on Vendure holds: lists in the order of ids, filtered by moments, and the changes that move none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from snello.sandbox.emulators.vendure_rows import Document, customers, orders, payment, promotions, told

LISTS = ("customers", "orders", "promotions")
MOST = 1000  # rows of one page
Options = Mapping[str, Any] | None


class TooMany(Exception):
    """More rows of one page than the server hands out."""


class VendureStore:
    """The rows by list; what was deleted softly is in none of them."""

    def __init__(self, rows: Mapping[str, Sequence[Document]] | None = None) -> None:
        made: dict[str, Callable[[], list[Document]]] = {
            "customers": customers,
            "orders": orders,
            "promotions": promotions,
        }
        given = rows or {}
        self.rows: dict[str, list[Document]] = {
            name: list(given[name]) if name in given else make() for name, make in made.items()
        }

    def counts(self) -> dict[str, Any]:
        """How many rows each list has."""
        return {name: len(rows) for name, rows in self.rows.items()}

    def page(self, name: str, options: Options) -> Document:
        """A page of a list as its options ask for it, and how many rows there are. Raises ``TooMany``."""
        asked = options or {}
        take, skip = asked.get("take"), asked.get("skip") or 0
        if take is not None and take > MOST:
            raise TooMany
        found = [row for row in self.rows[name] if _fits(row, asked.get("filter") or {})]
        for field, direction in reversed((asked.get("sort") or {}).items()):
            found.sort(key=lambda row: _rank(row[field]), reverse=direction == "DESC")
        return {"items": found[skip : skip + (MOST if take is None else take)], "totalItems": len(found)}

    def row(self, name: str, key: str) -> Document:
        """A row by its id."""
        return next(row for row in self.rows[name] if row["id"] == key)

    def refund(self, order: str) -> None:
        """Give half of an order's money back: the moment of the order stays, as it does on a server."""
        held, now = self.row("orders", order), told(datetime.now(UTC))
        held["payments"] = [payment(int(order), held["totalWithTax"], now, refunded=True)]

    def place(self, order: str) -> None:
        """Make an order of a cart: it has a day and its promotions, the moment of the cart stays, as on a server."""
        cart = self.row("orders", order)
        placed = {"state": "PaymentSettled", "active": False, "orderPlacedAt": told(datetime.now(UTC))}
        cart.update(placed | {"promotions": promotions(1) if cart["couponCodes"] else []})

    def delete(self, name: str, key: str) -> None:
        """Take a row out of its list."""
        self.rows[name].remove(self.row(name, key))


def _rank(value: Any) -> tuple[int, str]:
    """Ids by number, moments by time, as texts of one length are."""
    return len(str(value)), str(value)


_COMPARED: Mapping[str, Callable[[str, str], bool]] = {
    "after": lambda held, given: held > given,
    "before": lambda held, given: held < given,
    "eq": lambda held, given: held == given,
}


def _fits(row: Document, wanted: Mapping[str, Any]) -> bool:
    """Whether a row fits a filter: all of its fields, every one of ``_and``, one of ``_or``."""
    fields = [_holds(row[name], each) for name, each in wanted.items() if name not in ("_and", "_or")]
    every = [_fits(row, each) for each in wanted.get("_and") or ()]
    some = wanted.get("_or")
    return all(fields) and all(every) and (not some or any(_fits(row, each) for each in some))


def _holds(value: Any, operators: Mapping[str, Any]) -> bool:
    """Whether a value fits; moments are held in whole seconds, and both ends are exclusive."""
    for name, given in operators.items():
        if name == "isNull":
            fits = (value is None) is given
        elif name == "between":
            fits = value is not None and given["start"][:19] <= value[:19] <= given["end"][:19]
        elif name in ("in", "notIn"):
            fits = (value in given) is (name == "in")
        elif name == "notEq":
            fits = value != given
        else:
            fits = value is not None and _COMPARED[name](value[:19], str(given)[:19])
        if not fits:
            return False
    return True
