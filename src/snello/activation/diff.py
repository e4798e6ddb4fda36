"""The difference between what a channel shall hold and what the ledger says of it, as sets.

Reads the relations of the gates, ``want``, ``unsent``, ``unmatched``, ``excluded``, ``barred`` and ``leavers``; of
the audience ``members``, ``printed`` and ``consented``; those of the ledger,
``held(key, customer)``, ``settled(key, fingerprint)``, ``unsettled(key, fingerprint, tried, status, op, batch)``,
``known_exclusions(key, gate, code)``, ``erased(key)``, ``overdue(key)`` and ``absent(key)``; and ``aliases(key,
customer)``, customers who are another now. Leaves behind ``changes(op, key, customer, fingerprint, reason, batch,
moved_from, rank)``, ``newly_excluded(key, customer, gate, code)`` and ``no_longer_excluded(key)``.

- ``upsert``: wanted and not delivered so; a payload that was refused, given up or dropped waits until it changes
- ``remove``: the channel holds it, or may hold it, and the mode says that it must go; nothing else is ever removed
- who was erased is removed in every mode, and sent in none
- what an earlier run left without an outcome is tried again, under its own batch
- ``rank`` orders the rest: removals, of the erased first, then moves, changes of held rows, new rows
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from snello.activation import moves

DIFFERING = """
create temp table differing as
select w.key, w.customer, w.fingerprint, s.key is not null as held
from unsent as w
left join unmatched as s on s.key = w.key
"""

# a row that was removed had been delivered; one in doubt about two payloads may not have been
NEVER_DELIVERED = """
create temp table differing as
with once as (
    select key from settled where {lasting}
    union all
    select key from unsettled where fingerprint <> '?' or (op = 'remove' and status = 'delivered')
)
select w.key, w.customer, w.fingerprint, s.key is not null as held from unsent as w
left join unmatched as s on s.key = w.key
anti join once on once.key = w.key
anti join (select customer as key from aliases semi join once using (key)) as merged on merged.key = w.key
"""

UPSERTS = """
create temp table upserts as
select
    'upsert' as op, w.key, w.customer, w.fingerprint, '' as reason,
    case when u.op = 'upsert' and u.tried = w.fingerprint then u.batch end as batch,
    moves.old as moved_from,
    case when moves.old is not null then 2 when w.held or u.fingerprint is not null then 3 else 4 end as rank
from differing as w
left join unsettled as u on u.key = w.key
left join moves on moves.key = w.key
where w.key not in (select key from erased) and not coalesce(
    u.op = 'upsert' and w.fingerprint in (u.tried, coalesce(u.fingerprint, ''))
    and (u.status in ('refused', 'dead', 'dropped') or u.key in (select key from overdue))
    and u.key not in (select key from absent) and u.key not in (select customer from merging),
    false
)
"""

REMOVALS = """
create temp table removals as
with perhaps as (
    select key, customer from leavers
    union
    select key, customer from held semi join erased using (key)
),
candidates as (
    select key, customer, null as batch from settled inner join perhaps using (key)
    union all
    select key, customer, case when op = 'remove' then batch end as batch from unsettled inner join perhaps using (key)
    where fingerprint is not null or status in ('in_doubt', 'retrying')
)
select
    'remove' as op, h.key, h.customer, null as fingerprint,
    case
        when e.key is not null then 'erased' when m.wanted then 'merged' else coalesce(b.code, 'left_audience')
    end as reason,
    h.batch, null as moved_from, case when e.key is not null then 0 else 1 end as rank
from candidates as h
left join erased as e on e.key = h.key
left join merging as m on m.key = h.key
left join (select key, min(code) as code from barred group by key) as b on b.key = h.key
where e.key is not null or (({gone}) and h.key not in (select old from moves))
"""

LEFT = "h.key not in (select key from excluded where keep) and not coalesce(m.kept, false)"
GONE = {
    "mirror": LEFT,
    "upsert": "b.key is not null or coalesce(m.wanted, false)",
    "insert": "b.key is not null",
    "update": "b.key is not null",
    "append": "false",
    "replace": LEFT,
}
ONCE = {"insert": "fingerprint <> '?'", "append": "true"}  # a row that is to be sent again; an event never is

CHANGES = "create temp view changes as select * from removals union all select * from upserts"

# who waits is left out, but not where the channel holds what is wanted and refused another payload since;
# what a gate lets stay is sent anew, or the session would end it
WHOLE = """
create temp view changes as
with whole as (
    select key, customer, fingerprint from want
    anti join (
        select d.key from differing as d
        anti join upserts using (key)
        inner join unsettled as u on u.key = d.key and u.tried = d.fingerprint
    ) using (key)
    union all
    select p.key, p.customer, p.fingerprint from printed as p
    semi join (select key from excluded where keep) using (key)
    semi join held using (key)
),
lasting as (
    select * from whole anti join erased using (key)
)
select * from removals where reason = 'erased' or not exists (select 1 from lasting)
union all
select 'upsert', key, customer, fingerprint, '', null, null, 4 from lasting
where exists (select 1 from upserts) or exists (select 1 from removals)
"""

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


@dataclass(frozen=True)
class Figures:
    """The difference in numbers.

    - ``waiting``: members whose payload was refused and has not changed
    - ``suppressed``: members kept back by a gate; ``codes``: how many by each word
    - ``anyone_consents``: whether a customer says yes to the purpose, in the audience or not
    - ``moves``: upserts of rows that the channel holds under the key of a customer who is now another
    """

    members: int
    held: int
    upserts: int
    removals: int
    unchanged: int
    waiting: int
    suppressed: int
    anyone_consents: bool
    codes: Mapping[str, int]
    moves: int = 0

    @property
    def changes(self) -> int:
        """How many rows differ; in mode ``replace`` the whole travels when any does."""
        return self.upserts + self.removals

    @property
    def published(self) -> int:
        """How many members the audience has, whether they consented or not."""
        return self.members + self.suppressed


def diff(connection: duckdb.DuckDBPyConnection, mode: str) -> Figures:
    """Compare, and say in numbers what differs."""
    connection.execute(NEVER_DELIVERED.format(lasting=ONCE[mode]) if mode in ONCE else DIFFERING)
    moves.find(connection, mode)
    connection.execute(UPSERTS)
    connection.execute(REMOVALS.format(gone=GONE[mode]))
    connection.execute(WHOLE if mode == "replace" else CHANGES)
    connection.execute(NEWLY_EXCLUDED)
    connection.execute(NO_LONGER_EXCLUDED)
    codes = dict(connection.execute("select code, count(*) from excluded group by code order by code").fetchall())
    published, differing, settled, unsure, upserts, moved, removals, anyone = connection.execute(
        "select (select count(*) from members), (select count(*) from differing), (select count(*) from settled), "
        "(select count(*) from unsettled where fingerprint is not null), (select count(*) from upserts), "
        "(select count(moved_from) from upserts), (select count(*) from removals), exists(select 1 from consented)"
    ).fetchall()[0]
    suppressed = sum(codes.values())
    members = published - suppressed  # whom no gate keeps back; a gate names a member once
    return Figures(
        members=members,
        held=settled + unsure,
        upserts=upserts,
        removals=removals,
        unchanged=members - differing,
        waiting=differing - upserts,
        suppressed=suppressed,
        anyone_consents=anyone,
        codes=codes,
        moves=moved,
    )
