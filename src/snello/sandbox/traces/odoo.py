"""Odoo, the ERP of Aurora's accessories and of its home charging: two legal companies, their partners and enquiries.

Rows have Odoo's own fields and numbers, which follow the order in which records were made; null stands for its false.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from snello.sandbox.atlas import STREETS
from snello.sandbox.draw import DAY_US, Draw, Ints
from snello.sandbox.observe import Habits, observe
from snello.sandbox.people import People
from snello.sandbox.texts import blank, choose, mapped, plain
from snello.sandbox.traces import Traces
from snello.sandbox.traces.odoo_masters import ITALY, STAGES, provinces
from snello.sandbox.traces.odoo_trade import CHARGING, EURO, invoices, orders, payments
from snello.sandbox.traces.stamps import moments

SHARE, FIRMS, DELIVERIES, STRANGERS, ENQUIRIES = 0.075, 0.008, 0.05, 0.0036, 0.03
OF_A_FIRM, ARCHIVED, LAST_NAME_FIRST, TWO_ADDRESSES, BLOCKED, FREED = 0.1, 0.04, 0.1, 0.04, 0.35, 0.15
HABITS = Habits(
    shouted=0.15, no_email=0.12, bad_email=0.0, odd_email=0.0, placeholder=0.004, second_email=0.1, family_email=0.1,
    no_phone=0.25, stale_address=0.15,
)  # fmt: skip
WISHES = ("Wallbox in garage", "Colonnina in condominio", "Ricarica aziendale", "Sopralluogo", "Fotovoltaico e wallbox")
FORMS = ("{} S.r.l.", "{} & C. S.a.s.", "Condominio {}", "Officina {}", "Agriturismo {}")


def trace(people: People, draw: Draw) -> Traces:
    """Tables partners, leads, blacklist, sale_orders, sale_order_lines, invoices and payments."""
    who = np.flatnonzero(draw.chance(len(people), SHARE))
    firms = np.flatnonzero(draw.chance(len(people), FIRMS))  # each in the town and with the life of somebody
    buyers = np.concatenate([who, firms])
    began = draw.within(people.joined_us[buyers], people.active_us[buyers], lean=0.6)
    active = np.maximum(began, people.active_us[buyers])
    changed = draw.within(began, active, lean=2.0)
    persons = _persons(people, who, changed[: len(who)], draw)
    rows = pl.concat([persons, _firms(people, firms, draw)], how="diagonal").with_columns(
        create_date=moments(began), write_date=moments(changed)
    )
    partners, number = _partners(rows, began, len(who), draw)
    leads, asked = _leads(people, number, active, draw)
    sold, lines = orders(number, began, active, people.busy[buyers], draw)
    billed = invoices(sold, draw)
    traces = Traces("odoo")
    traces.tables = {
        "partners": _placed(partners),
        "leads": leads,
        "blacklist": _blacklist(people, who, persons, draw),
        "sale_orders": sold,
        "sale_order_lines": lines,
        "invoices": billed,
        "payments": payments(billed, draw),
    }
    traces.speaks("partners", pl.Series(number[: len(who)]), who)
    traces.speaks("leads", leads["id"].filter(leads["partner_id"].is_null()), asked)
    return traces


def _persons(people: People, who: Ints, changed: Ints, draw: Draw) -> pl.DataFrame:
    """People as partners, under one name; a few have two addresses in one field, which is none to Odoo."""
    size = len(who)
    seen = observe(people, who, changed, HABITS, draw)
    first, last, email = seen["first_name"], seen["last_name"], seen["email"]
    second = people.frame["email_2"].gather(who)
    both = draw.chance(size, TWO_ADDRESSES) & (second.is_not_null() & email.is_not_null()).to_numpy()
    return seen.select(
        choose(draw.chance(size, LAST_NAME_FIRST), last + " " + first, first + " " + last).alias("name"),
        choose(both, email + "; " + second, email).alias("email"),
        "phone",
        "mobile",
        "street",
        pl.col("postcode").alias("zip"),
        "city",
        "province",
        blank(draw.pick(["it_IT", "de_DE"], size, (0.97, 0.03)), draw.chance(size, 0.1)).alias("lang"),
    )


def _firms(people: People, near: Ints, draw: Draw) -> pl.DataFrame:
    """Organisations, each in the town of somebody."""
    size = len(near)
    family = people.frame["last_name"].gather(near)
    form = draw.pick(FORMS, size).str.split("{}")
    serial = pl.Series(np.arange(size) + 1).cast(pl.String)
    return people.frame.select(pl.col("postcode").alias("zip"), "city", "province")[near].with_columns(
        (form.list.get(0) + family + form.list.get(1)).alias("name"),
        ("info@" + mapped(family, plain) + serial + ".example").alias("email"),
        ("+39 02 5551" + serial.str.zfill(4)).alias("phone"),
        (draw.pick(STREETS, size) + " " + serial).alias("street"),
        is_company=pl.lit(True),
        lang=pl.lit("it_IT"),
    )


def _partners(rows: pl.DataFrame, began: Ints, persons: int, draw: Draw) -> tuple[pl.DataFrame, Ints]:
    """All partners by number, addresses for goods at the end, and the number of each row that was given.

    Some persons belong to an organisation, some partners are archived; a few are of one company alone.
    """
    size = rows.height
    order = np.argsort(began, kind="stable")
    number = np.empty(size, np.int64)
    number[order] = np.arange(size) + 1
    employer = np.append(number[persons:], 0)[draw.ints(0, max(size - persons, 1) - 1, size)]
    employed = draw.chance(size, OF_A_FIRM) & (np.arange(size) < persons)
    every = rows.with_columns(
        pl.Series("id", number),
        pl.Series("parent_id", np.where(employed, employer, 0)).replace(0, None),
        pl.Series("active", ~draw.chance(size, ARCHIVED)),
        pl.Series("company_id", draw.index((0.85, 0.1, 0.05), size)).replace(0, None),
        pl.lit("contact").alias("type"),
        pl.col("is_company").fill_null(False),
    ).sort("id")
    behind = np.flatnonzero(draw.chance(size, DELIVERIES))
    goods = every[behind].select(
        pl.col("id").alias("parent_id"),
        "zip",
        "city",
        "province",
        "company_id",
        "create_date",
        "write_date",
        (draw.pick(STREETS, len(behind)) + " 1").alias("street"),
        pl.Series("id", np.arange(len(behind)) + size + 1),
        pl.lit("delivery").alias("type"),
        pl.lit(True).alias("active"),
        pl.lit(False).alias("is_company"),
    )
    return pl.concat([every, goods], how="diagonal"), number


def _placed(partners: pl.DataFrame) -> pl.DataFrame:
    """Provinces as numbers of their records."""
    codes = provinces()
    state = partners["province"].replace_strict(codes, np.arange(len(codes)) + 1, return_dtype=pl.Int64)
    return partners.drop("province").with_columns(state_id=state, country_id=pl.lit(ITALY))


def _blacklist(people: People, who: Ints, persons: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """Addresses of the cold who want no letters, in small letters; some were taken off the list again."""
    cold = people.is_("attitude", "cold")[who] & draw.chance(len(who), BLOCKED)
    email = persons["email"].filter(pl.Series(cold)).drop_nulls().str.to_lowercase().unique(maintain_order=True)
    email = email.filter(email.str.contains(r"^[^@\s;]+@[^@\s;]+$"))
    size = len(email)
    at = moments(draw.as_of_us - draw.ints(1, 700, size) * DAY_US)
    return pl.DataFrame(
        {
            "id": np.arange(size) + 1,
            "email": email,
            "active": ~draw.chance(size, FREED),
            "create_date": at,
            "write_date": at,
        }
    )


def _leads(people: People, number: Ints, active: Ints, draw: Draw) -> tuple[pl.DataFrame, Ints]:
    """Enquiries of strangers, who are given too, then of partners; lost ones are archived."""
    asked = np.flatnonzero(draw.chance(len(people), STRANGERS))
    known = np.flatnonzero(draw.chance(len(number), ENQUIRIES))
    since = np.concatenate([draw.within(people.joined_us[asked], people.active_us[asked]), active[known]])
    size = len(since)
    seen = observe(people, asked, since[: len(asked)], HABITS, draw)
    told = seen.select(
        (pl.col("first_name") + " " + pl.col("last_name")).alias("contact_name"),
        pl.col("email").alias("email_from"),
        pl.coalesce("mobile", "phone").alias("phone"),
        "city",
    )
    state = draw.pick(["won", "lost", "pending"], size, (0.3, 0.2, 0.5))
    worth = draw.ints(9, 60, size) * 100.0
    rows = pl.concat([told, pl.DataFrame({"partner_id": number[known]})], how="diagonal").with_columns(
        draw.pick(WISHES, size).alias("name"),
        draw.pick(["lead", "opportunity"], size).alias("type"),
        pl.Series("stage_id", np.where((state == "won").to_numpy(), len(STAGES), draw.ints(1, len(STAGES) - 1, size))),
        pl.Series("expected_revenue", np.where(draw.chance(size, 0.3), 0.0, worth)),
        state.alias("won_status"),
        (state != "lost").alias("active"),
        *(moments(since).alias(name) for name in ("create_date", "write_date", "date_open")),
        country_id=pl.lit(ITALY),
        company_id=pl.lit(CHARGING),
        company_currency=pl.lit(EURO),
    )
    return rows.select(pl.Series("id", np.arange(size) + 1), pl.all()), asked
