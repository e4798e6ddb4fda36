"""Which customers a word names: a customer_id, a source record, or any identifier as a person would type it."""

from __future__ import annotations

from snello import identifiers
from snello.cli.tables import Row, Tables
from snello.errors import ConfigError

NEEDED = ("customers", "customer_identifiers", "customer_sources")

_MATCHES = """
with named as (
    select customer_id, 'customer_id' as kind from customers where customer_id::varchar = $given
    union
    select customer_id, 'record' as kind from customer_sources
    where source || '/' || stream || '/' || record_key = $given
    union
    select customer_id, 'former customer_id' as kind from customer_aliases where alias = $given
    union
    select customer_id, kind from customer_identifiers where list_contains($spellings::varchar[], value)
)

select customers.customer_id, first_name, last_name, string_agg(distinct kind, ', ' order by kind) as matched_by
from named
inner join customers on named.customer_id = customers.customer_id
group by all
order by customers.customer_id
"""

# Tables that a first publication may lack, as they are when empty.
_OPTIONAL = {
    "identity_review": """
        select null::varchar as left_record, null::varchar as right_record, null::double as probability,
            null::varchar as reason, null::varchar as evidence
        where false""",
    "customer_aliases": "select null::varchar as alias, null::varchar as customer_id where false",
    "identity_bridges": "select null::varchar as customer_id, null::varchar as purpose, 0 as parts where false",
    "identity_events": """
        select null::varchar as event, null::timestamptz as happened_at, null::varchar as customer_id,
            null::varchar as from_customer_id, 0 as records, null::varchar as cause
        where false""",
}


def optional(tables: Tables) -> None:
    """Name the tables that an older publication does not have, empty where it does not."""
    current = tables.lake.manifest()
    for name, nothing in _OPTIONAL.items():
        tables.view(name, tables.lake.published_sql(name) if current and name in current.tables else nothing)


def spellings(given: str) -> list[str]:
    """Every normalised form that ``given`` may have been stored under."""
    read = (
        identifiers.normalise_email(given),
        identifiers.normalise_phone(given, "IT"),
        identifiers.normalise_tax_code(given),
        identifiers.tax_code_canonical(given),
        identifiers.normalise_vat(given),
        identifiers.normalise_card(given),
        given.strip(),
    )
    return sorted({form for form in read if form})


def matches(tables: Tables, given: str) -> list[Row]:
    """Customers that ``given`` names, with what matched."""
    return tables.rows(_MATCHES, {"given": given.strip(), "spellings": spellings(given)})


def find(tables: Tables, given: str) -> list[Row]:
    """As ``matches``; raises ``ConfigError`` when there is none."""
    found = matches(tables, given)
    if not found:
        raise ConfigError(
            "why",
            "no customer has this identifier",
            "try a customer_id, an e-mail, a phone with its prefix, a tax code, a card number, or source/stream/key",
        )
    return found
