"""Records made ready to be compared: one spelling of each word, the lines and number of an address apart."""

from __future__ import annotations

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


def connect(records: pa.Table) -> duckdb.DuckDBPyConnection:
    """A database of its own with the table ``prepared``: ``id`` follows the records in text order.

    Raises ``ContractError`` when a column is missing or a record is there twice.
    """
    lost = [name for name in COLUMNS if name not in records.column_names]
    if lost:
        raise ContractError("likelihood records", f"no column {', '.join(lost)}", "mend the model likelihood_records")
    connection = duckdb.connect(":memory:")
    # What is asked of a sample must not depend on the number of cores.
    connection.execute("set preserve_insertion_order = true")
    given = pa.table({name: records[name].cast(kind) for name, kind in COLUMNS.items()})
    connection.register("given", given)
    pet = [(short, long) for short, names in tables.nicknames().items() for long in sorted(names)]
    connection.register("pet", pa.table({"short": [one for one, _ in pet], "long": [other for _, other in pet]}))
    connection.execute(_PREPARE)
    connection.unregister("given")
    twice = connection.execute("select count(*) - count(distinct record) from prepared").fetchall()[0][0]
    if twice:
        raise ContractError("likelihood records", f"{twice:,} records are there twice", "give each record one row")
    return connection


def _word(column: str, letters: str = "a-z") -> str:
    return f"nullif(left(regexp_replace(lower(strip_accents({column})), '[^{letters}]', '', 'g'), 60), '')"


_PREPARE = f"""
create table prepared as
with plain as (
    select
        record, tax_code, numbers, emails, phones, cards,
        {_word("first_name")} as first_word,
        {_word("last_name")} as last_word,
        nullif(regexp_replace(left(birth_date, 10), '[^0-9]', '', 'g'), '') as birth,
        upper(left(trim(sex), 1)) as sex,
        list_filter(
            list_transform(
                string_split(left(lower(strip_accents(street)), 200), ','),
                lambda line: regexp_replace(
                    regexp_replace(trim(regexp_replace(line, '^\\s*[0-9]+[a-z]?\\s+', '')), '{_KIND_OF_STREET}', ''),
                    '[^a-z]', '', 'g'
                )
            ),
            lambda line: length(line) > 2
        ) as lines,
        nullif(regexp_extract(street, '[0-9]+'), '') as civic,
        {_word("town")} as town,
        {_word("postcode", "a-z0-9")} as postcode
    from given
)
select
    row_number() over (order by record) as id,
    record, tax_code, first_word, nicknames, last_word, birth, nullif(sex, '') as sex,
    lines[1] as line, lines[2] as line_two, civic, town, postcode,
    case when len(numbers) > 0 then numbers end as numbers,
    split_part(numbers[1], ':', 1) as number_kind,
    case when len(emails) > 0 then emails end as emails,
    case when len(phones) > 0 then phones end as phones,
    case when len(cards) > 0 then cards end as cards
from plain
left join (select long, list(short order by short) as nicknames from pet group by long) on first_word = long
"""
