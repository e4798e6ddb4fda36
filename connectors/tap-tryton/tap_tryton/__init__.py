"""Parties, products, sales, invoices and payments of a company that runs Tryton, over JSON-RPC or REST."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from snello.kit.entry import entry
from snello.kit.rest import RestSettings, RestTap
from tap_tryton.parties import Addresses, ContactMechanisms, Identifiers, Parties
from tap_tryton.trade import InvoiceLines, Invoices, Payments, Products, ProductTemplates, SaleLines, Sales

Stream = Literal[
    "parties", "addresses", "contact_mechanisms", "identifiers", "product_templates", "products",
    "sales", "sale_lines", "invoices", "invoice_lines", "payments",
]  # fmt: skip


class Settings(RestSettings):
    """What the tap is told."""

    url: str = Field(pattern=r"^https?://[^\s/]+", description="Address of the server, such as https://erp.example.")
    database: str = Field(pattern=r"^[\w.-]+$", description="Name of the database.")
    user: str | None = Field(None, description="Login of the user to read as; not with a key.")
    password: SecretStr | None = Field(None, description="Password of that user.")
    key: SecretStr | None = Field(None, description="Key of a user application of the kind REST, instead of a login.")
    company: int | None = Field(None, description="Number of the company to read prices for. Default: the user's own.")
    page_size: int = Field(1000, ge=1, le=10_000, description="Rows of one request.")
    deletions: list[Stream] = Field(
        [], description="Streams that are read whole and compared, every run, so that deleted rows are reported."
    )


class TapTryton(RestTap):
    """Singer tap for Tryton."""

    name = "tap-tryton"
    settings = Settings
    stream_classes = (
        Parties,
        Addresses,
        ContactMechanisms,
        Identifiers,
        ProductTemplates,
        Products,
        Sales,
        SaleLines,
        Invoices,
        InvoiceLines,
        Payments,
    )


main = entry(TapTryton)
