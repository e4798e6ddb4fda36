"""Customers, orders and product reviews of a WooCommerce shop, over its REST API v3."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field, SecretStr

from snello.kit.entry import entry
from snello.kit.rest import RestStream, RestTap, basic, page_number


class Settings(BaseModel):
    """What the tap is told."""

    url: str = Field(pattern=r"^https?://[^\s/]+", description="Address of the shop, such as https://shop.example.")
    consumer_key: SecretStr = Field(description="Consumer key of an API key with the right to read.")
    consumer_secret: SecretStr = Field(description="Consumer secret of that API key.")
    start_date: datetime | None = Field(None, description="Orders changed before this moment are not read.")


class ShopStream(RestStream):
    """What every endpoint shares: root, keys, numbered pages of 100 in the order of ids."""

    url_base = "{url}/wp-json/wc/v3"
    auth = basic("consumer_key", "consumer_secret")
    paging = page_number("page", per_page=("per_page", 100), total_pages="X-WP-TotalPages")
    params, primary_keys = "orderby=id&order=asc", ("id",)


class Customers(ShopStream):
    """One row an account. Read whole every time: the API ignores filters by change for customers."""

    name, path = "customers", "/customers"


class Orders(ShopStream):
    """One row an order, of guests too; those changed since the last run."""

    name, path = "orders", "/orders"
    replication_key, since, since_format = "date_modified_gmt", "modified_after", "%Y-%m-%dT%H:%M:%S"
    params = ShopStream.params + "&dates_are_gmt=true"


class ProductReviews(ShopStream):
    """One row a review, whatever its status. Read whole every time: reviews have no moment of change."""

    name, path = "product_reviews", "/products/reviews"
    params = ShopStream.params + "&status=all"


class TapWooCommerce(RestTap):
    """Singer tap for WooCommerce shops."""

    name = "tap-woocommerce"
    stream_classes = (Customers, Orders, ProductReviews)
    settings = Settings


main = entry(TapWooCommerce)
