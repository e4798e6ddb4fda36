"""One customer of the CRM changes their mind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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
    SELECT customer_no FROM (
        SELECT DISTINCT ON (customer_no) customer_no, granted FROM consents
        WHERE purpose = 'email_marketing' ORDER BY customer_no, given_at DESC, consent_id DESC
    ) AS newest JOIN customers USING (customer_no)
    WHERE granted AND email LIKE '%@%' AND customer_no IN ({}) ORDER BY customer_no LIMIT 1
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


def _long_absent(home: Path) -> list[int]:
    """CRM customers who have not been seen for long, and think well of the company: whom a campaign would address."""
    company = home / "company"
    people = pl.read_parquet(company / "people.parquet", columns=["person_id", "profile", "attitude"])
    people = people.filter(profile="absent", attitude="warm")
    crm = pl.scan_parquet(company / "truth.parquet").filter(source="crm", stream="customers").collect()
    numbers = crm.join(people, on="person_id", how="semi")["record_key"].cast(pl.Int64)
    return numbers.sort().head(MOST_CANDIDATES).to_list()


def withdraw(home: Path, customer_no: int | None = None) -> Withdrawal:
    """Record in the running CRM that one customer takes back every consent that they gave.

    - ``customer_no``: by default the first of those long absent who consent to e-mail
    - raises ``ConfigError`` when there is no such customer, or they consent to nothing
    """
    with standing(home).connect() as connection, connection.cursor() as cursor:
        if customer_no is None:
            cursor.execute(FIRST_WILLING.format(", ".join(str(number) for number in _long_absent(home))))
            found = cursor.fetchone()
            if found is None:
                raise ConfigError("sandbox", "nobody consents to e-mail any more", "make the company anew")
            customer_no = int(found[0])
        cursor.execute(GRANTED, (customer_no,))
        granted = tuple((purpose, channel) for purpose, channel in cursor.fetchall())
        if not granted:
            raise ConfigError("sandbox", f"customer {customer_no} consents to nothing", "name another customer")
        marks = ", ".join(f"('{purpose}', '{channel}')" for purpose, channel in granted)
        cursor.execute(WITHDRAW.format(marks), (customer_no,))
        connection.commit()
    return Withdrawal(customer_no, granted)
