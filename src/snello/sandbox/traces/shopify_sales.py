"""What the merchandise shop at Shopify sold: orders, refunds, checkouts that were left."""

from __future__ import annotations

import numpy as np
import polars as pl

from snello.sandbox.catalogue import PRODUCTS
from snello.sandbox.draw import DAY_US, Draw, Ints, instants, spread
from snello.sandbox.people import People
from snello.sandbox.texts import blank

ORDERS, GUESTS, COUNTER, TESTS, GONE_PRODUCT = 0.85, 0.011, 0.04, 0.004, 0.02
STATES = {"PAID": 0.95, "CANCELLED": 0.03, "PENDING": 0.02}
REFUNDED, WHOLLY = 0.045, 0.4
# Shopify keeps a checkout that nobody finished for three months.
LEFT, LEFT_DAYS, FINISHED = 0.11, 90, 0.12
FIRST_ORDER, FIRST_REFUND, FIRST_CHECKOUT, FIRST_LINE, FIRST_LEFT_LINE = 50_001, 3_001, 90_001, 400_001, 4_000_001
MERCHANDISE = tuple(
    number
    for number, product in enumerate(PRODUCTS)
    if product.name.endswith("Aurora") or product.name.startswith(("Modellino", "Borraccia", "Adesivi"))
)
SHIPPING_CENTS, FREE_FROM_CENTS = 490, 6_000
PLACE = ("street", "city", "province", "postcode")
BILLING = ("first_name", "last_name", "email", "phone", *PLACE)


def guests(people: People, draw: Draw) -> tuple[Ints, Ints]:
    """Who ordered by a form at a fair, which makes nobody a customer, and when."""
    who = np.flatnonzero(draw.chance(len(people), GUESTS) & people.frame["email"].is_not_null().to_numpy())
    return who, draw.within(people.joined_us[who], people.active_us[who], lean=1.5)


def orders(
    people: People, customers: pl.DataFrame, who: Ints, strangers: tuple[Ints, Ints, pl.DataFrame], draw: Draw
) -> tuple[pl.DataFrame, Ints]:
    """Orders by date, and who a guest is (-1: a customer's order, or one at the counter that names nobody)."""
    guest, when, told = strangers
    row = spread(draw.counts(ORDERS * people.busy[who], len(who)))
    began = customers["created_at"].cast(pl.Int64).to_numpy()
    placed = draw.within(began[row], np.maximum(began, people.active_us[who])[row], lean=2.0)
    at = np.concatenate([placed, when])
    order = np.argsort(at, kind="stable")
    size = len(order)
    billing = pl.concat([customers[row].select(BILLING), told.select(BILLING)])[order]
    customer = np.concatenate([customers["id"].to_numpy()[row], np.zeros(len(guest), np.int64)])[order]
    person = np.concatenate([np.full(len(row), -1), guest])[order]
    by_customer = person < 0
    nobody = by_customer & draw.chance(size, COUNTER)
    source = np.select([nobody, by_customer], ["pos", "web"], "shopify_draft_order")
    frame = pl.DataFrame(
        {
            "id": np.arange(size) + FIRST_ORDER,
            "customer_id": np.where(nobody, 0, customer),
            **{name: blank(billing[name], nobody) for name in BILLING},
            "source_name": pl.Series(source, dtype=pl.String),
            "is_test": by_customer & draw.chance(size, TESTS),
            "state": draw.pick(list(STATES), size, list(STATES.values())),
            "payment_method": draw.pick(["shopify_payments", "paypal"], size, (0.7, 0.3)),
            "created_at": instants(at[order]),
            "updated_at": instants(_after(at[order], 12, draw)),
        }
    )
    return frame.hstack(_baskets(size, FIRST_LINE, draw)), person


def _after(moments: Ints, days: int, draw: Draw) -> Ints:
    """Moments some days later, mostly soon, and never in the future."""
    later = moments + (draw.rng.random(len(moments)) ** 3 * days * DAY_US).astype(np.int64)
    return np.maximum(moments, np.minimum(later, draw.as_of_us - DAY_US))


def _baskets(size: int, first: int, draw: Draw) -> pl.DataFrame:
    """Lines, and the cents with tax that follow from them; the product of some lines is sold no more."""
    row = spread(1 + draw.counts(0.6, size))
    lines = len(row)
    product = np.array(MERCHANDISE)[draw.index(1.0 / np.arange(2, len(MERCHANDISE) + 2), lines)]
    quantity = 1 + draw.index((0.86, 0.11, 0.03), lines)
    full = np.array([each.cents for each in PRODUCTS])[product] * quantity
    coupon = draw.chance(size, 0.15)
    cents = np.where(coupon[row], full - full // 10, full)
    line = pl.DataFrame(
        {
            "id": np.arange(lines) + first,
            "product": product,
            "quantity": quantity,
            "cents": cents,
            "is_gone": draw.chance(lines, GONE_PRODUCT),
        }
    )
    grouped = pl.DataFrame({"row": row, "line": line.to_struct()}).group_by("row", maintain_order=True).agg("line")
    goods, before = (np.bincount(row, each, size).astype(np.int64) for each in (cents, full))
    shipping = np.where(goods >= FREE_FROM_CENTS, 0, SHIPPING_CENTS)
    return pl.DataFrame(
        {
            "lines": grouped["line"],
            "total_cents": goods + shipping,
            "shipping_cents": shipping,
            "discount_cents": before - goods,
        }
    )


def refunds(sold: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """Some of the paid orders are given back, wholly or a third of them."""
    chosen = (sold["state"] == "PAID").to_numpy() & draw.chance(sold.height, REFUNDED)
    of = sold.filter(pl.Series(chosen))
    cents = of["total_cents"].to_numpy()
    return pl.DataFrame(
        {
            "id": np.arange(of.height) + FIRST_REFUND,
            "order_id": of["id"],
            "cents": np.where(draw.chance(of.height, WHOLLY), cents, cents // 3),
            "created_at": of["updated_at"],
        }
    )


def checkouts(people: People, customers: pl.DataFrame, who: Ints, draw: Draw) -> pl.DataFrame:
    """Checkouts of the last months by date; a few were finished after all, and stand among the orders."""
    since = draw.as_of_us - LEFT_DAYS * DAY_US
    began = np.maximum(customers["created_at"].cast(pl.Int64).to_numpy(), since)
    lately = (people.active_us[who] > began) & ~customers["is_erased"].to_numpy()
    row = np.flatnonzero(lately)[spread(draw.counts(LEFT * people.busy[who][lately], int(lately.sum())))]
    at = draw.within(began[row], people.active_us[who][row])
    order = np.argsort(at, kind="stable")
    row, at = row[order], at[order]
    size = len(row)
    return pl.DataFrame(
        {
            "id": np.arange(size) + FIRST_CHECKOUT,
            "customer_id": customers["id"].to_numpy()[row],
            "created_at": instants(at),
            "completed_at": blank(
                instants(np.minimum(at + 1_200_000_000, draw.as_of_us - 1_000_000)), ~draw.chance(size, FINISHED)
            ),
        }
    ).hstack(_baskets(size, FIRST_LEFT_LINE, draw))
