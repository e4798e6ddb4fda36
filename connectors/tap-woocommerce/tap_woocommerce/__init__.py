"""Customers, orders, refunds and product reviews of a WooCommerce shop, over its REST API v3."""

from __future__ import annotations

from pydantic import Field, SecretStr

from snello.kit.rest import Compare, RestSettings, RestStream, RestTap, Values, basic, entry, page_number


class Settings(RestSettings):
    """What the tap is told."""

    url: str = Field(pattern=r"^https?://[^\s/]+", description="Address of the shop, such as https://shop.example.")
    consumer_key: SecretStr = Field(description="Consumer key of an API key with the right to read.")
    consumer_secret: SecretStr = Field(description="Consumer secret of that API key.")


class ShopStream(RestStream):
    """What every endpoint shares: root, keys, numbered pages of 100 in the order of ids, four at once."""

    url_base, workers, primary_keys = "{url}/wp-json/wc/v3", 4, ("id",)
    auth, params = basic("consumer_key", "consumer_secret"), "orderby=id&order=asc"
    paging = page_number("page", ("per_page", 100), total_pages="X-WP-TotalPages", total_rows="X-WP-Total")
    values = Values(left_out=("_links", "date_*", "*_url", "*_hash", "*_address", "*_agent", "needs_*", "is_*"))


class Customers(ShopStream):
    """One row an account. Read whole and compared: the API ignores filters by change for customers."""

    name, path, compare = "customers", "/customers", Compare(item="/customers/{id}")


class Orders(ShopStream):
    """One row an order, of guests too; those changed since the last run."""

    name, path, params = "orders", "/orders", ShopStream.params + "&dates_are_gmt=true"
    replication_key, since, since_format = "date_modified_gmt", "modified_after", "%Y-%m-%dT%H:%M:%S"


class Refunds(ShopStream):
    """One row a refund, of the orders that have any and changed since the last run."""

    name, path = "refunds", "/orders/{order_id}/refunds"
    parent, by, only_with = Orders, {"order_id": "id"}, "refunds"


class ProductReviews(ShopStream):
    """One row a review, whatever its status. Read whole and compared: reviews have no moment of change."""

    name, path, compare = "product_reviews", "/products/reviews", Compare(item="/products/reviews/{id}")
    params = ShopStream.params + "&status=all"


class TapWooCommerce(RestTap):
    """Singer tap for WooCommerce shops."""

    name, settings, stream_classes = "tap-woocommerce", Settings, (Customers, Orders, Refunds, ProductReviews)


main = entry(TapWooCommerce)
