"""Who buys, what they order or leave in a cart, and by which promotions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from singer_sdk import Tap

from snello.kit.rest import Ask, Compare, Request, Values
from snello.kit.rest.bookmarks import Mark
from snello.kit.rest.compare import GENERATION
from snello.kit.rest.host import Host
from tap_vendure.queries import CUSTOMER, ORDER, PROMOTION
from tap_vendure.stream import VendureStream

MOMENT = "%Y-%m-%dT%H:%M:%S.000Z"


class Customers(VendureStream):
    """One row a customer, guests too: their ``user`` is null."""

    name, kind, fields = "customers", "Customer", CUSTOMER


class Orders(VendureStream):
    """One row an order, from the cart on, with lines, payments, refunds and fulfilments."""

    name, kind, fields = "orders", "Order", ORDER
    values = Values(
        nested={"customerId": "customer.id", "aggregateOrderId": "aggregateOrder.id"},
        left_out=("customer", "aggregateOrder"),
    )

    def __init__(self, tap: Tap, host: Host, schema: dict[str, Any] | None = None, name: str | None = None) -> None:
        days: int | None = tap.config.get("recheck_days")
        self.window = timedelta(days=days) if days else None
        if self.window:
            self.compare = Compare(proof="part")
        super().__init__(tap, host, schema, name)

    def request(self, ask: Ask, context: Mapping[str, Any], begin: Mark) -> Request:
        """A page; after a first run, of those that changed or were placed within the window: no other moment moves."""
        if self.window is not None and self.stream_state.get(GENERATION):
            after = {"after": (self.host.started - self.window).strftime(MOMENT)}
            wanted = {"filter": {"_or": [{"updatedAt": after}, {"orderPlacedAt": after}]}}
            ask = Ask(body={**ask.body, **wanted})
        return super().request(ask, context, begin)


class Promotions(VendureStream):
    """One row a promotion, whether it is enabled or not."""

    name, kind, fields = "promotions", "Promotion", PROMOTION
