"""Which of the changes travel: all of them, or the first few for a look at them in the channel."""

from __future__ import annotations

import duckdb

LIMITED = """
create or replace temp view changes as
with placed as (
    select *, row_number() over (partition by batch is null order by op desc, rank, key) as place
    from (select * from removals union all select * from upserts)
),

chosen as (
    select * from placed where batch is not null or reason = 'erased' or place <= {limit}
),

with_merged as (
    select * from chosen
    union
    select * from placed where reason = 'merged' and customer in (select key from chosen where op = 'upsert')
)

select * exclude (place) from with_merged
"""


def travelling(connection: duckdb.DuckDBPyConnection, limit: int | None = None) -> tuple[int, int]:
    """How many upserts and removals travel.

    With a ``limit`` the first upserts do, and removals where these are fewer; whatever it is, a batch that an earlier
    run left open goes whole, for its idempotency key stands for exactly its rows, a merged row goes before the one it
    is now, and who was erased goes at once.
    """
    if limit is not None:
        connection.execute(LIMITED.format(limit=int(limit)))
    count = "select count(*) filter (where op = 'upsert'), count(*) filter (where op = 'remove') from changes"
    upserts, removals = connection.execute(count).fetchall()[0]
    return upserts, removals
