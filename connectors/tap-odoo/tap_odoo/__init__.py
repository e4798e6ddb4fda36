"""Partners, leads, sales orders, invoices and payments of a company that runs Odoo, over JSON-RPC or JSON-2."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from pydantic import Field, SecretStr

from snello.kit.entry import entry
from snello.kit.rest import RestSettings, RestTap
from tap_odoo.account import Account, Interface
from tap_odoo.people import Blacklist, Countries, CountryStates, Leads, Partners
from tap_odoo.trade import Invoices, Payments, SaleOrderLines, SaleOrders

Stream = Literal[
    "partners", "leads", "blacklist", "sale_orders", "sale_order_lines", "invoices", "payments",
    "countries", "country_states",
]  # fmt: skip


class Settings(RestSettings):
    """What the tap is told."""

    url: str = Field(pattern=r"^https?://[^\s/]+", description="Address of the server, such as https://erp.example.")
    database: str = Field(pattern=r"^[\w.-]+$", description="Name of the database.")
    interface: Interface = Field(
        "jsonrpc", description="Way to call Odoo: jsonrpc up to version 18, json2 from version 19 on."
    )
    login: str | None = Field(None, description="Login of the user to read as; for jsonrpc, json2 knows it by the key.")
    api_key: SecretStr = Field(description="API key of that user; a password does for jsonrpc too.")
    companies: list[int] = Field([], description="Numbers of the companies to read. Default: all of the user's own.")
    page_size: int = Field(1000, ge=1, le=10_000, description="Rows of one request.")
    deletions: list[Stream] = Field(
        [], description="Streams that are read whole and compared, every run, so that deleted rows are reported."
    )


class TapOdoo(RestTap):
    """Singer tap for Odoo."""

    name = "tap-odoo"
    settings = Settings
    stream_classes = (
        Countries, CountryStates, Partners, Leads, Blacklist, SaleOrders, SaleOrderLines, Invoices, Payments,
    )  # fmt: skip

    @cached_property
    def account(self) -> Account:
        """Who reads, and in which way; all streams share it, so that a wrong key is tried once."""
        return Account(self.config)


main = entry(TapOdoo)
