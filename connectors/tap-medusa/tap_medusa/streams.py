"""The endpoints of Medusa's Admin API that tell of customers and their money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from snello.kit.rest import Compare, Values
from tap_medusa.stream import Changing, MedusaStream

PAID = ("id", "provider_id", "amount", "captured_at", "refunds.id", "refunds.amount", "refunds.created_at")


class Customers(MedusaStream):
    """One row a customer, guests too. Compared: addresses and groups move no moment, and who is deleted vanishes."""

    name, path, compare = "customers", "/customers", Compare(item="/customers/{id}")
    asked: ClassVar[Mapping[str, str]] = {"addresses": "*addresses", "groups": "groups.id,groups.name"}
    values = Values(left_out=("deleted_at",))


class Orders(Changing):
    """One row an order, with lines, payments and refunds; drafts are none."""

    name, path = "orders", "/orders"
    asked: ClassVar[Mapping[str, str]] = {
        "items": "*items",
        "shipping_address": "*shipping_address",
        "billing_address": "*billing_address",
        "paid_total": "summary.paid_total",
        "refunded_total": "summary.refunded_total",
        "credit_lines": "credit_lines.id,credit_lines.amount,credit_lines.reference,credit_lines.reference_id",
        "payment_collections": ",".join(f"payment_collections.payments.{name}" for name in PAID),
    }
    values = Values(
        nested={"paid_total": "summary.paid_total", "refunded_total": "summary.refunded_total"},
        left_out=("summary",),
    )


class Returns(Changing):
    """One row a return, with its lines."""

    name, path = "returns", "/returns"
    asked: ClassVar[Mapping[str, str]] = {
        "items": "items.id,items.item_id,items.quantity,items.received_quantity,items.reason.label"
    }


class StoreCreditAccounts(MedusaStream):
    """One row an account of store credit. Compared: a booking changes its balance and moves no moment."""

    name, path = "store_credit_accounts", "/store-credit-accounts"
    compare = Compare(item="/store-credit-accounts/{id}")


class StoreCreditTransactions(MedusaStream):
    """One row a booking, of the accounts that changed since the last run."""

    name, path = "store_credit_transactions", "/store-credit-accounts/{account_id}/transactions"
    parent, by, records_at = StoreCreditAccounts, {"account_id": "id"}, "transactions"


class GiftCards(Changing):
    """One row a gift card."""

    name, path = "gift_cards", "/gift-cards"
    asked: ClassVar[Mapping[str, str]] = {"store_credit_account_id": "store_credit_account.id"}
    values = Values(nested={"store_credit_account_id": "store_credit_account.id"}, left_out=("store_credit_account",))
