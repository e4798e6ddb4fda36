"""One customer of the CRM changes their mind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from snello.errors import ConfigError
from snello.sandbox.services import standing

# The newest answer of each customer, purpose and channel decides.
GRANTED = """
    SELECT purpose, channel FROM (
        SELECT DISTINCT ON (purpose, channel) purpose, channel, granted FROM consents
        WHERE customer_no = $1 AND legal_basis = 'consent' ORDER BY purpose, channel, given_at DESC, consent_id DESC
    ) AS newest WHERE granted ORDER BY purpose, channel
"""
FIRST_WILLING = """
    SELECT min(customer_no) FROM (
        SELECT DISTINCT ON (customer_no) customer_no, granted FROM consents
        WHERE purpose = 'email_marketing' AND customer_no IN ({})
        ORDER BY customer_no, given_at DESC, consent_id DESC
    ) AS newest WHERE granted
"""
WITHDRAW = """
    INSERT INTO consents
    SELECT (SELECT max(consent_id) FROM consents) + row_number() OVER (), $1, purpose, channel, false, 'consent',
        '2023-09', 'contact_centre', now(), now()
    FROM (VALUES {}) AS withdrawn (purpose, channel)
"""
MOST_CANDIDATES = 1_000


@dataclass(frozen=True)
class Withdrawal:
    """Who withdrew, and from what: pairs of purpose and channel."""

    customer_no: int
    withdrawn: tuple[tuple[str, str], ...]


def withdraw(home: Path, customer_no: int | None = None) -> Withdrawal:
    """Record in the running CRM that one customer takes back every consent that they gave.

    - ``customer_no``: by default the first who consents to e-mail, preferably one whom a win-back campaign addresses
    - raises ``ConfigError`` when there is no such customer, or they consent to nothing
    """
    with standing(home).connect() as connection, connection.cursor() as cursor:
        if customer_no is None:
            customer_no = _first_willing(cursor, home / "company")
        cursor.execute(GRANTED, (customer_no,))
        granted = tuple((purpose, channel) for purpose, channel in cursor.fetchall())
        if not granted:
            raise ConfigError("sandbox", f"customer {customer_no} consents to nothing", "name another customer")
        marks = ", ".join(f"('{purpose}', '{channel}')" for purpose, channel in granted)
        cursor.execute(WITHDRAW.format(marks), (customer_no,))
        connection.commit()
    return Withdrawal(customer_no, granted)


def _first_willing(cursor: Any, company: Path) -> int:
    for numbers in _candidates(company):
        cursor.execute(FIRST_WILLING.format(", ".join(str(number) for number in numbers) or "NULL"))
        found = cursor.fetchone()[0]
        if found is not None:
            return int(found)
    raise ConfigError("sandbox", "nobody consents to e-mail any more", "make the company anew")


def _candidates(company: Path) -> Iterator[list[int]]:
    """CRM customers, the most telling first: long absent buyers with a mailbox of their own, whom only the CRM asked.

    A campaign addresses those, and nobody else's letter or answer interferes when one of them leaves.
    """
    truth = pl.read_parquet(company / "truth.parquet")
    truth = truth.with_columns(number=pl.col("record_key").cast(pl.Int64, strict=False))
    crm = pl.read_parquet(company / "crm" / "customers.parquet", columns=["customer_no", "email"])
    people = pl.read_parquet(company / "people.parquet", columns=["person_id", "email", "family_email", "profile"])
    known = truth.filter(source="crm", stream="customers").join(crm, left_on="number", right_on="customer_no")
    known = known.join(people, on="person_id", suffix="_own").sort("number")
    absent = known.filter(
        pl.col("profile") == "absent",
        pl.col("family_email").is_null(),
        pl.col("email").str.to_lowercase() == pl.col("email_own"),
    ).join(_buyers(truth, company), on="person_id", how="semi")
    asked_elsewhere = truth.filter(pl.col("source").is_in(["loyalty", "marketing"]))
    for tier in (absent.join(asked_elsewhere, on="person_id", how="anti"), absent, known):
        yield tier["number"].head(MOST_CANDIDATES).to_list()


def _buyers(truth: pl.DataFrame, company: Path) -> pl.DataFrame:
    """Who bought in the shop and did not say no to its newsletter."""
    shop = pl.read_ipc(company / "shop" / "customers.arrow", columns=["id", "is_paying_customer", "newsletter"])
    willing = shop.filter(pl.col("is_paying_customer"), pl.col("newsletter").ne_missing(pl.lit("no")))
    return truth.filter(source="shop", stream="customers").join(willing, left_on="number", right_on="id", how="semi")
