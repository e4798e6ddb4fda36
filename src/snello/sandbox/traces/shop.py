"""The online shop: accounts, orders (some as a guest, some by a relative on the same account), reviews.

Kept by columns; the shop emulator shapes them into the documents that its interface speaks.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from snello.sandbox.catalogue import FIRST_PRODUCT_ID, PRODUCTS, VAT
from snello.sandbox.draw import DAY_US, Draw, Ints, Mask, instants, spread
from snello.sandbox.observe import Habits, doubled, observe
from snello.sandbox.people import People
from snello.sandbox.texts import blank, choose, mapped, plain
from snello.sandbox.traces import Traces

SHARE, DOUBLES, GUESTS, RELATIVE = 0.34, 0.03, 0.09, 0.08
HABITS = Habits(
    shouted=0.06,
    no_tax_code=0.85,
    no_email=0.0,
    bad_email=0.0,
    placeholder=0.0,
    family_email=0.45,
    typo=0.015,
    no_phone=0.25,
)
GUEST_HABITS = Habits(
    shouted=0.05, no_tax_code=1.0, no_email=0.0, bad_email=0.0, placeholder=0.0, family_email=0.3, no_phone=0.3
)
BILLING = ("first_name", "last_name", "email", "phone", "street", "city", "province", "postcode")
FIRST_CUSTOMER, FIRST_ORDER, FIRST_LINE, FIRST_REVIEW = 11, 30_001, 1, 501
STATUSES = {
    "completed": 0.8,
    "processing": 0.05,
    "on-hold": 0.01,
    "cancelled": 0.05,
    "refunded": 0.04,
    "failed": 0.03,
    "pending": 0.02,
}
PAID = ("completed", "processing")
PAYMENTS = ("stripe", "paypal", "bacs", "cod", "satispay")
PICKUP_SHOPS = tuple(f"{number:05}" for number in range(101, 145))
REVIEWS = (
    (5, "Perfetto, arrivato in due giorni."), (5, "Ottima qualità, lo consiglio."), (5, "Proprio come descritto!"),
    (4, "Buono, ma la confezione era rovinata."), (4, "Bello, spedizione un po' lenta."), (3, "Nella media."),
    (2, "Mi aspettavo di più per questo prezzo."), (1, "Arrivato rotto, aspetto il rimborso."),
)  # fmt: skip


def trace(people: People, draw: Draw) -> Traces:
    """Streams customers, orders and product_reviews."""
    who, created = _accounts(people, draw)
    seen = observe(people, who, created, HABITS, draw).with_columns(
        pl.col("email").fill_null(people.frame["email"].gather(who))
    )
    # A shop lets nobody register an address twice.
    fresh = seen["email"].is_not_null() & seen["email"].str.to_lowercase().is_first_distinct()
    seen, who, created = seen.filter(fresh), who[fresh.to_numpy()], created[fresh.to_numpy()]
    traces = Traces("shop")
    numbers = np.arange(len(who)) + FIRST_CUSTOMER
    orders, guest = _orders(people, who, created, seen, draw)
    buyers = orders.filter(pl.col("status").is_in(PAID))["customer_id"]
    traces.tables["customers"] = _customers(people, who, created, seen, buyers, draw)
    traces.tables["orders"] = orders
    traces.tables["product_reviews"] = _reviews(orders, draw)
    traces.speaks("customers", pl.Series(numbers), who)
    by_guest = guest >= 0
    traces.speaks("orders", orders["id"].filter(pl.Series(by_guest)), guest[by_guest])
    return traces


def _accounts(people: People, draw: Draw) -> tuple[Ints, Ints]:
    """Who opened an account and when; a few opened two."""
    who = np.flatnonzero(draw.chance(len(people), SHARE))
    who = who[doubled(len(who), DOUBLES, draw)]
    created = draw.within(people.joined_us[who], people.active_us[who], lean=0.6)
    order = np.argsort(created, kind="stable")
    return who[order], created[order]


def _customers(
    people: People, who: Ints, created: Ints, seen: pl.DataFrame, buyers: pl.Series, draw: Draw
) -> pl.DataFrame:
    size = len(who)
    numbers = np.arange(size) + FIRST_CUSTOMER
    warm, silent = people.is_("attitude", "warm")[who], people.is_("attitude", "silent")[who]
    yes = draw.chance(size, np.where(warm, 0.82, 0.2))
    newsletter = pl.Series(np.where(yes, "yes", "no"))
    username = (
        mapped(seen["first_name"], plain)
        + "."
        + mapped(seen["last_name"], plain)
        + pl.Series(numbers % 97).cast(pl.String)
    )
    return seen.select(
        pl.Series("id", numbers),
        *BILLING,
        username.alias("username"),
        pl.Series("is_paying_customer", np.isin(numbers, buyers.to_numpy())),
        instants(created).alias("date_created_gmt"),
        instants(draw.within(created, np.maximum(created, people.active_us[who]))).alias("date_modified_gmt"),
        blank(newsletter, draw.chance(size, np.where(silent, 0.75, 0.2))).alias("newsletter"),
        pl.col("tax_code").alias("codice_fiscale"),
        _audiences(warm, silent, draw.apart("audiences")).alias("audiences"),
    )


def _audiences(warm: Mask, silent: Mask, draw: Draw) -> pl.Series:
    """The second box of the registration: advertisements at third parties that know the customer again."""
    yes = draw.chance(len(warm), np.where(warm, 0.9, np.where(silent, 0.75, 0.2)))
    return blank(pl.Series(np.where(yes, "yes", "no")), draw.chance(len(warm), np.where(silent, 0.2, 0.05)))


def _orders(people: People, who: Ints, created: Ints, accounts: pl.DataFrame, draw: Draw) -> tuple[pl.DataFrame, Ints]:
    """Orders of accounts and guests by date, and the person of each guest's order (-1: an account's)."""
    row = spread(draw.counts(0.95 * people.busy[who], len(who)))
    placed = draw.within(created[row], np.maximum(created, people.active_us[who])[row], lean=2.5)
    billing = _billing(people, who, row, accounts, draw)
    guests = np.flatnonzero(draw.chance(len(people), GUESTS) & people.frame["email"].is_not_null().to_numpy())
    guest = guests[spread(draw.counts(0.8 * people.busy[guests], len(guests)))]
    when = draw.within(people.joined_us[guest], people.active_us[guest], lean=1.5)
    seen = observe(people, guest, when, GUEST_HABITS, draw).with_columns(
        pl.col("email").fill_null(people.frame["email"].gather(guest))
    )
    at = np.concatenate([placed, when])
    order = np.argsort(at, kind="stable")
    frame = pl.concat([billing, seen.select(billing.columns)])[order]
    customer = np.concatenate([row + FIRST_CUSTOMER, np.zeros(len(guest), np.int64)])[order]
    person = np.concatenate([np.full(len(row), -1), guest])[order]
    numbers = np.arange(len(order)) + FIRST_ORDER
    head = pl.DataFrame({"id": numbers, "customer_id": customer}).hstack(_times(at[order], draw))
    return head.hstack(_baskets(len(order), draw)).hstack(frame), person


def _billing(people: People, who: Ints, row: Ints, accounts: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """The account's own address, or the name of a relative who orders on it."""
    home = people.frame["household_id"].to_numpy()
    after = np.minimum(who[row] + 1, len(people) - 1)
    relative = (home[after] == home[who[row]]) & draw.chance(len(row), RELATIVE)
    own = accounts.select("first_name", "last_name", "phone", "email", "street", "city", "province", "postcode")[row]
    mate = people.frame[after]
    return own.with_columns(
        choose(relative, mate["first_name"], own["first_name"]).alias("first_name"),
        choose(relative, mate["last_name"], own["last_name"]).alias("last_name"),
        choose(relative, mate["mobile"], own["phone"]).alias("phone"),
    )


def _times(at: Ints, draw: Draw) -> pl.DataFrame:
    size = len(at)
    status = draw.pick(list(STATUSES), size, list(STATUSES.values()))
    unpaid = status.is_in(["pending", "failed", "cancelled", "on-hold"]).to_numpy()
    paid = instants(at + draw.ints(20, 900, size) * 1_000_000)
    modified = np.minimum(at + (draw.rng.random(size) ** 3 * 12 * DAY_US).astype(np.int64), draw.as_of_us - 1_000_000)
    return pl.DataFrame(
        {
            "status": status,
            "date_created_gmt": instants(at),
            "date_modified_gmt": instants(np.maximum(at, modified)),
            "date_paid_gmt": paid.set(pl.Series(unpaid), None),
            "payment_method": draw.pick(PAYMENTS, size, (0.4, 0.3, 0.1, 0.08, 0.12)),
        }
    )


def _baskets(size: int, draw: Draw) -> pl.DataFrame:
    """Line items and the totals that follow from them, in cents without tax."""
    row = spread(1 + draw.counts(0.7, size))
    lines = len(row)
    popularity = 1.0 / np.arange(2, len(PRODUCTS) + 2)
    product = draw.index(popularity, lines)
    quantity = 1 + draw.index((0.85, 0.11, 0.04), lines)
    net = np.round(np.array([p.cents for p in PRODUCTS])[product] / (1 + VAT)).astype(np.int64) * quantity
    coupon = draw.chance(size, 0.11)
    total = np.where(coupon[row], net - net // 10, net)
    frame = pl.DataFrame(
        {
            "row": row,
            "line": pl.DataFrame(
                {
                    "id": np.arange(lines) + FIRST_LINE,
                    "product": product,
                    "quantity": quantity,
                    "subtotal": net,
                    "total": total,
                }
            ).to_struct(),
        }
    )
    bounds = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=size))])
    starts = bounds[:-1]
    goods, before = np.add.reduceat(total, starts), np.add.reduceat(net, starts)
    shipping = np.where(goods > 8_000, 0, 590)
    tax = np.round((goods + shipping) * VAT).astype(np.int64)
    return pl.DataFrame(
        {
            "line_items": frame.group_by("row", maintain_order=True).agg("line")["line"],
            "total_cents": goods + shipping + tax,
            "tax_cents": tax,
            "shipping_cents": shipping,
            "discount_cents": before - goods,
            "pickup_shop": blank(draw.pick(PICKUP_SHOPS, size), ~draw.chance(size, 0.18)),
        }
    )


def _reviews(orders: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """Some of the completed orders are reviewed, by name and address of the bill."""
    done = (orders["status"] == "completed").to_numpy() & draw.chance(orders.height, 0.13)
    of = orders.filter(pl.Series(done))
    size = of.height
    text = pl.Series(draw.index((0.22, 0.2, 0.16, 0.12, 0.12, 0.08, 0.05, 0.05), size))
    at = of["date_created_gmt"].cast(pl.Int64).to_numpy() + draw.ints(3, 40, size) * DAY_US
    when = np.minimum(at, draw.as_of_us - 3_600_000_000)
    product = of["line_items"].list.first().struct.field("product")
    frame = pl.DataFrame(
        {
            "product_id": product + FIRST_PRODUCT_ID,
            "rating": text.replace_strict(dict(enumerate(stars for stars, _ in REVIEWS)), return_dtype=pl.Int64),
            "review": text.replace_strict(dict(enumerate(words for _, words in REVIEWS)), return_dtype=pl.String),
            "reviewer": of["first_name"] + " " + of["last_name"].str.slice(0, 1) + ".",
            "reviewer_email": of["email"],
            "verified": draw.chance(size, 0.9),
            "status": draw.pick(["approved", "hold"], size, (0.95, 0.05)),
            "date_created_gmt": instants(when),
        }
    ).sort("date_created_gmt", maintain_order=True)
    return frame.select(pl.Series("id", np.arange(size) + FIRST_REVIEW), pl.all())
