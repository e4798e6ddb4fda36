"""The merchandise shop of a generated company, as Shopify holds it."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from starlette.types import ASGIApp

from snello.sandbox.catalogue import FIRST_PRODUCT_ID, PRODUCTS, VAT
from snello.sandbox.emulators.company_tables import tables_of
from snello.sandbox.emulators.shopify import shopify
from snello.sandbox.emulators.shopify_cost import Bucket
from snello.sandbox.emulators.shopify_rows import (
    Row,
    address,
    checkout,
    consent,
    customer,
    gid,
    money,
    order,
    refund,
    text,
)
from snello.sandbox.emulators.shopify_store import ShopifyStore
from snello.sandbox.emulators.watch import CALM, Weather

TABLES = ("customers", "orders", "refunds", "abandoned_checkouts")
# points of the plan for enterprises
POINTS, POINTS_A_SECOND = 20_000, 1_000


def of_company(company: Path, *, weather: Weather = CALM) -> ASGIApp:
    """The shop in the folder of a company. Raises ``ConfigError`` without a company."""
    return shopify(store_of(company), weather=weather, home=str(company.parent.resolve()))


def store_of(company: Path) -> ShopifyStore:
    """What the shop holds; an order without a customer is of nobody that the shop knows."""
    tables = {name: table.to_pylist() for name, table in tables_of(company, "shopify", TABLES).items()}
    known = {row["id"]: _customer(row) for row in tables["customers"]}
    back: dict[int, list[Row]] = defaultdict(list)
    for row in tables["refunds"]:
        back[row["order_id"]].append(row)
    sales = [_order(row, known.get(row["customer_id"]), back[row["id"]]) for row in tables["orders"]]
    left = [_checkout(row, known.get(row["customer_id"])) for row in tables["abandoned_checkouts"]]
    return ShopifyStore(list(known.values()), sales, left, bucket=Bucket(POINTS, POINTS_A_SECOND))


def _customer(row: Row) -> Row:
    named = row["is_named"] and not row["is_erased"]
    valid = row["email_state"] != "INVALID"
    sms = consent(row["sms_state"], row["sms_said_at"], consentCollectedFrom="SHOPIFY") if row["sms_state"] else None
    return customer(
        row["id"],
        firstName=row["first_name"] if named else None,
        lastName=row["last_name"] if named else None,
        createdAt=text(row["created_at"]),
        updatedAt=text(row["updated_at"]),
        defaultEmailAddress={"emailAddress": row["email"], "validFormat": valid} if row["email"] else None,
        defaultPhoneNumber={"phoneNumber": row["own_phone"]} if row["own_phone"] else None,
        defaultAddress=_address(row) if row["street"] else None,
        emailMarketingConsent=consent(row["email_state"], row["email_said_at"], row["email_level"]),
        smsMarketingConsent=sms,
    )


def _order(row: Row, buyer: Row | None, refunds: list[Row]) -> Row:
    where = _address(row) if row["last_name"] else None
    total, given_back = row["total_cents"], sum(each["cents"] for each in refunds)
    cancelled = row["state"] == "CANCELLED"
    paid = {"CANCELLED": "VOIDED", "PENDING": "PENDING"}.get(row["state"], "PAID")
    if given_back:
        paid = "REFUNDED" if given_back == total else "PARTIALLY_REFUNDED"
    changed = max([row["updated_at"], *(each["created_at"] for each in refunds)])
    return order(
        row["id"],
        buyer,
        lines=0,
        **dict.fromkeys(("createdAt", "processedAt"), text(row["created_at"])),
        updatedAt=text(changed),
        cancelledAt=text(changed) if cancelled else None,
        cancelReason="CUSTOMER" if cancelled else None,
        test=row["is_test"],
        sourceName=row["source_name"],
        displayFinancialStatus=paid,
        email=row["email"],
        paymentGatewayNames=["cash" if row["source_name"] == "pos" else row["payment_method"]],
        **dict.fromkeys(("billingAddress", "shippingAddress"), where),
        refunds=[_refund(each) for each in refunds],
        totalPriceSet=_money(total),
        currentTotalPriceSet=_money(total - given_back),
        totalDiscountsSet=_money(row["discount_cents"]),
        totalShippingPriceSet=_money(row["shipping_cents"]),
        totalTaxSet=_money(round(total * VAT / (1 + VAT))),
        totalRefundedSet=_money(given_back),
        lineItems=[_line("LineItem", line) for line in row["lines"]],
    )


def _refund(row: Row) -> Row:
    return refund(row["id"], _amount(row["cents"])) | dict.fromkeys(
        ("createdAt", "processedAt"), text(row["created_at"])
    )


def _checkout(row: Row, buyer: Row | None) -> Row:
    return checkout(
        row["id"],
        buyer,
        lines=0,
        **dict.fromkeys(("createdAt", "updatedAt"), text(row["completed_at"] or row["created_at"])),
        completedAt=text(row["completed_at"]) if row["completed_at"] else None,
        totalPriceSet=_money(row["total_cents"]),
        totalDiscountSet=_money(row["discount_cents"]),
        billingAddress=buyer and buyer["defaultAddress"],
        lineItems=[_line("AbandonedCheckoutLineItem", line) for line in row["lines"]],
    )


def _line(kind: str, line: Row) -> Row:
    """One line; a product that is sold no more is named, and leads nowhere."""
    product = PRODUCTS[line["product"]]
    return {
        "id": gid(kind, line["id"]),
        "sku": product.sku,
        **dict.fromkeys(("name", "title"), product.name),
        **dict.fromkeys(("quantity", "currentQuantity"), line["quantity"]),
        "product": None if line["is_gone"] else {"id": gid("Product", FIRST_PRODUCT_ID + line["product"])},
        **dict.fromkeys(("discountedTotalSet", "discountedTotalPriceSet"), _money(line["cents"])),
    }


def _address(row: Row) -> Row:
    told = {"firstName": row["first_name"], "lastName": row["last_name"], "address1": row["street"]}
    told |= {"city": row["city"], "provinceCode": row["province"], "zip": row["postcode"], "phone": row["phone"]}
    return address(row["id"], **told)


def _money(cents: int) -> Row:
    return money(_amount(cents))


def _amount(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
