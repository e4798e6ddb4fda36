"""Customers, orders with carts, and promotions of a Vendure shop, over its Admin API."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from snello.kit.entry import entry
from snello.kit.rest import RestSettings, RestTap
from tap_vendure.trade import Customers, Orders, Promotions

Stream = Literal["customers", "orders", "promotions"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Settings(RestSettings):
    """What the tap is told."""

    url: str = Field(
        pattern=r"^https?://[^\s/]+", description="Address of the Admin API, such as https://shop.example/admin-api."
    )
    user: str | None = Field(None, description="Identifier of the administrator to read as; not with a key.")
    password: SecretStr | None = Field(None, description="Password of that administrator.")
    key: SecretStr | None = Field(None, description="API key, from Vendure 3.6 on, instead of a login.")
    channel: str | None = Field(
        None, description="Token of the channel to read. Default: the shop's default channel, which holds all rows."
    )
    recheck_days: int | None = Field(
        None,
        ge=1,
        description="After a first run, read only orders that changed or were placed in so many days; deleted orders "
        "are not told then. Default: all orders, every run.",
    )
    custom_fields: dict[Stream, list[Name]] = Field(
        {}, description="Custom fields to read, by stream; they arrive in the column customFields."
    )
    money_digits: dict[Currency, Annotated[int, Field(ge=0, le=6)]] = Field(
        {}, description="Digits behind the point by currency, where the shop counts otherwise than its server says."
    )
    page_size: int = Field(100, ge=1, le=1000, description="Rows of one request; the server allows 1,000 at most.")


class TapVendure(RestTap):
    """Singer tap for Vendure shops."""

    name, settings, stream_classes = "tap-vendure", Settings, (Customers, Orders, Promotions)


main = entry(TapVendure)
