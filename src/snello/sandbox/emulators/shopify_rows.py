"""Rows of a Shopify shop as its API shapes them: single ones to begin with, and a whole shop drawn from a seed."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

Row = dict[str, Any]
DAY = datetime(2026, 3, 1, 8, tzinfo=UTC)
CURRENCIES = {"EUR": "1", "USD": "1.1", "JPY": "160"}


def gid(kind: str, number: int) -> str:
    """A global id."""
    return f"gid://shopify/{kind}/{number}"


def text(moment: datetime) -> str:
    """A moment as Shopify writes it: in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def money(amount: str, currency: str = "EUR") -> Row:
    """An amount in the shop's currency, and in the one that the customer saw."""
    seen = f"{float(amount) * float(CURRENCIES[currency]):.{0 if currency == 'JPY' else 2}f}"
    return {
        "shopMoney": {"amount": amount, "currencyCode": "EUR"},
        "presentmentMoney": {"amount": amount if currency == "EUR" else seen, "currencyCode": currency},
    }


def address(number: int, **changes: Any) -> Row:
    """A postal address."""
    told = {"firstName": "Ada", "lastName": f"Rossi {number}", "company": None, "address1": f"Via Roma {number}"}
    told |= {"address2": None, "city": "Milano", "provinceCode": "MI", "zip": "20121", "countryCodeV2": "IT"}
    return {"id": gid("MailingAddress", number), **told, "phone": None, **changes}


def customer(number: int, **changes: Any) -> Row:
    """A customer who answered neither question of marketing."""
    row = {
        "id": gid("Customer", number),
        "legacyResourceId": str(number),
        "firstName": "Ada",
        "lastName": f"Rossi {number}",
        "locale": "it",
        "state": "DISABLED",
        "verifiedEmail": True,
        "dataSaleOptOut": False,
        "numberOfOrders": "0",
        "tags": [],
        "createdAt": text(DAY),
        "updatedAt": text(DAY),
        "amountSpent": {"amount": "0.0", "currencyCode": "EUR"},
        "defaultEmailAddress": {"emailAddress": f"ada.{number}@example.org", "validFormat": True},
        "defaultPhoneNumber": None,
        "defaultAddress": address(number),
        "emailMarketingConsent": consent("NOT_SUBSCRIBED", None),
        "smsMarketingConsent": None,
    }
    return row | changes


def consent(state: str, at: datetime | None, level: str | None = "SINGLE_OPT_IN", **changes: Any) -> Row:
    """What a customer said to marketing on one channel."""
    return {"marketingState": state, "marketingOptInLevel": level, "consentUpdatedAt": at and text(at), **changes}


def order(number: int, buyer: Row | None, lines: int = 2, currency: str = "EUR", **changes: Any) -> Row:
    """A paid order."""
    total = f"{lines * 10}.50"
    row = {
        "id": gid("Order", number),
        "legacyResourceId": str(number),
        "name": f"#{number}",
        **dict.fromkeys(("createdAt", "processedAt", "updatedAt"), text(DAY)),
        **dict.fromkeys(("cancelledAt", "cancelReason", "closedAt", "phone")),
        "test": False,
        "sourceName": "web",
        "displayFinancialStatus": "PAID",
        "displayFulfillmentStatus": "FULFILLED",
        "currencyCode": "EUR",
        "presentmentCurrencyCode": currency,
        "email": ((buyer or {}).get("defaultEmailAddress") or {}).get("emailAddress"),
        "customerLocale": "it",
        "customerAcceptsMarketing": False,
        **{name: [] for name in ("discountCodes", "tags", "refunds")},
        "paymentGatewayNames": ["shopify_payments"],
        "customer": buyer,
        "totalPriceSet": money(total, currency),
        "currentTotalPriceSet": money(total, currency),
        **{name: money("0.0", currency) for name in ("totalDiscountsSet", "totalTaxSet", "totalRefundedSet")},
        "totalShippingPriceSet": money("0.50", currency),
        "billingAddress": address(number),
        "shippingAddress": address(number),
        "lineItems": [line("LineItem", number * 1000 + place, currency) for place in range(1, lines + 1)],
    }
    return row | changes


def line(kind: str, number: int, currency: str = "EUR", **changes: Any) -> Row:
    """One line of an order, or of a checkout."""
    told = {"sku": f"SKU-{number % 7}", "name": "Scarf", "title": "Scarf", "quantity": 1, "currentQuantity": 1}
    product = {"id": gid("Product", number % 7 + 1)}
    amounts = dict.fromkeys(("discountedTotalSet", "discountedTotalPriceSet"), money("10.00", currency))
    return {"id": gid(kind, number), **told, "product": product, **amounts, **changes}


def refund(number: int, amount: str, currency: str = "EUR") -> Row:
    """A refund of an order."""
    moments = dict.fromkeys(("createdAt", "processedAt"), text(DAY + timedelta(days=2)))
    return {
        "id": gid("Refund", number),
        "legacyResourceId": str(number),
        **moments,
        "totalRefundedSet": money(amount, currency),
    }


def checkout(number: int, buyer: Row | None, lines: int = 1, **changes: Any) -> Row:
    """A checkout that was left."""
    row = {
        "id": gid("AbandonedCheckout", number),
        "name": f"#C{number}",
        **dict.fromkeys(("createdAt", "updatedAt"), text(DAY)),
        **dict.fromkeys(("completedAt", "shippingAddress")),
        "discountCodes": [],
        "customer": buyer,
        "totalPriceSet": money(f"{lines * 10}.00"),
        "totalDiscountSet": money("0.0"),
        "billingAddress": None,
        "lineItems": [line("AbandonedCheckoutLineItem", number * 1000 + place) for place in range(1, lines + 1)],
    }
    return row | changes


def drawn(customers: int, orders: int, checkouts: int, seed: int = 7) -> tuple[list[Row], list[Row], list[Row]]:
    """A shop: a third of its rows changed in one moment, some lack what may be null, some have many lines."""
    chance = random.Random(seed)

    def at(number: int) -> str:
        return text(DAY if number % 3 == 0 else DAY + timedelta(minutes=number))

    states = ("SUBSCRIBED", "UNSUBSCRIBED", "PENDING", "NOT_SUBSCRIBED", "INVALID")
    people = []
    for n in range(1, customers + 1):
        said = consent(chance.choice(states), DAY - timedelta(days=n % 300) if n % 4 else None)
        sms = consent(chance.choice(states[:4]), DAY, consentCollectedFrom="SHOPIFY") if n % 5 == 0 else None
        phone = {"phoneNumber": f"+39347{n:07}"} if n % 5 == 0 else None
        bare = {"defaultEmailAddress": None, "firstName": None, "defaultAddress": None} if n % 11 == 0 else {}
        more = {"emailMarketingConsent": said, "smsMarketingConsent": sms, "defaultPhoneNumber": phone}
        people.append(customer(n, updatedAt=at(n), **more) | bare)
    sales = []
    for n in range(1, orders + 1):
        buyer = None if n % 13 == 0 else chance.choice(people)
        lines = 23 if n % 17 == 0 else n % 3
        back = [refund(n, "5.00")] if n % 6 == 0 else []
        sales.append(order(n, buyer, lines, chance.choice(list(CURRENCIES)), updatedAt=at(n), refunds=back))
    left = [checkout(n, chance.choice(people), 1 + n % 2, updatedAt=at(n)) for n in range(1, checkouts + 1)]
    return people, sales, left
