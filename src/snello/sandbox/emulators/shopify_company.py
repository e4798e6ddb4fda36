"""The shop of a generated company as a Shopify shop would hold it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from snello.errors import ConfigError
from snello.sandbox.catalogue import FIRST_PRODUCT_ID, PRODUCTS
from snello.sandbox.emulators.shopify_rows import Row, address, consent, customer, gid, money, order, refund, text
from snello.sandbox.emulators.shopify_store import ShopifyStore

# what WooCommerce calls the states of an order, as Shopify says whether it is paid; the cancelled ones below too
PAID = {"completed": "PAID", "processing": "PAID", "on-hold": "PENDING", "pending": "PENDING", "refunded": "REFUNDED"}


def of_company(company: Path, **given: Any) -> ShopifyStore:
    """The shop in the folder of a company; ``given`` goes to the store. Raises ``ConfigError`` without a company."""
    tables = {}
    for name in ("customers", "orders"):
        path = company / "shop" / f"{name}.arrow"
        if not path.exists():
            raise ConfigError("shopify", f"no {path.name} in {path.parent}", "make the company with `snello demo up`")
        tables[name] = pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    return of_tables(tables["customers"], tables["orders"], **given)


def of_tables(customers: pa.Table, orders: pa.Table, **given: Any) -> ShopifyStore:
    """A shop of customers and orders; orders of guests have no customer."""
    people = [_customer(row) for row in customers.to_pylist()]
    known = {row["legacyResourceId"]: row for row in people}
    sales = [_order(row, known.get(str(row["customer_id"]))) for row in orders.to_pylist()]
    return ShopifyStore(people, sales, [], **given)


def _customer(row: Row) -> Row:
    said = {"yes": "SUBSCRIBED", "no": "UNSUBSCRIBED"}.get(row["newsletter"] or "", "NOT_SUBSCRIBED")
    at = None if said == "NOT_SUBSCRIBED" else row["date_modified_gmt"] or row["date_created_gmt"]
    return customer(
        row["id"],
        firstName=row["first_name"],
        lastName=row["last_name"],
        createdAt=text(row["date_created_gmt"]),
        updatedAt=text(row["date_modified_gmt"] or row["date_created_gmt"]),
        defaultEmailAddress={"emailAddress": row["email"], "validFormat": True} if row["email"] else None,
        defaultPhoneNumber={"phoneNumber": row["phone"]} if row["phone"] else None,
        defaultAddress=_address(row),
        emailMarketingConsent=consent(said, at),
    )


def _order(row: Row, buyer: Row | None) -> Row:
    changed = text(row["date_modified_gmt"] or row["date_created_gmt"])
    cancelled = row["status"] in ("cancelled", "failed")
    back = [refund(row["id"], _amount(row["total_cents"]))] if row["status"] == "refunded" else []
    where = _address(row)
    return order(
        row["id"],
        buyer,
        lines=0,
        **dict.fromkeys(("createdAt", "processedAt"), text(row["date_created_gmt"])),
        updatedAt=changed,
        cancelledAt=changed if cancelled else None,
        cancelReason="CUSTOMER" if cancelled else None,
        displayFinancialStatus=PAID.get(row["status"], "VOIDED"),
        email=row["email"],
        phone=row["phone"],
        paymentGatewayNames=[row["payment_method"]],
        billingAddress=where,
        shippingAddress=where,
        refunds=back,
        totalPriceSet=money(_amount(row["total_cents"])),
        currentTotalPriceSet=money(_amount(0 if back else row["total_cents"])),
        totalDiscountsSet=money(_amount(row["discount_cents"])),
        totalShippingPriceSet=money(_amount(row["shipping_cents"])),
        totalTaxSet=money(_amount(row["tax_cents"])),
        totalRefundedSet=money(_amount(row["total_cents"] if back else 0)),
        lineItems=[_line(line) for line in row["line_items"]],
    )


def _line(line: Row) -> Row:
    product = PRODUCTS[line["product"]]
    return {
        "id": gid("LineItem", line["id"]),
        "sku": product.sku,
        "name": product.name,
        **dict.fromkeys(("quantity", "currentQuantity"), line["quantity"]),
        "product": {"id": gid("Product", FIRST_PRODUCT_ID + line["product"])},
        "discountedTotalSet": money(_amount(line["total"])),
    }


def _address(row: Row) -> Row:
    told = {"firstName": row["first_name"], "lastName": row["last_name"], "address1": row["street"]}
    told |= {"city": row["city"], "provinceCode": row["province"], "zip": row["postcode"], "phone": row["phone"]}
    return address(row["id"], **told)


def _amount(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
