"""Which customers that could be one person cannot be made one: nobody need be asked about those."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from snello.identity.contradictions import KINDS, Contradictions
from snello.identity.marks import Marks
from snello.identity.profiles import Profiles

# Records of one customer that say the same are asked once.
_MEMBERS = """
create or replace temp table review_members as
with couples as (
    select distinct left_customer, right_customer from given_pairs
),

asked as (
    select left_customer as customer_id from couples
    union
    select right_customer as customer_id from couples
),

said as (
    select customers.customer_id, {kinds}
    from asked
    inner join given_customers as customers on asked.customer_id = customers.customer_id
    inner join given_persons as persons on customers.record = persons.record
    {others}
)

select row_number() over () - 1 as id, *
from (select distinct * from said)
"""

_OTHER = """
    left join (
        select record, min(value) as value from given_identifiers where kind = '{kind}' group by record
    ) as other_{number} on persons.record = other_{number}.record"""

_COUPLES = """
select couples.left_customer, couples.right_customer, lefts.id as "left", rights.id as "right"
from (select distinct left_customer, right_customer from given_pairs) as couples
inner join review_members as lefts on couples.left_customer = lefts.customer_id
inner join review_members as rights on couples.right_customer = rights.customer_id
"""


def conflicting(
    connection: duckdb.DuckDBPyConnection, tables: Mapping[str, Any], contradictions: Contradictions
) -> pa.Table:
    """What stands between two customers, as ``left_customer, right_customer, reason``: a row a contradiction of theirs.

    - ``tables``: ``pairs`` (``left_customer, right_customer``), ``customers`` (``record, customer_id``), ``persons``
      (``record, tax_code, birth_date, sex, name``) and ``identifiers`` (``record, kind, value``)
    """
    for name, table in tables.items():
        connection.register(f"given_{name}", table)
    others = {kind: f"other_{number}" for number, kind in enumerate(contradictions.others)}
    kinds = [*(f"persons.{kind}" for kind in KINDS), *(f'{name}.value as "{kind}"' for kind, name in others.items())]
    joins = "".join(_OTHER.format(kind=kind, number=number) for number, kind in enumerate(others))
    connection.execute(_MEMBERS.format(kinds=", ".join(kinds), others=joins))
    marks = [
        f'select id as record, \'{kind}\' as kind, "{kind}" as value from review_members where "{kind}" is not null'
        for kind in (*KINDS, *others)
    ]
    said = connection.sql(" union all ".join(marks)).to_arrow_table()
    names = connection.sql("select id from review_members order by id").to_arrow_table()["id"].combine_chunks()
    couples = connection.sql(_COUPLES).to_arrow_table()
    profiles = Profiles.of(Marks.read(said, names, contradictions), np.arange(len(names)))
    left, right = (profiles.index[couples[side].to_numpy()] for side in ("left", "right"))
    reasons = profiles.between(left, right)
    found = np.flatnonzero(reasons)
    told = [profiles.reasons[number] for number in reasons[found]]
    return couples.select(["left_customer", "right_customer"]).take(pa.array(found)).append_column(
        "reason", pa.array(told, pa.string())
    )  # fmt: skip
