"""Customers, orders, returns, store credit and gift cards of a Medusa shop, over its Admin API."""

from __future__ import annotations

from pydantic import Field, SecretStr

from snello.kit.rest import RestSettings, RestTap, entry
from tap_medusa.streams import (
    Customers,
    GiftCards,
    Orders,
    Returns,
    StoreCreditAccounts,
    StoreCreditTransactions,
)


class Settings(RestSettings):
    """What the tap is told."""

    url: str = Field(pattern=r"^https?://[^\s/]+", description="Address of the server, such as https://shop.example.")
    key: SecretStr | None = Field(None, description="Secret API key of an administrator, instead of a login.")
    user: str | None = Field(None, description="E-mail address of an administrator to log in as; not with a key.")
    password: SecretStr | None = Field(None, description="Password of that administrator.")


class TapMedusa(RestTap):
    """Singer tap for Medusa shops."""

    name = "tap-medusa"
    settings = Settings
    stream_classes = (Customers, Orders, Returns, StoreCreditAccounts, StoreCreditTransactions, GiftCards)


main = entry(TapMedusa)
