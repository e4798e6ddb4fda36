"""The lists of the shop."""

from __future__ import annotations

from snello.kit.rest import Compare, ConfigError
from tap_shopify.queries import CHECKOUTS, CUSTOMER_KEYS, CUSTOMERS, ORDER_KEYS, ORDERS
from tap_shopify.shop import ShopStream

ALL_ORDERS = "read_all_orders"


class Customers(ShopStream):
    """One row a customer; those changed since the last run."""

    name, listing, page_size = "customers", CUSTOMERS, 100


class Orders(ShopStream):
    """One row an order with its lines and refunds; those changed since the last run."""

    name, listing, page_size = "orders", ORDERS, 12

    def permitted(self, scopes: set[str]) -> None:
        """Tell that older orders are hidden."""
        if ALL_ORDERS not in scopes:
            told = "%s: the app lacks the access scope %s: orders older than 60 days are not read"
            self.logger.warning(told, self.where, ALL_ORDERS)


class AbandonedCheckouts(ShopStream):
    """One row a checkout that was left; those changed since the last run."""

    name, listing, page_size = "abandoned_checkouts", CHECKOUTS, 15


class KeyStream(ShopStream):
    """One row a key. Listed whole and compared, in the order of keys, in which none moves while pages are read."""

    replication_key: str | None = None
    since, page_size, compare = None, 250, Compare(proof="end")


class CustomerKeys(KeyStream):
    """One row a customer that there is, or was."""

    name, listing = "customer_keys", CUSTOMER_KEYS


class OrderKeys(KeyStream):
    """One row an order that there is, or was."""

    name, listing = "order_keys", ORDER_KEYS

    def permitted(self, scopes: set[str]) -> None:
        """Refuse to look for deleted orders where old ones vanish by themselves."""
        if ALL_ORDERS not in scopes:
            what = f"the app lacks the access scope {ALL_ORDERS}, so that a deleted order looks like an old one"
            raise ConfigError(self.where, what, "grant the app that scope, or take orders out of deletions")
