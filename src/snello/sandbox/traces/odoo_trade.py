"""What Aurora's two companies in Odoo quote, sell, invoice and are paid."""

from __future__ import annotations

import numpy as np
import polars as pl

from snello.sandbox.catalogue import PRODUCTS, VAT
from snello.sandbox.draw import DAY_US, Draw, Floats, Ints, days, instants, spread
from snello.sandbox.texts import blank, choose
from snello.sandbox.traces.stamps import moments

ACCESSORIES, CHARGING = 1, 2
EURO, FRANC = 1, 2
FOR_CHARGING = 3  # the first products of the catalogue are cables and the wallbox
ORDERS, FURTHER_LINES, OF_CHARGING, IN_FRANCS, WITH_NOTE = 0.59, 0.25, 0.25, 0.02, 0.06
STATES = {"draft": 0.08, "sent": 0.06, "sale": 0.78, "cancel": 0.08}
INVOICED, UNDER_WAY = 0.9, 0.05
PAYMENT_STATES = {"paid": 0.77, "not_paid": 0.14, "partial": 0.05, "reversed": 0.04}
SUMS, WHOSE = ("amount_untaxed", "amount_tax", "amount_total"), ("partner_id", "company_id", "currency_id")


def orders(partner: Ints, since: Ints, until: Ints, busy: Floats, draw: Draw) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Quotations and orders of the partners, each between its two moments, and their lines."""
    row = spread(draw.counts(ORDERS * busy, len(busy)))
    placed = draw.within(since[row], until[row], lean=2.0)
    order = np.argsort(placed, kind="stable")
    row, placed = row[order], placed[order]
    size = len(row)
    company = np.where(draw.chance(size, OF_CHARGING), CHARGING, ACCESSORIES)
    currency = np.where(draw.chance(size, IN_FRANCS), FRANC, EURO)
    lines, net = _lines(company, currency, draw)
    state = draw.pick(list(STATES), size, list(STATES.values()))
    is_sold, billed = (state == "sale").to_numpy(), draw.chance(size, INVOICED)
    changed = np.minimum(placed + draw.ints(0, 20, size) * DAY_US, draw.as_of_us - DAY_US)
    head = pl.DataFrame(
        {
            "id": np.arange(size) + 1,
            "name": _numbered("S", size),
            "state": state,
            "partner_id": partner[row],
            "partner_invoice_id": partner[row],
            "company_id": company,
            "currency_id": currency,
            "date_order": moments(placed),
            "create_date": moments(placed),
            "write_date": moments(np.maximum(placed, changed)),
            "invoice_status": pl.Series(np.where(is_sold, np.where(billed, "invoiced", "to invoice"), "no")),
        }
    )
    above = head.select("state", "create_date", "write_date")[lines["order_id"] - 1]
    return head.hstack(_sums(net)), lines.hstack(above)


def _numbered(prefix: str, size: int, year: pl.Series | None = None) -> pl.Series:
    """Numbers as a sequence in Odoo gives them, with the year where there is one."""
    number = pl.Series(np.arange(size) + 1).cast(pl.String).str.zfill(5)
    return prefix + number if year is None else prefix + year.cast(pl.String) + "/" + number


def _sums(net: Ints) -> pl.DataFrame:
    """Amounts of a total in cents without tax."""
    tax = np.round(net * VAT).astype(np.int64)
    return pl.DataFrame({name: cents / 100 for name, cents in zip(SUMS, (net, tax, net + tax), strict=True)})


def _lines(company: Ints, currency: Ints, draw: Draw) -> tuple[pl.DataFrame, Ints]:
    """The lines of each order, some with a note behind them, and the orders' totals in cents without tax."""
    size = len(company)
    row = spread(1 + draw.counts(FURTHER_LINES, size))
    popularity = 1.0 / np.arange(2, len(PRODUCTS) + 2 - FOR_CHARGING)
    accessory = draw.index(popularity, len(row)) + FOR_CHARGING
    product = np.where(company[row] == CHARGING, draw.ints(0, FOR_CHARGING - 1, len(row)), accessory)
    quantity = 1 + draw.index((0.85, 0.1, 0.05), len(row))
    price = np.round(np.array([each.cents for each in PRODUCTS])[product] / (1 + VAT)).astype(np.int64)
    total = np.bincount(row, weights=price * quantity, minlength=size).astype(np.int64)
    sold = pl.DataFrame(
        {
            "order_id": row + 1,
            "sequence": np.full(len(row), 10),
            "product_id": product + 1,
            "name": pl.Series([each.name for each in PRODUCTS]).gather(product),
            "product_uom_qty": quantity.astype(np.float64),
            "price_unit": price / 100,
            "price_subtotal": price * quantity / 100,
            "price_total": np.round(price * quantity * (1 + VAT)) / 100,
        }
    )
    noted = np.flatnonzero(draw.chance(size, WITH_NOTE))
    note = pl.DataFrame({"order_id": noted + 1, "sequence": np.full(len(noted), 99)}).with_columns(
        display_type=pl.lit("line_note"), name=pl.lit("Grazie per la fiducia.")
    )
    every = pl.concat([sold, note], how="diagonal").sort("order_id", "sequence", maintain_order=True)
    of = every["order_id"].to_numpy() - 1
    return every.select(
        pl.Series("id", np.arange(len(of)) + 1),
        pl.all(),
        pl.Series("company_id", company[of]),
        pl.Series("currency_id", currency[of]),
    ), total


def invoices(sold: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """Invoices of orders, some drafts still, and the credit notes that take some of them back."""
    of = sold.filter(pl.col("invoice_status") == "invoiced")
    size = of.height
    ordered = of["date_order"].str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us").cast(pl.Int64).to_numpy()
    at = np.minimum(ordered + draw.ints(0, 5, size) * DAY_US, draw.as_of_us - 2 * DAY_US)
    draft = draw.chance(size, 0.03)
    paid = choose(draft, pl.repeat("not_paid", size, eager=True),
                  draw.pick(list(PAYMENT_STATES), size, list(PAYMENT_STATES.values())))  # fmt: skip
    open_share = paid.replace_strict({"not_paid": 1.0, "partial": 0.5}, default=0.0, return_dtype=pl.Float64)
    bills = of.select(
        pl.lit("out_invoice").alias("move_type"),
        pl.Series("state", np.where(draft, "draft", "posted")),
        paid.alias("payment_state"),
        pl.col("name").alias("invoice_origin"),
        pl.Series("reversed_entry_id", np.zeros(size, np.int64)).replace(0, None),
        *WHOSE,
        *SUMS,
        (of["amount_total"] * open_share).round(2).alias("amount_residual"),
        pl.Series("at", at),
    )
    bills = bills.select(pl.Series("id", np.arange(size) + 1), pl.all())
    back = bills.filter(pl.col("payment_state") == "reversed").with_columns(
        pl.lit("out_refund").alias("move_type"),
        pl.lit("paid").alias("payment_state"),
        pl.col("id").alias("reversed_entry_id"),
        pl.col("at") + DAY_US,
    )
    every = pl.concat([bills, back.with_columns(id=size + 1 + pl.int_range(pl.len()))])
    return _dated(every)


def _dated(every: pl.DataFrame) -> pl.DataFrame:
    """Numbers and days of invoices and credit notes; a draft has no number yet."""
    at = every["at"].to_numpy()
    number = _numbered("FATT/", every.height, instants(at).dt.year())
    number = choose((every["move_type"] == "out_refund").to_numpy(), "R" + number, number)
    day, due = days(at).cast(pl.String), days(at + 30 * DAY_US).cast(pl.String)
    return every.drop("at").with_columns(
        choose((every["state"] == "draft").to_numpy(), pl.repeat("/", len(at), eager=True), number).alias("name"),
        pl.col("partner_id").alias("commercial_partner_id"),
        *(day.alias(name) for name in ("date", "invoice_date")),
        due.alias("invoice_date_due"),
        *(moments(at).alias(name) for name in ("create_date", "write_date")),
    )


def payments(billed: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """What was paid for invoices, of some a part, and paid back for credit notes."""
    of = billed.filter(pl.col("payment_state").is_in(["paid", "partial", "reversed"]))
    size = of.height
    back = (of["move_type"] == "out_refund").to_numpy()
    billed_us = of["date"].str.to_date().cast(pl.Int64).to_numpy() * DAY_US
    at = np.minimum(billed_us + draw.ints(0, 25, size) * DAY_US, draw.as_of_us - DAY_US)
    return of.select(
        pl.Series("id", np.arange(size) + 1),
        _numbered("PBNK1/", size, instants(at).dt.year()).alias("name"),
        pl.Series("state", np.where(draw.chance(size, UNDER_WAY), "in_process", "paid")),
        pl.Series("payment_type", np.where(back, "outbound", "inbound")),
        pl.lit("customer").alias("partner_type"),
        *WHOSE,
        days(at).cast(pl.String).alias("date"),
        (of["amount_total"] - of["amount_residual"]).round(2).alias("amount"),
        blank(of["name"], draw.chance(size, 0.1)).alias("memo"),
        pl.concat_list("id").alias("reconciled_invoice_ids"),
        *(moments(at).alias(name) for name in ("create_date", "write_date")),
    )
