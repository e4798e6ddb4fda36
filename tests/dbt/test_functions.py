"""The SQL functions answer as the Python functions: the same golden files, and text at random."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snello import identifiers
from snello.dbt.functions import register, sql_functions
from snello.identifiers.tax_code import decode

GOLDEN = Path(__file__).parents[1] / "identifiers" / "golden"


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        register(made)
        yield made


@pytest.mark.parametrize("name", sorted(sql_functions()))
def test_sql_answers_as_the_golden_file_says(name: str, connection: duckdb.DuckDBPyConnection) -> None:
    # An empty cell is an empty text and \N is nothing; read_csv tells them apart only when told so.
    table = f"read_csv('{GOLDEN / name}.csv', header=true, all_varchar=true, nullstr='\\N', quote='\"', escape='\"')"
    columns = [row[0] for row in connection.execute(f"describe select * from {table}").fetchall()]
    call = f"{name}({', '.join(columns[:-1])})"
    wrong = connection.execute(
        f"select {', '.join(columns)}, {call} from {table} where {call}::varchar is distinct from expected"
    ).fetchall()
    assert wrong == []


def test_every_function_of_text_is_a_sql_function() -> None:
    assert set(sql_functions()) == set(identifiers.__all__) - {"split_name"}


@given(
    values=st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=5)
)
def test_sql_answers_as_python_whatever_the_text(
    values: list[str | None], connection: duckdb.DuckDBPyConnection
) -> None:
    answers = connection.execute(
        "select normalise_email(v), normalise_name(v), normalise_phone(v, null), null_like(v), email_is_role(v)"
        " from (select unnest(?::varchar[]) as v)",
        [values],
    ).fetchall()
    functions = (
        identifiers.normalise_email,
        identifiers.normalise_name,
        lambda v: identifiers.normalise_phone(v, None),
        identifiers.null_like,
        identifiers.email_is_role,
    )
    assert answers == [tuple(function(value) for function in functions) for value in values]


def test_many_rows_of_few_values_are_answered_each(connection: duckdb.DuckDBPyConnection) -> None:
    found = connection.execute(
        "select e, count(*) from (select normalise_email(case when i % 3 > 0 then 'U' || i % 3 || '@X.it' end) as e"
        " from range(9000) as t(i)) group by e order by e nulls last"
    ).fetchall()
    assert found == [("u1@x.it", 3000), ("u2@x.it", 3000), (None, 3000)]


def test_a_constant_is_a_value_like_any_other(connection: duckdb.DuckDBPyConnection) -> None:
    [row] = connection.execute(
        "select normalise_phone(p, 'IT'), normalise_phone('333 1234567', null) from (values ('02 12345678')) as t(p)"
    ).fetchall()
    assert row == ("+390212345678", "+393331234567")


def test_registering_twice_is_registering_once() -> None:
    with duckdb.connect() as made:
        register(made)
        register(made)
        with made.cursor() as cursor:
            assert cursor.execute("select normalise_card('8001 2345')").fetchall() == [("80012345",)]


def test_functions_run_beside_an_open_result() -> None:
    with duckdb.connect() as made:
        register(made)
        made.execute("select * from range(3)")
        with made.cursor() as other:
            assert other.sql("select null_like('-') as v").fetchall() == [(None,)]


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
BITS = ("info", "aaaa", "mario.rossi", "@", "x", "x.it", "+39", "333", "1234567", "02", " ", "RSSMRA85T10A562S", "test")


@given(values=st.lists(st.none() | texts | st.lists(st.sampled_from(BITS), max_size=5).map("".join), max_size=9))
def test_what_a_value_says_at_once_is_what_each_function_says(
    values: list[str | None], connection: duckdb.DuckDBPyConnection
) -> None:
    answers = connection.execute(
        "select read_email(v), read_phone(v, 'IT'), read_tax_code(v) from (select unnest(?::varchar[]) as v)", [values]
    ).fetchall()
    assert answers == [(email_of(value), phone_of(value), tax_code_of(value)) for value in values]


def email_of(value: str | None) -> dict[str, object] | None:
    address = identifiers.normalise_email(value)
    role, stand_in = identifiers.email_is_role(value), identifiers.email_is_placeholder(value)
    return address and {"address": address, "is_role": role, "is_placeholder": stand_in}


def phone_of(value: str | None) -> dict[str, object] | None:
    number = identifiers.normalise_phone(value)
    stand_in = identifiers.phone_is_placeholder(number)
    return number and {"number": number, "kind": identifiers.phone_kind(number), "is_placeholder": stand_in}


def tax_code_of(value: str | None) -> dict[str, object] | None:
    person = decode(value)
    return person and {
        "code": identifiers.normalise_tax_code(value),
        "canonical": identifiers.tax_code_canonical(value),
        "late_birth_date": person.late_birth_date,
        "early_birth_date": person.early_birth_date,
        "sex": identifiers.tax_code_sex(value),
    }
