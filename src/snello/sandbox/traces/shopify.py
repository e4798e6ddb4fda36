"""The merchandise shop, at Shopify: customers with their consents, orders with refunds, checkouts that were left.

Kept by columns; the emulator shapes them into the rows that Shopify's interface speaks.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from snello.sandbox.draw import Draw, Ints, Mask, instants
from snello.sandbox.observe import Habits, doubled, observe
from snello.sandbox.people import People
from snello.sandbox.texts import blank, choose
from snello.sandbox.traces import Traces
from snello.sandbox.traces.shopify_sales import BILLING, PLACE, checkouts, guests, orders, refunds

SHARE, DOUBLES, UNNAMED, ERASED, WITH_PHONE = 0.088, 0.03, 0.03, 0.02, 0.45
HABITS = Habits(
    shouted=0.05, no_tax_code=1.0, no_email=0.0, bad_email=0.0, placeholder=0.0, family_email=0.2, typo=0.012
)
FIRST_CUSTOMER = 7_001


def trace(people: People, draw: Draw) -> Traces:
    """Streams customers, orders, refunds and abandoned_checkouts; their keys are Shopify's global ids."""
    customers, who = _customers(people, draw)
    apart = draw.apart("orders")
    guest, when = guests(people, apart)
    sales, person = orders(people, customers, who, (guest, when, _seen(people, guest, when, apart)), apart)
    traces = Traces("shopify")
    traces.tables["customers"] = customers
    traces.tables["orders"] = sales
    traces.tables["refunds"] = refunds(sales, draw.apart("refunds"))
    traces.tables["abandoned_checkouts"] = checkouts(people, customers, who, draw.apart("checkouts"))
    known = ~customers["is_erased"]
    traces.speaks("customers", _gid("Customer", customers["id"].filter(known)), who[known.to_numpy()])
    by_guest = person >= 0
    traces.speaks("orders", _gid("Order", sales["id"].filter(pl.Series(by_guest))), person[by_guest])
    return traces


def _gid(kind: str, numbers: pl.Series) -> pl.Series:
    return f"gid://shopify/{kind}/" + numbers.cast(pl.String)


def _customers(people: People, draw: Draw) -> tuple[pl.DataFrame, Ints]:
    """The customers in the order in which they came, and who each is; the shop takes an address and a number once."""
    who = np.flatnonzero(draw.chance(len(people), SHARE))
    who = who[doubled(len(who), DOUBLES, draw)]
    created = draw.within(people.joined_us[who], people.active_us[who], lean=0.6)
    order = np.argsort(created, kind="stable")
    who, created = who[order], created[order]
    seen = _seen(people, who, created, draw)
    fresh = seen["email"].is_not_null() & seen["email"].str.to_lowercase().is_first_distinct()
    seen, who, created = seen.filter(fresh), who[fresh.to_numpy()], created[fresh.to_numpy()]
    size = len(who)
    number = "+39" + people.frame["mobile"].gather(who)
    given = draw.chance(size, WITH_PHONE) & number.is_first_distinct().to_numpy()
    changed = draw.within(created, np.maximum(created, people.active_us[who]))
    erased = draw.chance(size, ERASED)
    frame = seen.with_columns(
        blank(seen["phone"], draw.chance(size, 0.4)).alias("phone"),
        id=np.arange(size) + FIRST_CUSTOMER,
        own_phone=blank(number, ~given),
        is_named=~draw.chance(size, UNNAMED) | seen["street"].is_null().to_numpy(),
        is_erased=erased,
        created_at=instants(created),
        updated_at=instants(changed),
    )
    frame = frame.hstack(_answers(people, who, created, changed, frame["own_phone"].is_not_null().to_numpy(), draw))
    blanks = [blank(frame[name], erased).alias(name) for name in (*BILLING, "own_phone")]
    said = pl.when("is_erased").then(pl.lit("REDACTED"))
    return frame.with_columns(
        *blanks,
        said.otherwise("email_state").alias("email_state"),
        pl.when(pl.col("sms_state").is_not_null()).then(said.otherwise("sms_state")).alias("sms_state"),
    ), who


def _seen(people: People, who: Ints, at: Ints, draw: Draw) -> pl.DataFrame:
    """What a form of the shop was told: nobody leaves the address of e-mail out who has one."""
    seen = observe(people, who, at, HABITS, draw)
    own = people.frame["email"].gather(who)
    return seen.select(
        "first_name", "last_name", pl.col("email").fill_null(own), pl.col("mobile").alias("phone"), *PLACE
    )


def _answers(people: People, who: Ints, created: Ints, changed: Ints, by_phone: Mask, draw: Draw) -> pl.DataFrame:
    """What each said to marketing, by e-mail and, where the shop has a number, by SMS."""
    size = len(who)
    warm, silent = people.is_("attitude", "warm")[who], people.is_("attitude", "silent")[who]
    quiet = draw.chance(size, np.where(silent, 0.7, 0.15))
    yes = draw.chance(size, np.where(warm, 0.85, 0.2))
    state = choose(
        yes,
        draw.pick(["SUBSCRIBED", "PENDING", "INVALID"], size, (0.95, 0.04, 0.01)),
        draw.pick(["UNSUBSCRIBED"], size),
    )
    state = choose(quiet, draw.pick(["NOT_SUBSCRIBED"], size), state)
    by_sms = yes & draw.chance(size, 0.5)
    sms = choose(by_sms, draw.pick(["SUBSCRIBED"], size), draw.pick(["NOT_SUBSCRIBED", "UNSUBSCRIBED"], size))
    when = instants(np.where(yes, created, changed))
    return pl.DataFrame(
        {
            "email_state": state,
            "email_level": draw.pick(["SINGLE_OPT_IN", "CONFIRMED_OPT_IN"], size, (0.7, 0.3)),
            "email_said_at": blank(when, quiet),
            "sms_state": blank(sms, ~by_phone),
            "sms_said_at": blank(when, (~by_phone) | (sms == "NOT_SUBSCRIBED").to_numpy()),
        }
    )
