"""The difference between what a channel shall hold and what the ledger says of it, as sets.

Reads the relations of the gates, ``want``, ``excluded`` and ``barred``, and those of the ledger, ``held(key,
customer)``, ``settled(key, fingerprint)``, ``unsettled(key, fingerprint, tried, status, op, batch)`` and
``known_exclusions(key, gate, code)``; leaves ``changes(op, key, customer, fingerprint, reason, batch)``,
``newly_excluded(key, customer, gate, code)`` and ``no_longer_excluded(key)`` behind.

- ``upsert``: wanted and not delivered so; a payload that was refused waits until it changes
- ``remove``: the channel holds it, or may hold it, and it is not wanted; nothing else is ever removed
- what an earlier run left without an outcome is tried again, under its own batch
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

DIFFERING = """
create temp table differing as
select key, customer, fingerprint from want
anti join settled using (key, fingerprint)
"""

UPSERTS = """
create temp table upserts as
select
    'upsert' as op, w.key, w.customer, w.fingerprint, '' as reason,
    case when u.op = 'upsert' and u.tried = w.fingerprint then u.batch end as batch
from differing as w
left join unsettled as u on u.key = w.key
where not coalesce(
    u.op = 'upsert' and u.status in ('refused', 'dead') and w.fingerprint in (u.tried, coalesce(u.fingerprint, '')),
    false
)
"""

REMOVALS = """
create temp table removals as
with candidates as (
    select key, null as batch from settled
    union all
    select key, case when op = 'remove' then batch end as batch from unsettled
    where fingerprint is not null or status in ('in_doubt', 'retrying')
)
select
    'remove' as op, h.key, held.customer, null as fingerprint,
    coalesce(b.code, 'left_audience') as reason,
    h.batch
from candidates as h
inner join held using (key)
left join (select key, min(code) as code from barred group by key) as b using (key)
where {gone}
"""

GONE = {
    "mirror": "h.key not in (select key from want union all select key from excluded where keep)",
    "upsert": "b.key is not null",
}

CHANGES = "create temp view changes as select * from removals union all select * from upserts"

NEWLY_EXCLUDED = """
create temp table newly_excluded as
select key, customer, gate, code from excluded
anti join known_exclusions using (key, gate, code)
"""

NO_LONGER_EXCLUDED = """
create temp table no_longer_excluded as
select key from known_exclusions
anti join excluded using (key)
"""


LIMITED = """
create or replace temp view changes as
with every as (
    select * from removals union all select * from upserts
),
placed as (
    select *, row_number() over (partition by batch is null order by op desc, key) as place from every
)
select * exclude (place) from placed where batch is not null or place <= {limit}
"""


@dataclass(frozen=True)
class Figures:
    """The difference in numbers.

    - ``waiting``: members whose payload was refused and has not changed
    - ``suppressed``: members kept back by a gate; ``codes``: how many by each word
    - ``consenting``: customers with a yes to the purpose, in the audience or not
    """

    members: int
    held: int
    upserts: int
    removals: int
    unchanged: int
    waiting: int
    suppressed: int
    consenting: int
    codes: Mapping[str, int]

    @property
    def changes(self) -> int:
        """How many rows travel."""
        return self.upserts + self.removals

    @property
    def published(self) -> int:
        """How many members the audience has, whether they consented or not."""
        return self.members + self.suppressed


def diff(connection: duckdb.DuckDBPyConnection, mode: str) -> Figures:
    """Compare, and say in numbers what differs."""
    connection.execute(DIFFERING)
    connection.execute(UPSERTS)
    connection.execute(REMOVALS.format(gone=GONE[mode]))
    connection.execute(CHANGES)
    connection.execute(NEWLY_EXCLUDED)
    connection.execute(NO_LONGER_EXCLUDED)
    codes = dict(connection.execute("select code, count(*) from excluded group by code order by code").fetchall())
    members, differing, settled, unsure, upserts, removals, consenting = connection.execute(
        "select (select count(*) from want), (select count(*) from differing), (select count(*) from settled), "
        "(select count(*) from unsettled where fingerprint is not null), (select count(*) from upserts), "
        "(select count(*) from removals), (select count(*) from consented)"
    ).fetchall()[0]
    return Figures(
        members=members,
        held=settled + unsure,
        upserts=upserts,
        removals=removals,
        unchanged=members - differing,
        waiting=differing - upserts,
        suppressed=sum(codes.values()),
        consenting=consenting,
        codes=codes,
    )


def limited(connection: duckdb.DuckDBPyConnection, limit: int) -> tuple[int, int]:
    """Leave of the changes the first upserts by key, and removals where these are fewer; how many of each travel.

    A batch that an earlier run left open goes whole: its idempotency key stands for exactly its rows.
    """
    connection.execute(LIMITED.format(limit=int(limit)))
    count = "select count(*) filter (where op = 'upsert'), count(*) filter (where op = 'remove') from changes"
    upserts, removals = connection.execute(count).fetchall()[0]
    return upserts, removals
