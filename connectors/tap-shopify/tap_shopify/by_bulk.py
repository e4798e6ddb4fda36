"""A whole listing by a bulk operation."""

from __future__ import annotations

from collections.abc import Iterator

from snello.kit.http import Client
from snello.kit.rest import Answer, RestStream, Row
from tap_shopify.asking import Ask
from tap_shopify.bulk import Bulk
from tap_shopify.download import Download
from tap_shopify.listing import Listing
from tap_shopify.operation import Operation
from tap_shopify.pieces import Pieces
from tap_shopify.waits import Waits


def in_bulk(
    stream: RestStream, listing: Listing, search: str | None, ask: Ask, waits: Waits
) -> Iterator[tuple[Answer, list[Row]]]:
    """The rows that a search finds, some hundred at a time; a row without lines has an empty list of them."""
    patience = stream.config["timeout"]
    client = Client(stream.where, retry=stream.retry, timeout=patience, tell=stream.logger.warning)
    try:
        bulk = Bulk(Operation(stream.where, ask, waits), Download(Pieces(stream.where, client)))
        for answer, rows in bulk.parts(listing.bulk(search)):
            for row in rows if listing.line else ():
                row.setdefault("lineItems", [])
            yield answer, rows
    finally:
        client.close()
