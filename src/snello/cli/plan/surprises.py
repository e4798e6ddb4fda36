"""The changes that a person should look at first: what joins, parts or renames somebody the hub knew well."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from math import log2

from snello.cli.plan.comparison import PEOPLE, Comparison, quoted
from snello.cli.tables import Row

SHOWN = 10
EACH = 4  # of one kind, while there are others
_CANDIDATES = 200
_TELLING = {"tax_code": 6.0, "birth_date": 5.0, "last_name": 3.0, "first_name": 3.0, "email": 2.0, "phone": 1.5}

_MOVED = f"""{PEOPLE},

sizes as (
    select customer_id, count(*) as records from before group by customer_id
),

named as (
    select customer_id, lower(first_name) as first_name, lower(last_name) as last_name from before_customers
)

select
    moved.from_id,
    moved.to_id,
    moved.from_lives,
    moved.to_lived,
    moved.records,
    sizes.records as from_records,
    coalesce(others.records, 0) as to_records,
    coalesce(one.first_name <> other.first_name, false) as names_differ
from moved
left join sizes on moved.from_id = sizes.customer_id
left join sizes as others on moved.to_id = others.customer_id
left join named as one on moved.from_id = one.customer_id
left join named as other on moved.to_id = other.customer_id
order by names_differ desc, least(moved.records, coalesce(nullif(others.records, 0), moved.records)) desc, 1, 2
limit {_CANDIDATES}
"""


def surprising(found: Comparison) -> list[Row]:
    """At most ten changes, the most surprising first, as ``what``, ``customer_id`` and ``why`` (no value in clear)."""
    every = sorted(
        (*_moves(found), *_values(found), *_leavers(found)),
        key=lambda row: (-row["weight"], row["what"], row["customer_id"]),
    )
    chosen: list[Row] = []
    for row in every:
        if sum(other["what"] == row["what"] for other in chosen) < EACH:
            chosen.append(row)
    chosen += [row for row in every if row not in chosen]
    return [{name: row[name] for name in ("what", "customer_id", "why")} for row in islice(chosen, SHOWN)]


def _moves(found: Comparison) -> Iterator[Row]:
    for row in found.rows(_MOVED):
        differ = ", and their first names differ" if row["names_differ"] else ""
        if not row["from_lives"]:
            why = f"becomes one with {row['to_id']}: {row['from_records']} and {row['to_records']} records{differ}"
            weight = 3 + log2(1 + min(row["from_records"], row["to_records"])) + 4 * row["names_differ"]
            yield {"what": "merge", "customer_id": row["from_id"], "why": why, "weight": weight}
        else:
            why = f"loses {row['records']} of {row['from_records']} records to {row['to_id']}"
            yield {
                "what": "split",
                "customer_id": row["from_id"],
                "why": why,
                "weight": 3 + log2(1 + row["records"]) - 2 * row["names_differ"],
            }


def _values(found: Comparison) -> Iterator[Row]:
    changed = {row["attribute"] for row in found.values()}
    for attribute, weight in _TELLING.items():
        if attribute not in changed:
            continue
        rows = found.rows(f"""
            select a.customer_id
            from before_customers as b inner join after_customers as a using (customer_id)
            where b."{attribute}" <> a."{attribute}" order by a.records desc, 1 limit {_CANDIDATES}
        """)
        for row in rows:
            why = f"another {attribute.replace('_', ' ')}: snello why {row['customer_id']} {attribute}"
            yield {"what": "value", "customer_id": row["customer_id"], "why": why, "weight": weight}


def _leavers(found: Comparison) -> Iterator[Row]:
    for audience in found.audiences():
        if not audience["removes"]:
            continue
        table = f"activation/{audience['sync']}"
        share = audience["removes"] / (audience["removes"] + audience["members"])
        rows = found.rows(f"""
            select b.customer_id from {quoted("before", table)} as b
            anti join {quoted("after", table)} as a on b.customer_id = a.customer_id order by 1 limit {EACH}
        """)
        for row in rows:
            why = f"leaves {audience['sync']}, as {audience['removes']:,} do ({share:.1%})"
            yield {"what": "removal", "customer_id": row["customer_id"], "why": why, "weight": 1 + 5 * share}
