"""The difference between what a channel shall hold and what the ledger says of it, as sets.

Reads the relations ``want(key, fingerprint)``, ``barred(key)``, ``consented(key)``, ``settled(key, fingerprint)`` and
``unsettled(key, fingerprint, tried, status, op, batch)``; leaves ``newly_barred(key)`` and ``changes(op, key,
fingerprint, reason, batch)`` behind.

- ``upsert``: wanted and not delivered so; a payload that was refused waits until it changes
- ``remove``: the channel holds it, or may hold it, and it is not wanted; nothing else is ever removed
- what an earlier run left without an outcome is tried again, under its own batch
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import duckdb

DIFFERING = """
create temp table differing as
select key, fingerprint from want
anti join settled using (key, fingerprint)
"""

UPSERTS = """
create temp table upserts as
select
    'upsert' as op, w.key, w.fingerprint, '' as reason,
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
with held as (
    select key, null as batch from settled
    union all
    select key, case when op = 'remove' then batch end as batch from unsettled
    where fingerprint is not null or status in ('in_doubt', 'retrying')
)
select
    'remove' as op, h.key, null as fingerprint,
    case when h.key in (select key from consented) then 'left_audience' else 'no_consent' end as reason,
    h.batch
from held as h
anti join {kept} as k using (key)
"""

CHANGES = "create temp view changes as select * from removals union all select * from upserts"

NEWLY_BARRED = """
create temp table newly_barred as
select key from barred
anti join removals using (key)
anti join (select key from unsettled where status = 'suppressed') as before using (key)
"""


@dataclass(frozen=True)
class Figures:
    """The difference in numbers; ``waiting`` are members whose payload was refused and has not changed."""

    members: int
    held: int
    upserts: int
    removals: int
    unchanged: int
    waiting: int
    suppressed: int
    consenting: int

    @property
    def changes(self) -> int:
        """How many rows travel."""
        return self.upserts + self.removals

    @property
    def published(self) -> int:
        """How many members the audience has, whether they consented or not."""
        return self.members + self.suppressed


def diff(connection: duckdb.DuckDBPyConnection, mode: Literal["mirror", "upsert"]) -> Figures:
    """Compare, and say in numbers what differs."""
    kept = "want" if mode == "mirror" else "consented"
    connection.execute(DIFFERING)
    connection.execute(UPSERTS)
    connection.execute(REMOVALS.format(kept=kept))
    connection.execute(CHANGES)
    connection.execute(NEWLY_BARRED)
    members, differing, settled, unsure, upserts, removals, barred, consenting = connection.execute(
        "select (select count(*) from want), (select count(*) from differing), (select count(*) from settled), "
        "(select count(*) from unsettled where fingerprint is not null), (select count(*) from upserts), "
        "(select count(*) from removals), (select count(*) from barred), (select count(*) from consented)"
    ).fetchall()[0]
    return Figures(
        members=members,
        held=settled + unsure,
        upserts=upserts,
        removals=removals,
        unchanged=members - differing,
        waiting=differing - upserts,
        suppressed=barred,
        consenting=consenting,
    )
