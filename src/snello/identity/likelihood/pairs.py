"""Which records are worth comparing: those that meet under a key that survives a slip in all the rest."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pyarrow as pa

# From the keys that few records share to those that many do: the later ones are used while there is room for them.
_KEYS = {
    "number": "unnest(numbers)",
    "email": "unnest(emails)",
    "phone": "unnest(phones)",
    "card": "unnest(cards)",
    "given and birth": "first_word || birth",
    "family and birth": "last_word || birth",
    "both names": "least(first_word || ' ' || last_word, last_word || ' ' || first_word)",
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


def values(kind: str, table: str, columns: str = "id") -> str:
    """A query: the values of one key, as numbers, with ``columns`` of a table like ``prepared``; each once a row."""
    once = "distinct" if "unnest" in _KEYS[kind] else ""
    return f"""
        select {once} {columns}, hash(value) as value
        from (select {columns}, {_KEYS[kind]} as value from {table}) as named
        where value is not null
    """


def affordable(connection: duckdb.DuckDBPyConnection, room: int) -> tuple[str, ...]:
    """The table ``blocks`` of the keys whose pairs together are at most ``room``, and of the first nine in any case.

    Gives their names.
    """
    _empty_blocks(connection)
    chosen = []
    for place, kind in enumerate(KEYS):
        if place < _ALWAYS:
            room -= _block(connection, kind)
            chosen.append(kind)
        elif room > 0:
            pairs = _cost(connection, kind)
            if 0 < pairs <= room:
                room -= _block(connection, kind)
                chosen.append(kind)
    return tuple(chosen)


def meet(
    connection: duckdb.DuckDBPyConnection,
    keys: Iterable[str],
    only: Iterable[str] | pa.Array | pa.ChunkedArray | None = None,
    settled: pa.Table | None = None,
) -> int:
    """The table ``pairs``: every two records that meet under one of the keys and are to be scored; how many there are.

    - two records that both have a tax code, or that are ``settled``, are not
    - ``only``: pairs of which at least one record is among these

    Of a pair the record whose name comes first in the alphabet is the left one.
    """
    asked, within = "tax_code is null", ""
    if only is not None:
        given = only if isinstance(only, pa.Array | pa.ChunkedArray) else pa.array(list(only), pa.string())
        connection.register("asked", pa.table({"record": given.cast(pa.string())}))
        connection.execute("create table changed as select id from prepared where record in (select record from asked)")
        asked = "id in (select id from changed)"
    _empty_blocks(connection)
    for kind in keys:
        if only is not None:
            touched = values(kind, "(select * from prepared semi join changed using (id))")
            within = f"semi join ({touched}) as touched using (value)"
        _block(connection, kind, asked, within)
    _decided(connection, settled)
    connection.execute(
        """
        create or replace table pairs as
        with one_way as (
            select unnest(asked) as one, ids from blocks
        ),
        both_ways as (
            select one, unnest(ids) as other from one_way
        ),
        met as (
            select distinct least(one, other) as one, greatest(one, other) as other
            from both_ways where one <> other
        )
        select
            '0' as match_key,
            case when l.record < r.record then one else other end as join_key_l,
            case when l.record < r.record then other else one end as join_key_r
        from met
        inner join prepared as l on one = l.id
        inner join prepared as r on other = r.id
        where (l.tax_code is null or r.tax_code is null)
            and (one, other) not in (select (one, other) from settled)
        """
    )
    return int(connection.execute("select count(*) from pairs").fetchall()[0][0])


def sample(connection: duckdb.DuckDBPyConnection, wanted: int) -> tuple[int, float]:
    """The table ``pairs``: about ``wanted`` of those that meet in ``blocks``, by a hash of the pair.

    Gives how many there are, and which share of all that meet.
    """
    [(every,)] = connection.execute("select coalesce(sum(len(ids) * (len(ids) - 1) / 2), 0) from blocks").fetchall()
    share = min(1.0, wanted / max(every, 1))
    connection.execute(
        f"""
        create or replace table pairs as
        with one_way as (
            select unnest(ids) as one, ids from blocks
        ),
        both_ways as (
            select one, unnest(ids) as other from one_way
        )
        select distinct '0' as match_key, one as join_key_l, other as join_key_r
        from both_ways
        where one < other and hash(one, other) % 1000000 < {round(share * 1_000_000)}
        """
    )
    return int(connection.execute("select count(*) from pairs").fetchall()[0][0]), share


def _empty_blocks(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("create or replace table blocks (ids uinteger[], asked uinteger[])")


def _block(connection: duckdb.DuckDBPyConnection, kind: str, asked: str | None = None, within: str = "") -> int:
    """Adds to ``blocks`` the records under each value of a key that few have, and those ``asked`` about, if any are.

    Gives how many pairs meet under the key.
    """
    [(before,)] = connection.execute("select count(*) from blocks").fetchall()
    table, columns, chosen, some = "prepared", "id", "null", ""
    if asked:
        table, columns = f"(select *, {asked} as is_asked from prepared)", "id, is_asked"
        chosen, some = "list(id) filter (where is_asked)", "and count(*) filter (where is_asked) > 0"
    connection.execute(
        f"""
        insert into blocks by name
        select list(id) as ids, {chosen} as asked
        from ({values(kind, table, columns)}) as every {within}
        group by value
        having count(*) between 2 and {FEW} {some}
        """
    )
    found = connection.execute(f"select sum(len(ids) * (len(ids) - 1) // 2) from blocks where rowid >= {before}")
    return int(found.fetchall()[0][0] or 0)


def _cost(connection: duckdb.DuckDBPyConnection, kind: str) -> int:
    found = connection.execute(
        f"""
        select sum(records * (records - 1) // 2)
        from (select count(*) as records from ({values(kind, "prepared")}) as every group by value)
        where records <= {FEW}
        """
    )
    return int(found.fetchall()[0][0] or 0)


def _decided(connection: duckdb.DuckDBPyConnection, settled: pa.Table | None) -> None:
    connection.execute("create or replace table settled (one uinteger, other uinteger)")
    if settled is not None and len(settled):
        connection.register("decided", settled.select(["left_record", "right_record"]))
        connection.execute(
            """
            insert into settled
            select distinct least(l.id, r.id), greatest(l.id, r.id)
            from decided
            inner join prepared as l on left_record = l.record
            inner join prepared as r on right_record = r.record
            """
        )
        connection.unregister("decided")
