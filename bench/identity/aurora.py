"""Who is who at Aurora, the demo company: figures beside the truth, and mistakes by cause.

.venv/bin/python bench/identity/aurora.py [PEOPLE] [--seed N]     default: 100,000 people

The traces go to the lake in canonical shape, as the company's staging models would give them: no tap, no service.
"""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from outcome import HEAD, Outcome, contradictions
from project import IDENTITY, Project, Shapes

from snello.sandbox.draw import Draw
from snello.sandbox.people import make_people
from snello.sandbox.world import SOURCES, truth

AS_OF = datetime(2026, 10, 1, tzinfo=UTC)
SEED = 20_261
CODES_OF_NOBODY = {"RSSMRA80A01H501U"}
PERSON = (
    "stream", "record_key", "first_name", "last_name", "full_name", "birth_date", "sex", "tax_code", "email", "mobile",
    "phone", "street", "postcode", "city", "province", "observed_at",
)  # fmt: skip
CONTACT = ("stream", "record_key", "email", "phone", "handle", "observed_at")
# Stream: its key, its time, columns under another name.
PERSONS = {
    "crm.customers": ("customer_no", "updated_at", {}),
    "aftersales.registrations": ("registration_no", "updated_at", {"holder_name": "full_name"}),
    "loyalty.cards": ("card_no", "issued_on", {}),
    "shop.customers": ("id", "date_modified_gmt", {"codice_fiscale": "tax_code"}),
    "shop.orders": ("id", "date_created_gmt", {}),
}
CONTACTS = {
    "contact_centre.calls": ("uniqueid", "start", {"caller": "phone"}),
    "marketing.newsletter": ("event_id", "at", {}),
    "marketing.social": ("event_id", "at", {}),
    "marketing.ad_clicks": ("click_id", "clicked_at", {}),
    "shop.product_reviews": ("id", "date_created_gmt", {"reviewer_email": "email"}),
}


def company(people: int, seed: int = SEED) -> tuple[Shapes, pl.DataFrame, pl.DataFrame]:
    """What the hub reads, who the people are, and of whom each record speaks."""
    everybody = make_people(people, seed, AS_OF)
    traces = {name: module.trace(everybody, Draw(seed, name, AS_OF)) for name, module in SOURCES.items()}
    tables = {f"{name}.{stream}": frame for name, one in traces.items() for stream, frame in one.tables.items()}
    tables["contact_centre.calls"] = tables["contact_centre.calls"].with_columns(
        caller=pl.when(pl.col("dcontext").str.contains("out")).then("dst").otherwise("src")
    )
    tables["shop.orders"] = _others(tables["shop.orders"], tables["shop.customers"])
    shapes: dict[str, dict[str, pl.DataFrame]] = {}
    for shape, streams, columns in (("person_observed", PERSONS, PERSON), ("contact_observed", CONTACTS, CONTACT)):
        for name, (key, at, names) in streams.items():
            source, stream = name.split(".")
            part = _shaped(tables[name].rename(names), stream, key, at, columns)
            known = shapes.setdefault(source, {})
            known[shape] = pl.concat([known[shape], part], how="diagonal") if shape in known else part
    shapes["loyalty"]["identifier_observed"] = _wallets(tables["loyalty.cards"])
    given = {source: {shape: frame.to_arrow() for shape, frame in held.items()} for source, held in shapes.items()}
    return given, everybody.frame, truth([part for one in traces.values() for part in one.truth], everybody)


def _shaped(frame: pl.DataFrame, stream: str, key: str, at: str, columns: tuple[str, ...]) -> pl.DataFrame:
    when = pl.col(at).str.to_datetime() if frame.schema[at] == pl.String else pl.col(at)
    frame = frame.with_columns(
        stream=pl.lit(stream),
        record_key=pl.col(key).cast(pl.String),
        observed_at=when.cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
    )
    return frame.select(name for name in columns if name in frame.columns)


def _others(orders: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    """Orders of guests, and those on an account under another given name."""
    names = accounts.select(customer_id="id", account_name=pl.col("first_name").str.to_lowercase())
    both = orders.join(names, on="customer_id", how="left")
    return both.filter(pl.col("account_name").ne_missing(pl.col("first_name").str.to_lowercase()))


def _wallets(cards: pl.DataFrame) -> pl.DataFrame:
    """Each card, and the one it replaced, as identifiers of the card's record."""
    rows = [
        cards.select(stream=pl.lit("cards"), record_key="card_no", kind=pl.lit("card"), value=column)
        for column in ("card_no", "replaces_card")
    ]
    return pl.concat(rows).filter(pl.col("value").is_not_null())


def said(shapes: Shapes) -> pl.DataFrame:
    """Every record of a person as written, over all sources."""
    parts = [
        pl.DataFrame(tables["person_observed"]).with_columns(source=pl.lit(source))
        for source, tables in shapes.items()
        if "person_observed" in tables
    ]
    return pl.concat(parts, how="diagonal")


def main(people: int, seed: int) -> None:
    shapes, everybody, real = company(people, seed)
    with tempfile.TemporaryDirectory() as home:
        project = Project.over(Path(home), shapes)
        run = project.build(IDENTITY)
        customers = project.table("select source, stream, record_key, customer_id from marts.customer_sources")
    known = real.filter(pl.col("person_id").is_not_null())
    outcome = Outcome.of(known, customers)
    print(f"Aurora, seed {seed}, {people:,} people, {outcome.score.records:,} records that speak of one of them")
    print(HEAD)
    print(outcome.line("hub", run.seconds))
    print(f"contradictions in final customers: {contradictions(said(shapes), customers, CODES_OF_NOBODY)}")
    print("false pairs by cause")
    for cause, pairs, groups in outcome.over_merges(everybody, known).iter_rows():
        print(f"  {cause:24}{pairs:8,} pairs in {groups:,} customers")
    print("slowest models")
    print(run.slowest())


if __name__ == "__main__":
    arguments = ArgumentParser()
    arguments.add_argument("people", nargs="?", default="100,000")
    arguments.add_argument("--seed", type=int, default=SEED)
    given = arguments.parse_args()
    main(int(given.people.replace(",", "")), given.seed)
