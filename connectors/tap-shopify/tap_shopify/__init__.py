"""Customers, orders and abandoned checkouts of a Shopify shop, over its Admin GraphQL API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, SecretStr
from singer_sdk import Stream

from snello.kit.entry import entry
from snello.kit.rest import RestSettings, RestTap
from tap_shopify.shop import ShopStream
from tap_shopify.streams import AbandonedCheckouts, CustomerKeys, Customers, KeyStream, OrderKeys, Orders

__all__ = ["Settings", "ShopStream", "TapShopify", "main"]


class Settings(RestSettings):
    """What the tap is told."""

    url: str = Field(
        pattern=r"^https?://[^\s/]+", description="Address of the shop, such as https://name.myshopify.com."
    )
    access_token: SecretStr = Field(description="Admin API access token of an app that is installed in the shop.")
    api_version: str = Field(
        "2026-10", pattern=r"^20\d\d-(01|04|07|10)$", description="Version of the Admin API to speak."
    )
    bulk_above: int = Field(
        1000, ge=0, le=10_000, description="More rows than this are read by a bulk operation instead of by pages."
    )
    deletions: list[Literal["customers", "orders"]] = Field(
        ["customers"], description="Kinds of rows whose keys are all listed, every run, so that deletions are noticed."
    )


class TapShopify(RestTap):
    """Singer tap for Shopify shops."""

    name, settings = "tap-shopify", Settings
    stream_classes = (Customers, Orders, AbandonedCheckouts, CustomerKeys, OrderKeys)

    def discover_streams(self) -> Sequence[Stream]:
        """The streams; keys of what ``deletions`` names alone."""
        found = super().discover_streams()
        return [
            each for each in found if not isinstance(each, KeyStream) or each.listing.root in self.options.deletions
        ]


main = entry(TapShopify)
