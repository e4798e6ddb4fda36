"""The rows of a small Medusa shop, each made from its number: nulls, ties, odd texts and amounts with many digits."""

from __future__ import annotations

from collections.abc import Callable

from snello.sandbox.emulators.medusa_credit import account, booking, gift_card
from snello.sandbox.emulators.medusa_rows import Row, amount, dated, key, moment


def address(number: int, prefix: str = "cuaddr") -> Row:
    """A postal address; ``cuaddr`` of a customer, ``ordaddr`` of an order."""
    own = {"address_name": "Home", "is_default_shipping": True, "is_default_billing": True}
    return {
        "id": key(prefix, number),
        **(own if prefix == "cuaddr" else {}),
        "customer_id": key("cus", number) if prefix == "cuaddr" else None,
        "company": None,
        "first_name": f"Name{number}",
        "last_name": f"Family{number}",
        "address_1": f"Via Roma {number}",
        "address_2": None,
        "city": "Milano",
        "country_code": "it",
        "province": "MI",
        "postal_code": "20121",
        "phone": f"+39 02 {number:06}" if number % 4 == 0 else None,
        "metadata": None,
        **dated(number),
    }


def customer(number: int) -> Row:
    """An account, or a guest with or without an address of an account."""
    gold = {"id": key("cusgroup", 1), "name": "Gold", "metadata": None, "created_by": None, **dated(0)}
    shared = number - 1 if number % 50 == 2 else number  # a guest with the e-mail address of an account
    return {
        "id": key("cus", number),
        "company_name": f"Company {number}" if number % 20 == 0 else None,
        "first_name": None if number % 7 == 0 else "Zoë “Zo”" if number == 5 else f"Name{number}",
        "last_name": "" if number % 9 == 0 else f"Family{number}",
        "email": "canary.bird@example.org" if number == 0 else None if number == 3 else f"customer{shared}@example.org",
        "phone": None if number % 3 == 0 else f"+39 347 00{number:05}",
        "has_account": number % 4 == 1,
        "metadata": {"newsletter": True, "sizes": [39, 40.5]} if number % 10 == 0 else None,
        "created_by": None,
        "addresses": [address(number)] if number % 2 == 0 else [],
        "groups": [gold] if number % 10 == 0 else [],
        **dated(number),
    }


def order(number: int) -> Row:
    """An order, some of them of nobody, in yen, cancelled, or partly given back."""
    quantity, refunded = 1 + number % 3, 2.55 if number % 10 == 0 else 0
    item_total = round(19.99 * quantity * 1.22, 4)
    shipping = 4.9 if number % 2 == 0 else 0
    paid = 10 if number % 5 == 0 else 0
    refund = {"id": key("ref", number), **amount("amount", refunded), "created_at": moment(number)}
    payment = {
        "id": key("pay", number),
        "provider_id": "pp_system_default",
        **amount("amount", 10),
        "captured_at": moment(number),
        "refunds": [refund] if refunded else [],
    }
    line = {
        "id": key("ordli", number),
        "title": "Caffè in grani 1 kg",
        "product_id": key("prod", number % 5) if number % 4 else None,
        "variant_id": None,
        "variant_sku": f"SKU-{number % 5}" if number % 7 else None,
        "quantity": quantity,
        "is_giftcard": False,
        **amount("unit_price", 19.99),
        **amount("total", item_total),
        **amount("discount_total", 0),
    }
    return {
        "id": key("order", number),
        "display_id": number + 1,
        "status": "canceled" if number % 11 == 0 else "completed" if number % 5 == 0 else "pending",
        "payment_status": "partially_refunded" if refunded else "captured" if paid else "not_paid",
        "fulfillment_status": "not_fulfilled",
        "version": 1,
        "email": "canary.bird@example.org" if number == 0 else f"customer{number % 100}@example.org",
        "customer_id": None if number % 13 == 0 else key("cus", number % 100),
        "currency_code": "jpy" if number % 15 == 0 else "eur",
        "region_id": key("reg", 1),
        "sales_channel_id": None,
        "metadata": {"pickup_shop": "00102"} if number % 30 == 0 else None,
        "canceled_at": moment(number) if number % 11 == 0 else None,
        "total": round(item_total + shipping - refunded, 4),
        "item_total": item_total,
        "shipping_total": shipping,
        "tax_total": round(19.99 * quantity * 0.22, 4),
        "discount_total": 0,
        "credit_line_total": refunded,
        "summary": {**amount("paid_total", paid), **amount("refunded_total", refunded)},
        "items": [line],
        "shipping_address": address(number, "ordaddr"),
        "billing_address": address(number, "ordaddr") if number % 8 else None,
        "credit_lines": [{"id": key("ordcl", number), **amount("amount", refunded), "reference": "payment_collection"}]
        if refunded
        else [],
        "payment_collections": [{"id": key("pay_col", number), "payments": [payment]}] if paid else [],
        **dated(number),
    }


def returned(number: int) -> Row:
    """A return of one piece."""
    line = {
        "id": key("retitem", number),
        "item_id": key("ordli", number * 3),
        "quantity": 1,
        "received_quantity": number % 2,
        "note": "Does not fit",
        "reason": {"label": "Too small"} if number % 2 else None,
    }
    return {
        "id": key("return", number),
        "order_id": key("order", number * 3),
        "exchange_id": None,
        "claim_id": None,
        "display_id": number + 1,
        "status": ("requested", "received", "canceled")[number % 3],
        "refund_amount": 2.55 if number % 3 == 1 else None,
        "items": [line],
        "metadata": None,
        "requested_at": None,
        "received_at": moment(number) if number % 3 == 1 else None,
        "canceled_at": moment(number) if number % 3 == 2 else None,
        **dated(number),
    }


MAKES: dict[str, tuple[str, Callable[[int], Row]]] = {
    "customers": ("cus", customer),
    "orders": ("order", order),
    "returns": ("return", returned),
    "store_credit_accounts": ("sc_acc", account),
    "transactions": ("sc_trx", booking),
    "gift_cards": ("gcard", gift_card),
}
