"""The store credit and the gift cards of a small Medusa shop, each made from its number."""

from __future__ import annotations

from snello.sandbox.emulators.medusa_rows import Row, dated, key


def account(number: int) -> Row:
    """An account of store credit; every fifth stands behind a gift card and has no owner."""
    return {
        "id": key("sc_acc", number),
        "code": f"SC-{number:04}",
        "customer_id": None if number % 5 == 4 else key("cus", 10 + number),
        "currency_code": "eur",
        "metadata": None,
        **dated(number),
    }


def booking(number: int) -> Row:
    """A booking; two of each account, the second takes a little off."""
    return {
        "id": key("sc_trx", number),
        "account_id": key("sc_acc", number // 2),
        "type": "debit" if number % 2 else "credit",
        "amount": 0.1 if number % 2 else 25.5 + number,
        "reference": "order" if number % 2 else "user",
        "reference_id": key("order", number),
        "note": None,
        "metadata": None,
        **dated(number),
    }


def gift_card(number: int) -> Row:
    """A gift card; every fifth was redeemed, every other bought with an order, the rest given away."""
    redeemed = number % 5 == 4
    return {
        "id": key("gcard", number),
        "status": "redeemed" if redeemed else "pending",
        "code": f"GIFT-{number:04}",
        "value": 50 + number / 10,
        "currency_code": "eur",
        "line_item_id": key("ordli", number * 5) if number % 2 == 0 else None,
        "reference": None,
        "reference_id": None,
        "expires_at": "2027-12-31T23:00:00.000Z" if number % 2 else None,
        "note": None,
        "metadata": None,
        "store_credit_account": {"id": key("sc_acc", number)} if redeemed else None,
        **dated(number),
    }
