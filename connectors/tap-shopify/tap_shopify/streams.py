"""What the shop's lists share, and the lists: by pages while they are short, by a bulk operation when they are long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from singer_sdk import Tap

from snello.kit.http import Client
from snello.kit.rest import Answer, Compare, ConfigError, GraphQLStream, Request, Retry, Row, Send, api_key
from snello.kit.rest.host import Host
from tap_shopify.bulk import Bulk, Waits
from tap_shopify.denials import refuse_denied, seconds_to_restore
from tap_shopify.download import Download
from tap_shopify.queries import CHECKOUTS, CUSTOMER_KEYS, CUSTOMERS, ORDER_KEYS, ORDERS, Listing

ALL_ORDERS = "read_all_orders"


class ShopStream(GraphQLStream):
    """One list of the shop, in the order of changes where it can be had in that order."""

    url_base, path = "{url}/admin/api/{api_version}", "/graphql.json"
    auth, retry = api_key("access_token", header="X-Shopify-Access-Token"), Retry(tries=8)
    errors = replace(GraphQLStream.errors, wait=seconds_to_restore)
    primary_keys = ("id",)
    replication_key: str | None = "updatedAt"
    since: str | None = "query"
    since_format = "updated_at:>='%Y-%m-%dT%H:%M:%SZ'"
    overlap = timedelta(minutes=5)  # the search index learns of a change a little later
    listing: ClassVar[Listing]
    waits: ClassVar[Waits] = Waits()

    def __init__(self, tap: Tap, host: Host, schema: dict[str, Any] | None = None, name: str | None = None) -> None:
        self.query, self.connection = self.listing.paged(), f"$.data.{self.listing.root}"
        super().__init__(tap, host, schema, name)

    def check(self, answer: Answer) -> None:
        """Raise for an error inside a success, and for a right that the app lacks in words of its own."""
        refuse_denied(answer.document, self.where)
        super().check(answer)

    def completed(self, rows: Sequence[Row], send: Send) -> Sequence[Row]:
        """The rows with all of their lines, which stand in a list."""
        for row in rows if self.listing.line else ():
            lines = row["lineItems"]
            found = list(lines["nodes"])
            while lines["pageInfo"]["hasNextPage"]:
                variables = {"id": row["id"], "after": lines["pageInfo"]["endCursor"]}
                node = self._ask(send, self.listing.more_lines(), variables).document["data"]["node"]
                if node is None:
                    break  # the row was deleted meanwhile
                lines = node["lineItems"]
                found += lines["nodes"]
            row["lineItems"] = found
        return rows

    def apart(self, context: Mapping[str, Any], begin: Any, send: Send) -> Iterator[tuple[Answer, list[Row]]] | None:
        """All rows by a bulk operation, where they are more than ``bulk_above``."""
        most, search = self.config["bulk_above"], None if begin is None else self.written(begin)
        told = self._ask(send, self.listing.counted(), {"query": search, "limit": most + 1}).document["data"]
        self.permitted({scope["handle"] for scope in told["currentAppInstallation"]["accessScopes"]})
        return self._in_bulk(search, send) if told["count"]["count"] > most else None

    def permitted(self, scopes: set[str]) -> None:
        """Look at what the app may read before anything is read."""

    def _in_bulk(self, search: str | None, send: Send) -> Iterator[tuple[Answer, list[Row]]]:
        client = Client(self.where, retry=self.retry, timeout=self.config["timeout"], tell=self.logger.warning)
        download = Download(self.where, client)
        try:
            bulk = Bulk(self.where, lambda text, given: self._ask(send, text, given), download, self.waits)
            for answer, rows in bulk.parts(self.listing.bulk(search)):
                for row in rows if self.listing.line else ():
                    row.setdefault("lineItems", [])
                yield answer, rows
        finally:
            client.close()

    def _ask(self, send: Send, text: str, variables: dict[str, Any]) -> Answer:
        return send(Request("POST", self.address({}), json={"query": text, "variables": variables}))


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
