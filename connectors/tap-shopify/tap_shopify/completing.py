"""Rows with all of their lines, of which an answer holds the first alone."""

from __future__ import annotations

from snello.kit.rest import Row
from tap_shopify.asking import Ask
from tap_shopify.listing import Listing


def complete(row: Row, listing: Listing, ask: Ask) -> None:
    """Put all lines of a row into one list."""
    lines = row["lineItems"]
    found = list(lines["nodes"])
    while lines["pageInfo"]["hasNextPage"]:
        variables = {"id": row["id"], "after": lines["pageInfo"]["endCursor"]}
        node = ask(listing.more_lines(), variables).document["data"]["node"]
        if node is None:
            break  # the row was deleted meanwhile
        lines = node["lineItems"]
        found += lines["nodes"]
    row["lineItems"] = found
