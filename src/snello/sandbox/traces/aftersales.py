"""After-sales: product registrations, workshop visits, care plans, personalisations."""

from __future__ import annotations

import numpy as np
import polars as pl

from snello.sandbox.draw import DAY_US, Draw, Ints, days, instants, spread
from snello.sandbox.observe import Habits, observe
from snello.sandbox.people import People
from snello.sandbox.texts import choose
from snello.sandbox.traces import Traces
from snello.sandbox.traces.crm import MODELS

SHARE = 0.36
HABITS = Habits(
    shouted=0.45, no_tax_code=0.5, no_email=0.35, family_email=0.35, stale_address=0.5, typo=0.03, swapped=0.0
)
FIRST_NAME_FIRST = 0.17
ITEMS = ("child seat", "roof rack", "wheel covers", "floor mats", "charging cable", "seat covers", "racing stripes")
COLOURS = ("red", "white", "blue", "black", "green", "silver", "yellow")


def trace(people: People, draw: Draw) -> Traces:
    """Tables registrations, service_visits, care_plans and personalisations."""
    chosen = np.flatnonzero(draw.chance(len(people), SHARE))
    who = chosen[spread(1 + (draw.chance(len(chosen), 0.08)).astype(np.int64))]
    when = draw.within(people.joined_us[who], people.active_us[who], lean=0.7)
    order = np.argsort(when, kind="stable")
    who, when = who[order], when[order]
    last = np.maximum(when, people.active_us[who])
    traces = Traces("aftersales")
    registrations = _registrations(people, who, when, draw)
    traces.tables["registrations"] = registrations
    traces.speaks("registrations", registrations["registration_no"], who)
    number = registrations["registration_no"].to_numpy()
    traces.tables["service_visits"] = _services(number, when, last, draw)
    traces.tables["care_plans"] = _plans(number, when, draw)
    traces.tables["personalisations"] = _personal(number, when, draw)
    return traces


def _registrations(people: People, who: Ints, when: Ints, draw: Draw) -> pl.DataFrame:
    size = len(who)
    seen = observe(people, who, when, HABITS, draw)
    natural = draw.chance(size, FIRST_NAME_FIRST)
    holder = choose(natural, seen["first_name"] + " " + seen["last_name"], seen["last_name"] + " " + seen["first_name"])
    serial = pl.Series(np.arange(size) * 7 % 9_999_991).cast(pl.String).str.zfill(8)
    return pl.DataFrame(
        {
            "registration_no": np.arange(size) + 5001,
            "serial_no": "ZAU" + serial + draw.pick(["A", "B", "C"], size),
            "product": "Aurora " + draw.pick(MODELS, size),
            "registered_on": days(when),
            "holder_name": holder,
            "email": seen["email"],
            "phone": choose(draw.chance(size, 0.75), seen["mobile"], seen["phone"]),
            "tax_code": seen["tax_code"],
            "street": seen["street"],
            "postcode": seen["postcode"],
            "city": seen["city"],
            "role": draw.pick(["owner", "driver", "", None], size, (0.6, 0.14, 0.1, 0.16)),
            "updated_at": instants(when + draw.ints(60, 86_400, size) * 1_000_000),
        }
    )


def _cents(draw: Draw, low: int, high: int, size: int) -> pl.Series:
    """Amounts with two decimals."""
    return pl.Series(draw.ints(low * 100, high * 100, size) / 100.0)


def _services(number: Ints, when: Ints, last: Ints, draw: Draw) -> pl.DataFrame:
    row = spread(draw.counts(1.2, len(number)))
    opened = draw.within(when[row], last[row], lean=1.5)
    order = np.argsort(opened, kind="stable")
    row, opened = row[order], opened[order]
    size = len(row)
    closed = opened + draw.ints(0, 9, size) * DAY_US
    stars = pl.Series(1 + draw.index((0.06, 0.08, 0.16, 0.36, 0.34), size))
    return pl.DataFrame(
        {
            "visit_no": np.arange(size) + 1,
            "registration_no": number[row],
            "opened_on": days(opened),
            "closed_on": days(closed).set(pl.Series(draw.chance(size, 0.04)), None),
            "kind": draw.pick(
                ["service", "repair", "recall", "tyres", "battery check"], size, (0.45, 0.25, 0.08, 0.12, 0.1)
            ),
            "amount": _cents(draw, 0, 900, size),
            "satisfaction": stars.set(pl.Series(draw.chance(size, 0.4)), None),
            "updated_at": instants(closed + draw.ints(0, 36_000, size) * 1_000_000),
        }
    )


def _plans(number: Ints, when: Ints, draw: Draw) -> pl.DataFrame:
    row = np.flatnonzero(draw.chance(len(number), 0.42))
    size = len(row)
    starts = when[row] + draw.ints(0, 60, size) * DAY_US
    return pl.DataFrame(
        {
            "plan_no": np.arange(size) + 1,
            "registration_no": number[row],
            "role": draw.pick(["policy_holder", "insured", None], size, (0.5, 0.22, 0.28)),
            "starts_on": days(starts),
            "ends_on": days(starts + 365 * draw.ints(1, 3, size) * DAY_US),
            "premium": _cents(draw, 90, 480, size),
            "updated_at": instants(starts),
        }
    )


def _personal(number: Ints, when: Ints, draw: Draw) -> pl.DataFrame:
    row = spread(draw.counts(0.3, len(number)))
    size = len(row)
    ordered = np.minimum(when[row] + draw.ints(0, 200, size) * DAY_US, draw.as_of_us - DAY_US)
    return pl.DataFrame(
        {
            "order_no": np.arange(size) + 1,
            "registration_no": number[row],
            "item": draw.pick(ITEMS, size),
            "colour": draw.pick(COLOURS, size),
            "amount": _cents(draw, 15, 600, size),
            "ordered_on": days(ordered),
            "updated_at": instants(ordered),
        }
    )
