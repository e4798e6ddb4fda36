"""Rows of a shop on Vendure, drawn from a seed: guests, carts, drafts, sellers' parts, refunds, other currencies."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

Document = dict[str, Any]

CUSTOMERS, ORDERS, PROMOTIONS = 40, 60, 3
EPOCH = datetime(2026, 1, 5, 9, tzinfo=UTC)
STATES = ("PaymentSettled", "Delivered", "AddingItems", "Cancelled", "PaymentAuthorized", "Draft", "Shipped")
UNPLACED = frozenset({"AddingItems", "Draft"})
CURRENCIES = ("EUR", "EUR", "CHF", "JPY")


def moment(minutes: int) -> str:
    """A moment as the interface writes it, so long after the first."""
    return told(EPOCH + timedelta(minutes=minutes))


def told(at: datetime) -> str:
    """A moment as the interface writes it: whole seconds, with milliseconds that are none."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def customers(count: int = CUSTOMERS) -> list[Document]:
    """Accounts and guests; every fifth shares its moment of change with the four before."""
    return [_customer(number) for number in range(1, count + 1)]


def _customer(number: int) -> Document:
    at = moment(number // 5 * 5)
    country = {"id": "1", "code": "IT", "name": "Italy"}
    address = {**place(number), "id": str(number), "country": country, "phoneNumber": None, "updatedAt": at}
    default = {"defaultShippingAddress": True, "defaultBillingAddress": number % 2 == 0}
    account = {"id": str(100 + number), "identifier": mail(number), "verified": number % 3 == 0, "lastLogin": None}
    return {
        "id": str(number), "createdAt": at, "updatedAt": at, "title": "Ms" if number % 4 == 0 else None,
        "firstName": f"Ada {number}", "lastName": "O'Neill & Rossi", "emailAddress": mail(number),
        "phoneNumber": f"+39 347 12345{number % 100:02}" if number % 2 else None,
        "addresses": [address | default] if number % 3 == 0 else [],
        "groups": [{"id": "1", "name": "Club"}] if number % 6 == 0 else [],
        "user": account if number % 2 else None,
        "customFields": {"loyaltyCard": f"C-{number:05}" if number % 4 else None},
    }  # fmt: skip


def mail(number: int) -> str:
    """The address of a customer."""
    return f"customer{number}@example.org"


def place(number: int) -> Document:
    """The lines of an address."""
    street = {"fullName": f"Ada {number}", "company": None, "streetLine1": f"Via Roma {number}", "streetLine2": None}
    return {**street, "city": "Milano", "province": "MI", "postalCode": f"{20100 + number % 100}"}


def orders(count: int = ORDERS, seed: int = 7) -> list[Document]:
    """Orders in every state; the last two changed in one moment."""
    luck = random.Random(seed)
    return [_order(number, luck, moment(60 + min(number, count - 1) * 7)) for number in range(1, count + 1)]


def _order(number: int, luck: random.Random, at: str) -> Document:
    state = STATES[number % len(STATES)]
    placed = None if state in UNPLACED else at
    lines = [_line(number, each, luck) for each in range(1, luck.randint(1, 3) + 1)]
    goods = sum(line["proratedLinePriceWithTax"] for line in lines)
    shipping = 500 if placed else 0
    known = placed is not None or number % 2 == 0
    where = {**place(number), "country": "Italy", "countryCode": "IT", "phoneNumber": None}
    kind = {11: "Aggregate", 13: "Seller"}.get(number, "Regular")
    return {
        "id": str(number), "createdAt": at, "updatedAt": at, "orderPlacedAt": placed, "type": kind,
        "code": f"CODE{number:06}", "state": state, "active": state == "AddingItems",
        "currencyCode": CURRENCIES[number % len(CURRENCIES)],
        "couponCodes": ["AUTUMN"] if number % 9 == 0 else [],
        "totalQuantity": sum(line["quantity"] for line in lines),
        "subTotal": _without_tax(goods), "subTotalWithTax": goods, "shipping": _without_tax(shipping),
        "shippingWithTax": shipping, "total": _without_tax(goods + shipping), "totalWithTax": goods + shipping,
        "customer": {"id": str(1 + number % CUSTOMERS)} if known else None,
        "aggregateOrder": {"id": "11"} if kind == "Seller" else None,
        "channels": [{"id": "1", "code": "__default_channel__"}],
        "shippingAddress": where if placed else {}, "billingAddress": {},
        "promotions": promotions(1) if placed and number % 9 == 0 else [],
        "discounts": [_discount(lines)] if number % 9 == 0 else [], "surcharges": [], "lines": lines,
        "shippingLines": [_shipping(number)] if placed else [],
        "payments": [payment(number, goods + shipping, at, refunded=number % 8 == 0)] if placed else [],
        "fulfillments": [_fulfilment(number, lines, at)] if state in ("Shipped", "Delivered") else [],
        "customFields": {"giftNote": None},
    }  # fmt: skip


def _without_tax(gross: int) -> int:
    return round(gross / 1.22)


def _line(order: int, number: int, luck: random.Random) -> Document:
    quantity, price = luck.randint(1, 4), luck.choice((1999, 250, 100_001))
    whole, reduced = quantity * price, quantity * price - (quantity if order % 9 == 0 else 0)
    variant = {"id": str(number), "productId": str(number), "sku": f"B-{number}", "name": f"Bonsai {number}"}
    return {
        "id": f"{order}{number:02}", "quantity": quantity, "orderPlacedQuantity": quantity, "unitPriceWithTax": price,
        "linePriceWithTax": whole, "discountedLinePriceWithTax": whole, "proratedLinePriceWithTax": reduced,
        "productVariant": variant,
    }  # fmt: skip


def _discount(lines: list[Document]) -> Document:
    """What the first promotion took off an order, as the server sums it up."""
    off = sum(line["proratedLinePriceWithTax"] - line["linePriceWithTax"] for line in lines)
    own = {"adjustmentSource": "PROMOTION:1", "type": "PROMOTION", "description": "Promotion 1"}
    return {**own, "amount": _without_tax(off), "amountWithTax": off}


def _shipping(order: int) -> Document:
    method = {"id": "1", "code": "standard-shipping"}
    return {"id": str(order), "priceWithTax": 500, "discountedPriceWithTax": 500, "shippingMethod": method}


def payment(order: int, amount: int, at: str, *, refunded: bool) -> Document:
    """A payment of an order, with a refund that is settled and one that failed where some of it was given back."""
    own = {"createdAt": at, "updatedAt": at, "method": "card"}
    back: list[Document] = [
        {**own, "id": f"{order}{place}", "state": state, "reason": None, "total": amount // 2, "lines": []}
        for place, state in enumerate(("Settled", "Failed"))
    ]
    return {**own, "id": str(order), "state": "Settled", "amount": amount, "refunds": back if refunded else []}


def _fulfilment(order: int, lines: list[Document], at: str) -> Document:
    held = [{"orderLineId": line["id"], "quantity": line["quantity"]} for line in lines]
    own = {"createdAt": at, "updatedAt": at, "method": "carrier", "state": "Shipped"}
    return {**own, "id": str(order), "trackingCode": None if order % 2 else "TRACK", "lines": held}


def promotions(count: int = PROMOTIONS) -> list[Document]:
    """Promotions with a coupon and without, one of them over."""
    return [
        {
            "id": str(number), "createdAt": moment(number), "updatedAt": moment(number), "name": f"Promotion {number}",
            "description": "", "enabled": number != 2, "startsAt": None,
            "endsAt": moment(0) if number == 2 else None, "couponCode": "AUTUMN" if number == 1 else None,
            "usageLimit": None, "perCustomerUsageLimit": 1 if number == 1 else None,
            "conditions": [{"code": "minimum_order_amount", "args": [{"name": "amount", "value": "5000"}]}],
            "actions": [{"code": "order_percentage_discount", "args": [{"name": "discount", "value": "10"}]}],
        }
        for number in range(1, count + 1)
    ]  # fmt: skip
