"""Nobody is asked whether two who contradict each other are one."""

from __future__ import annotations

from itertools import product

import duckdb
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from snello.identity.contradictions import ITALIAN, Contradictions, contradiction, profile
from snello.identity.review import conflicting

Marks = tuple[str | None, str | None, str | None, str | None, str | None]

marks = st.tuples(
    st.sampled_from([None, "RSSMRA80A01H501U", "RSSMRA81A01H501V"]),
    st.sampled_from([None, "1980-01-01", "1981-01-01", "1954-06-30"]),
    st.sampled_from([None, "M", "F"]),
    st.sampled_from([None, "mario|rossi", "maria|rossi", "m|rossi"]),
    st.sampled_from([None, "1", "2"]),
)
TABLES = (ITALIAN, Contradictions(ITALIAN.rows | {("badge", "differ")}), Contradictions())
NAMES = ("record", "tax_code", "birth_date", "sex", "name")


def tables(customers: list[list[Marks]]) -> dict[str, pa.Table]:
    every = [(f"r{at}-{n}", f"c{at}", said) for at, records in enumerate(customers) for n, said in enumerate(records)]
    text = pa.string()
    persons = pa.schema([(name, text) for name in NAMES])
    kinds = pa.schema({"record": text, "kind": text, "value": text})
    couples = [
        {"left_customer": f"c{one}", "right_customer": f"c{two}"}
        for one in range(len(customers))
        for two in range(one + 1, len(customers))
    ]
    return {
        "pairs": pa.Table.from_pylist(couples, pa.schema({"left_customer": text, "right_customer": text})),
        "customers": pa.Table.from_pylist([{"record": record, "customer_id": whose} for record, whose, _ in every]),
        "persons": pa.Table.from_pylist(
            [dict(zip(NAMES, (record, *said[:4]), strict=True)) for record, _, said in every], persons
        ),
        "identifiers": pa.Table.from_pylist(
            [{"record": record, "kind": "badge", "value": said[4]} for record, _, said in every if said[4]], kinds
        ),
    }


def reasons(one: Marks, other: Marks, table: Contradictions) -> str | None:
    sides = [
        profile(*said[:4], contradictions=table)._replace(others=said[4:] if table.others else ())
        for said in (one, other)
    ]
    return contradiction(*sides, table)


@settings(max_examples=60, deadline=None)
@given(
    customers=st.lists(st.lists(marks, min_size=1, max_size=3), min_size=2, max_size=4), table=st.sampled_from(TABLES)
)
def test_two_customers_contradict_where_two_of_their_records_do(
    customers: list[list[Marks]], table: Contradictions
) -> None:
    expected = {
        (f"c{one}", f"c{two}", why)
        for one in range(len(customers))
        for two in range(one + 1, len(customers))
        for mine, theirs in product(customers[one], customers[two])
        if (why := reasons(mine, theirs, table))
    }
    with duckdb.connect() as connection:
        found = conflicting(connection, tables(customers), table).to_pylist()
    assert {tuple(row.values()) for row in found} == expected


def test_where_nothing_waits_nothing_is_found() -> None:
    with duckdb.connect() as connection:
        assert conflicting(connection, tables([[(None,) * 5]]), ITALIAN).num_rows == 0
