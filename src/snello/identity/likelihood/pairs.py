"""Which records are worth comparing: those that meet under a key that survives a slip in all the rest."""

from __future__ import annotations

import duckdb

# From the keys that few records share to those that many do: the later ones are used while there is room for them.
_KEYS = {
    "number": "unnest(numbers)",
    "email": "unnest(emails)",
    "phone": "unnest(phones)",
    "card": "unnest(cards)",
    "given and birth": "first_word || birth",
    "family and birth": "last_word || birth",
    "both names": "least(first_word, last_word) || ' ' || greatest(first_word, last_word)",
    "given and postcode": "first_word || postcode",
    "family and postcode": "last_word || postcode",
    "beginnings": "left(first_word, 4) || left(last_word, 3) || coalesce(left(birth, 4), '')",
    "endings": "right(first_word, 4) || right(last_word, 4)",
    "birth": "birth",
    "family and town": "last_word || town",
    "given and town": "first_word || town",
    "family and street": "last_word || unnest([line, line_two])",
    "given and street": "first_word || unnest([line, line_two])",
    "civic and postcode": "civic || postcode",
    "house": "unnest([line, line_two]) || civic",
    "civic and town": "civic || town",
    "street": "unnest([line, line_two])",
    "beginning of street": "left(unnest([line, line_two]), 6)",
    "postcode and town": "postcode || left(town, 2)",
    "either name": "unnest([first_word, last_word])",
}
KEYS = tuple(_KEYS)
_ALWAYS = 9  # keys that are used whatever they cost
FEW = 300  # records under one value of a key; a value that more have says too little to compare all of them


def gather(connection: duckdb.DuckDBPyConnection, chosen: tuple[str, ...] = KEYS) -> None:
    """The table ``keys``: ``kind, id, value``, one row a record and value, less values too many have."""
    connection.execute("create or replace table keys (kind utinyint, id bigint, value ubigint)")
    for kind in chosen:
        connection.execute(
            f"""
            insert into keys
            with every as (select distinct id, {_KEYS[kind]} as value from prepared)
            select {KEYS.index(kind)}, id, hash(value) from every where value is not null
            qualify count(*) over (partition by value) between 2 and {FEW}
            """
        )


def affordable(connection: duckdb.DuckDBPyConnection, room: int) -> tuple[str, ...]:
    """The kinds of key whose pairs together are at most ``room``, and the first nine in any case."""
    found = connection.execute(
        """
        select kind, sum(records * (records - 1) / 2)
        from (select kind, value, count(*) as records from keys group by all) group by kind order by kind
        """
    ).fetchall()
    chosen = []
    for kind, pairs in found:
        if kind < _ALWAYS or pairs <= room:
            chosen.append(KEYS[kind])
            room -= pairs
    return tuple(chosen)


def meet(
    connection: duckdb.DuckDBPyConnection, chosen: tuple[str, ...], share: float = 1.0, where: str = "true"
) -> int:
    """The table ``pairs``: every two records under one value of a chosen key, once; how many there are.

    - ``share``: how many of them to keep, chosen by a hash of the pair
    - ``where``: a condition on the columns of ``prepared`` as ``l`` and ``r``
    """
    kinds = ", ".join(str(KEYS.index(kind)) for kind in chosen)
    connection.execute(
        f"""
        create or replace table pairs as
        select distinct '0' as match_key, one.id as join_key_l, other.id as join_key_r
        from keys as one
        inner join keys as other on one.kind = other.kind and one.value = other.value and one.id < other.id
        inner join prepared as l on one.id = l.id
        inner join prepared as r on other.id = r.id
        where one.kind in ({kinds or -1})
            and hash(one.id, other.id) % 1000000 < {round(share * 1_000_000)}
            and ({where})
        """
    )
    return int(connection.execute("select count(*) from pairs").fetchall()[0][0])
