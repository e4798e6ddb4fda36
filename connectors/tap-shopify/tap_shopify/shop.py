"""What the shop's lists share: by pages while they are short, by a bulk operation when they are long."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

from snello.kit.rest import Answer, GraphQLStream, Retry, Row, Send, api_key
from tap_shopify.asking import asker
from tap_shopify.by_bulk import in_bulk
from tap_shopify.completing import complete
from tap_shopify.denials import refuse_denied, seconds_to_restore
from tap_shopify.listing import Listing
from tap_shopify.waits import Waits


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

    def __init__(self, *given: Any, **named: Any) -> None:
        self.query, self.connection = self.listing.paged(), f"$.data.{self.listing.root}"
        super().__init__(*given, **named)

    def check(self, answer: Answer) -> None:
        """Raise for an error inside a success, and for a right that the app lacks in words of its own."""
        refuse_denied(answer.document, self.where)
        super().check(answer)

    def completed(self, rows: Sequence[Row], send: Send) -> Sequence[Row]:
        """The rows with all of their lines, which stand in a list."""
        for row in rows if self.listing.line else ():
            complete(row, self.listing, asker(send, self.address({})))
        return rows

    def apart(self, context: Mapping[str, Any], begin: Any, send: Send) -> Iterator[tuple[Answer, list[Row]]] | None:
        """All rows by a bulk operation, where they are more than ``bulk_above``."""
        most, search = self.config["bulk_above"], None if begin is None else self.written(begin)
        ask = asker(send, self.address({}))
        told = ask(self.listing.counted(), {"query": search, "limit": most + 1}).document["data"]
        self.permitted({scope["handle"] for scope in told["currentAppInstallation"]["accessScopes"]})
        return in_bulk(self, self.listing, search, ask, self.waits) if told["count"]["count"] > most else None

    def permitted(self, scopes: set[str]) -> None:
        """Look at what the app may read before anything is read."""
