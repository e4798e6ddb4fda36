"""Whether two customers can be one: what their records say, by the contradictions that the project itself names."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import product

from snello import settings
from snello.cli.identity.desk import Desk
from snello.cli.tables import Tables
from snello.identity.contradictions import ITALIAN, Contradictions, Profile, contradiction, profile
from snello.identity.decisions import in_force

NEEDED = ("customer_identifiers", "customer_values")
_MARKS = ("tax_code", "birth_date", "sex", "first_name", "last_name")

_VALUES = """
select customer_id, source || '/' || stream || '/' || record_key as record, attribute, value
from customer_values
where list_contains($customers::varchar[], customer_id) and list_contains($attributes::varchar[], attribute)
order by record, attribute, kind = 'derived', value desc
"""

_OTHERS = """
select customer_id, kind, min(value) as value
from customer_identifiers
where list_contains($customers::varchar[], customer_id) and list_contains($kinds::varchar[], kind)
group by customer_id, kind
"""


def contradictions() -> Contradictions:
    """What contradicts in the project in force, else as shipped; raises ``ConfigError`` for a wrong word."""
    seed = settings.project_root() / "transform" / "seeds" / "identity_contradictions.csv"
    return Contradictions.read(seed) if seed.exists() else ITALIAN


def linked(desk: Desk, customer: str) -> set[str]:
    """The customer, and those that links which no run has applied yet will make one with it."""
    links = [about for about, word in in_force(desk.said).items() if word.verb == "link"]
    of = desk.customers(record for about in links for record in about)
    found, fresh = {customer}, {customer}
    while fresh:
        ends = [{of.get(one, ""), of.get(other, "")} for one, other in links]
        fresh = {far for near in ends if near & found for far in near if far} - found
        found |= fresh
    return found


def conflicts(tables: Tables, one: Collection[str], other: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Records of the one customers and of the other that cannot be one person, and why; see ``contradictions``."""
    table = contradictions()
    left, right = (_profiles(tables, customers, table) for customers in (one, other))
    for (mine, said), (theirs, says) in product(left.items(), right.items()):
        why = contradiction(said, says, table)
        if why:
            yield mine, theirs, why


def _profiles(tables: Tables, customers: Collection[str], table: Contradictions) -> dict[str, Profile]:
    """What each record of the customers says that could contradict another."""
    asked = sorted(customers)
    others: dict[str, dict[str, str]] = {}
    for row in tables.rows(_OTHERS, {"customers": asked, "kinds": list(table.others)}):
        others.setdefault(row["customer_id"], {})[row["kind"]] = row["value"]
    marks: dict[tuple[str, str], dict[str, str]] = {}
    for row in tables.rows(_VALUES, {"customers": asked, "attributes": list(_MARKS)}):
        marks.setdefault((row["record"], row["customer_id"]), {}).setdefault(row["attribute"], row["value"])
    found = {}
    for (record, customer), said in marks.items():
        name = f"{said['first_name']}|{said['last_name']}" if {"first_name", "last_name"} <= said.keys() else None
        read = profile(said.get("tax_code"), said.get("birth_date"), said.get("sex"), name, contradictions=table)
        # a person has one value of such a kind, whichever record gave it
        found[record] = read._replace(others=tuple(others.get(customer, {}).get(kind) for kind in table.others))
    return found
