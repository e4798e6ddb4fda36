"""Amounts: whole numbers of the smallest part to the server, decimal texts to us."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from singer_sdk.helpers.jsonpath import extract_jsonpath

AMOUNTS = frozenset(
    {
        "amount", "amountWithTax", "discountedLinePriceWithTax", "discountedPriceWithTax", "linePriceWithTax", "price",
        "priceWithTax", "proratedLinePriceWithTax", "shipping", "shippingWithTax", "subTotal", "subTotalWithTax",
        "total", "totalWithTax", "unitPriceWithTax",
    }
)  # fmt: skip
OPAQUE = frozenset({"customFields"})  # its names are the shop's own: a ``total`` there may count anything

PRECISION = "$.data.globalSettings.serverConfig.moneyStrategyPrecision"
USUAL_DIGITS = 2


def digits_of(document: Any) -> int:
    """How many digits behind the point amounts of an answer have, in every currency."""
    found = next(iter(extract_jsonpath(PRECISION, document)), None)
    return found if isinstance(found, int) else USUAL_DIGITS


def told_exactly(value: Any, digits: int) -> Any:
    """A row, or a part of one, with its amounts as decimal texts of so many digits behind the point."""
    if isinstance(value, list):
        return [told_exactly(each, digits) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _decimal(each, digits) if name in AMOUNTS else each if name in OPAQUE else told_exactly(each, digits)
        for name, each in value.items()
    }


def _decimal(value: Any, digits: int) -> Any:
    """A whole number as a decimal text; whatever else stands there stays, for the schema to refuse."""
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    return format(Decimal(value).scaleb(-digits), "f")
