"""Records made ready to be compared: one spelling of each word, the lines and number of an address apart."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeAlias

import duckdb
import pyarrow as pa

from snello.errors import ContractError
from snello.identifiers import tables

COLUMNS = {
    "record": pa.string(),
    "first_name": pa.string(),
    "last_name": pa.string(),
    "birth_date": pa.string(),
    "sex": pa.string(),
    "street": pa.string(),
    "town": pa.string(),
    "postcode": pa.string(),
    "tax_code": pa.string(),
    "numbers": pa.list_(pa.string()),
    "emails": pa.list_(pa.string()),
    "phones": pa.list_(pa.string()),
    "cards": pa.list_(pa.string()),
}
"""What a record may tell. ``numbers`` are ``kind:value`` of numbers that one person has (the tax code among them),
``cards`` of things that may pass from hand to hand (loyalty cards, devices)."""

_KIND_OF_STREET = (
    r"^(via|viale|v\.?\s?le|v\.|piazza|p\.?\s?zza|p\.?\s?za|piazzale|p\.?\s?le|corso|c\.?\s?so|largo|l\.?go|strada|str\.?"
    r"|vicolo|v\.?lo|contrada|c\.?da|localita|loc\.?|frazione|fraz\.?)\s+"
)


@dataclass(frozen=True)
class Prepared:
    """Records that ``prepare`` made ready before: a table of a session of DuckDB, named with its database and schema.

    - one row a record, and one with ``was`` for each that is gone or other than at the last run, as it was then
    """

    session: duckdb.DuckDBPyConnection
    table: str

    def __len__(self) -> int:
        found = self.session.cursor().execute(f"select count(*) from {self.table} where not was")
        return int(found.fetchall()[0][0])


Records: TypeAlias = "pa.Table | Prepared"
"""Rows with the columns of ``COLUMNS``, or records made ready before."""


def prepare(session: duckdb.DuckDBPyConnection, records: str, after: int = 0) -> duckdb.DuckDBPyRelation:
    """The rows of the table or view ``records`` made ready, each with an ``id`` above ``after``.

    Raises ``ContractError`` when a column is missing.
    """
    _complete(session.table(records).columns)
    session.register("pet", _nicknames())
    return session.sql(_prepared(records, after))


@contextmanager
def opened(records: Records) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that has ``prepared``, one row a record with an ``id`` of its own, and ``past``.

    Raises ``ContractError`` when a column is missing or a record is there twice.
    """
    if isinstance(records, Prepared):
        with _beside(records.session) as connection:
            connection.execute(f"create view prepared as select * from {records.table} where not was")
            connection.execute(f"create view past as select * from {records.table} where was")
            yield connection
        return
    _complete(records.column_names)
    connection = duckdb.connect(":memory:")
    try:
        connection.execute("set preserve_insertion_order = false")
        connection.register("given", pa.table({name: records[name].cast(kind) for name, kind in COLUMNS.items()}))
        connection.register("pet", _nicknames())
        connection.execute(f"create table prepared as {_prepared('given', 0)}")
        connection.unregister("given")
        connection.execute("create view past as select * from prepared where was")
        twice = connection.execute("select count(*) - count(distinct record) from prepared").fetchall()[0][0]
        if twice:
            raise ContractError("likelihood records", f"{twice:,} records are there twice", "give each record one row")
        yield connection
    finally:
        connection.close()


@contextmanager
def _beside(session: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads what the session reads, and writes to memory."""
    connection = session.cursor()
    name = f"likelihood_{uuid.uuid4().hex}"
    [(home,)] = connection.execute("select current_catalog()").fetchall()
    connection.execute(f"attach ':memory:' as {name}")
    try:
        connection.execute(f"use {name}")
        yield connection
    finally:
        connection.execute(f'use "{home}"')
        connection.execute(f"detach {name}")
        connection.close()


def _complete(columns: Sequence[str]) -> None:
    lost = [name for name in COLUMNS if name not in columns]
    if lost:
        raise ContractError("likelihood records", f"no column {', '.join(lost)}", "mend the model likelihood_records")


def _nicknames() -> pa.Table:
    pet = [(short, long) for short, names in tables.nicknames().items() for long in sorted(names)]
    return pa.table({"short": [one for one, _ in pet], "long": [other for _, other in pet]})


def _word(column: str, letters: str = "a-z") -> str:
    return f"nullif(left(regexp_replace(lower(strip_accents({column})), '[^{letters}]', '', 'g'), 60), '')"


# Of each column a word, and how it comes from the text: once a text, for a text is of many records.
_WORDS = {
    "first_name": ("first_word", _word("text")),
    "last_name": ("last_word", _word("text")),
    "birth_date": ("birth", "nullif(regexp_replace(left(text, 10), '[^0-9]', '', 'g'), '')"),
    "sex": ("sex_letter", "nullif(upper(left(trim(text), 1)), '')"),
    "town": ("town_word", _word("text")),
    "postcode": ("postcode_word", _word("text", "a-z0-9")),
}


def _prepared(given: str, after: int) -> str:
    # Rows are wide: they are numbered by their names alone, and each text is taken apart once.
    worded = ", ".join(
        f"{column}_words as (select text, {said} as {word} from "
        f"(select distinct {column} as text from given where {column} is not null))"
        for column, (word, said) in _WORDS.items()
    )
    joined = " ".join(f"left join {column}_words on given.{column} = {column}_words.text" for column in _WORDS)
    return f"""
        with given as materialized (
            select {", ".join(COLUMNS)} from {given}
        ),
        numbered as (
            select record, {after} + row_number() over (order by record) as id from given
        ),
        {worded},
        streets as (
            select distinct street from given where street is not null
        ),
        lined as (
            select
                street,
                list_filter(
                    list_transform(
                        string_split(left(lower(strip_accents(street)), 200), ','),
                        lambda line: regexp_replace(
                            regexp_replace(
                                trim(regexp_replace(line, '^\\s*[0-9]+[a-z]?\\s+', '')), '{_KIND_OF_STREET}', ''
                            ),
                            '[^a-z]', '', 'g'
                        )
                    ),
                    lambda line: length(line) > 2
                ) as lines,
                nullif(regexp_extract(street, '[0-9]+'), '') as civic
            from streets
        ),
        pets as (
            select long, list(short order by short) as nicknames from pet group by long
        )
        select
            id::uinteger as id,
            given.record, tax_code, first_word, nicknames, last_word, birth, sex_letter as sex,
            lines[1] as line, lines[2] as line_two, civic, town_word as town, postcode_word as postcode,
            case when len(numbers) > 0 then numbers end as numbers,
            split_part(numbers[1], ':', 1) as number_kind,
            case when len(emails) > 0 then emails end as emails,
            case when len(phones) > 0 then phones end as phones,
            case when len(cards) > 0 then cards end as cards,
            false as was
        from given
        inner join numbered on given.record = numbered.record
        left join lined on given.street = lined.street
        {joined}
        left join pets on first_word = long
        """
