"""Rows of the shop as WooCommerce's documents."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from snello.sandbox.catalogue import FIRST_PRODUCT_ID, PRODUCTS
from snello.sandbox.emulators.shop_query import SITE_ZONE

Row = dict[str, Any]

PAYMENT_TITLES = {
    "stripe": "Carta di credito",
    "paypal": "PayPal",
    "bacs": "Bonifico bancario",
    "cod": "Contrassegno",
    "satispay": "Satispay",
}


def _customer(row: Row) -> Row:
    meta = [(f"_{name}", row.get(name)) for name in ("newsletter", "codice_fiscale", "audiences")]
    return {
        "id": row["id"],
        **_moments(row, "date_created", "date_modified"),
        "email": row["email"],
        "first_name": _text(row["first_name"]),
        "last_name": _text(row["last_name"]),
        "role": "customer",
        "username": row["username"],
        "billing": _billing(row),
        "shipping": _shipping(row),
        "is_paying_customer": row["is_paying_customer"],
        "avatar_url": "https://avatar.example/0",
        "meta_data": _meta(row["id"], meta),
    }


def _order(row: Row) -> Row:
    return {
        "id": row["id"],
        "parent_id": 0,
        "number": str(row["id"]),
        "order_key": f"wc_order_{row['id']:x}",
        "created_via": "checkout",
        "version": "9.4.2",
        "status": row["status"],
        "currency": "EUR",
        **_moments(row, "date_created", "date_modified", "date_paid"),
        "discount_total": _money(row["discount_cents"]),
        "shipping_total": _money(row["shipping_cents"]),
        "total": _money(row["total_cents"]),
        "total_tax": _money(row["tax_cents"]),
        "prices_include_tax": True,
        "customer_id": row["customer_id"],
        "customer_note": "",
        "billing": _billing(row),
        "shipping": _shipping(row),
        "payment_method": row["payment_method"],
        "payment_method_title": PAYMENT_TITLES[row["payment_method"]],
        "meta_data": _meta(row["id"], [("_pickup_shop", row["pickup_shop"])]),
        "line_items": [_line(line) for line in row["line_items"]],
        "coupon_lines": _coupons(row),
        "refunds": _refunds(row),
    }


def _review(row: Row) -> Row:
    product = PRODUCTS[row["product_id"] - FIRST_PRODUCT_ID]
    return {
        "id": row["id"],
        **_moments(row, "date_created"),
        "product_id": row["product_id"],
        "product_name": product.name,
        "status": row["status"],
        "reviewer": row["reviewer"],
        "reviewer_email": row["reviewer_email"],
        "review": f"<p>{row['review']}</p>\n",
        "rating": row["rating"],
        "verified": row["verified"],
    }


SHAPES: dict[str, Callable[[Row], Row]] = {"customers": _customer, "orders": _order, "product_reviews": _review}


def _moments(row: Row, *names: str) -> Row:
    """Each moment twice, without an offset, as WordPress writes it: in the site's zone, and in GMT."""
    found: Row = {}
    for name in names:
        moment: datetime | None = row[f"{name}_gmt"]
        zones = {name: SITE_ZONE, f"{name}_gmt": UTC}
        for field, zone in zones.items():
            found[field] = moment.astimezone(zone).replace(tzinfo=None).isoformat() if moment else None
    return found


def modified(moment: datetime) -> Row:
    """The moment of a change, as a document shows it."""
    return _moments({"date_modified_gmt": moment}, "date_modified")


def _text(value: str | None) -> str:
    return value or ""


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _meta(owner: int, values: list[tuple[str, str | None]]) -> list[Row]:
    return [{"id": owner * 10 + n, "key": key, "value": value} for n, (key, value) in enumerate(values) if value]


def _shipping(row: Row) -> Row:
    return {
        "first_name": _text(row["first_name"]),
        "last_name": _text(row["last_name"]),
        "company": "",
        "address_1": _text(row["street"]),
        "address_2": "",
        "city": _text(row["city"]),
        "state": _text(row["province"]),
        "postcode": _text(row["postcode"]),
        "country": "IT",
    }


def _billing(row: Row) -> Row:
    return _shipping(row) | {"email": _text(row["email"]), "phone": _text(row["phone"])}


def _line(line: Row) -> Row:
    product = PRODUCTS[line["product"]]
    return {
        "id": line["id"],
        "name": product.name,
        "product_id": FIRST_PRODUCT_ID + line["product"],
        "variation_id": 0,
        "quantity": line["quantity"],
        "subtotal": _money(line["subtotal"]),
        "total": _money(line["total"]),
        "sku": product.sku,
        "price": round(line["total"] / line["quantity"] / 100, 2),
    }


def _coupons(row: Row) -> list[Row]:
    if not row["discount_cents"]:
        return []
    return [{"id": row["id"] * 10 + 1, "code": "benvenuto10", "discount": _money(row["discount_cents"])}]


def _refunds(row: Row) -> list[Row]:
    """The refunds of an order as the order itself shows them."""
    return [
        {"id": refund["id"], "reason": refund["reason"], "total": f"-{refund['amount']}"} for refund in refunds(row)
    ]


def refunds(row: Row) -> list[Row]:
    """The refunds of an order, as documents of their own."""
    if row["status"] != "refunded":
        return []
    lines = [
        {**_line(line), "quantity": -line["quantity"], "total": f"-{_money(line['total'])}"}
        for line in row["line_items"]
    ]
    return [
        {
            "id": row["id"] * 10 + 2,
            "parent_id": row["id"],
            **_moments(row | {"date_created_gmt": row["date_modified_gmt"]}, "date_created"),
            "amount": _money(row["total_cents"]),
            "reason": "",
            "refunded_by": 1,
            "refunded_payment": row["payment_method"] in ("stripe", "paypal"),
            "meta_data": [],
            "line_items": lines,
        }
    ]
