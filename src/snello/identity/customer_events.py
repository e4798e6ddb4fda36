"""What happened to customers between two runs: births, merges, splits, merges undone, and records that are gone."""

from __future__ import annotations

import duckdb
import pyarrow as pa

from snello.identity.seniority import BRANCHES

_RECORDS = pa.list_(pa.string())

EVENTS = pa.schema(
    {
        "event": pa.string(),
        "customer_id": pa.string(),
        "from_customer_id": pa.string(),
        "records": pa.int64(),
        "moved": _RECORDS,
        "stayed": _RECORDS,
    }
)
"""One row a customer and the one that its records came from.

- ``birth``: nobody knew any of its records; which they are is not listed
- ``merge``: ``from_customer_id`` ended, and ``moved`` came from it to ``customer_id``, which had ``stayed`` already
- ``split``: ``moved`` left ``from_customer_id``, which lives on, for a new customer or another one
- ``restore``: ``customer_id`` had ended and lives again; ``moved`` came back from ``from_customer_id``
- ``gone``: ``customer_id`` ended, and ``moved``, of the records that it had, are nobody's any more
"""

HISTORY = pa.schema(
    {
        "event": pa.string(),
        "customer_id": pa.string(),
        "from_customer_id": pa.string(),
        "moved": _RECORDS,
        "happened_at": pa.timestamp("us", "UTC"),
    }
)
"""What of the events so far is needed to go on: all but the births of customers that no split ever gave a record."""

# Records as a customer had them when it last ended, and records that a customer has by a merge alone.
_HISTORY = """
create table past as
select event, customer_id, from_customer_id, happened_at, unnest(moved) as record
from given_events
where event <> 'birth';

create table retired as
select distinct
    case event when 'merge' then from_customer_id else customer_id end as customer_id,
    record,
    happened_at as retired_at
from past
where event = 'gone' or (event = 'merge' and from_customer_id is not null)
qualify retired_at = max(retired_at) over (
    partition by case event when 'merge' then from_customer_id else customer_id end
);

create table absorbed as
-- a customer that comes back comes back as it was: what it had by a merge, it has by a merge
select record, customer_id
from past
where event in ('merge', 'split')
group by record, customer_id
having max_by(event, happened_at) = 'merge'
"""

_CHANGES = """
with old as (
    select distinct customer_id from previous
),

living as (
    select customer_id, count(*) as records
    from assigned
    group by customer_id
),

back as (
    select living.customer_id, living.records
    from living
    semi join retired on living.customer_id = retired.customer_id
    anti join old on living.customer_id = old.customer_id
),

moves as (
    select
        assigned.customer_id,
        previous.customer_id as from_customer_id,
        count(*) as records,
        list(assigned.record order by assigned.record) as moved
    from previous
    inner join assigned on previous.record = assigned.record
    where previous.customer_id <> assigned.customer_id
    group by assigned.customer_id, previous.customer_id
),

told as (
    select
        case
            when moves.from_customer_id not in (select living.customer_id from living) then 'merge'
            when moves.customer_id in (select back.customer_id from back) then 'restore'
            else 'split'
        end as event,
        moves.*
    from moves
),

remained as (
    select
        assigned.customer_id,
        list(assigned.record order by assigned.record) as stayed
    from assigned
    inner join previous on assigned.record = previous.record and assigned.customer_id = previous.customer_id
    where assigned.customer_id in (select told.customer_id from told where told.event = 'merge')
    group by assigned.customer_id
),

began as (
    select
        case when back.customer_id is null then 'birth' else 'restore' end as event,
        living.customer_id,
        living.records
    from living
    left join back on living.customer_id = back.customer_id
    anti join old on living.customer_id = old.customer_id
    where living.customer_id not in (select told.customer_id from told where told.event <> 'merge')
),

-- who ended without an heir is known again by its records; what of a merged customer is gone comes back to it likewise
ended as (
    select
        previous.customer_id,
        count(*) as records,
        list(previous.record order by previous.record) as moved
    from previous
    anti join assigned on previous.record = assigned.record
    anti join living on previous.customer_id = living.customer_id
    group by previous.customer_id
)

select
    told.event,
    told.customer_id,
    told.from_customer_id,
    told.records,
    told.moved,
    case when told.event = 'merge' then coalesce(remained.stayed, []) else [] end as stayed
from told
left join remained on told.customer_id = remained.customer_id

union all

select event, customer_id, null, records, []::varchar [], []::varchar []
from began

union all

select 'gone', customer_id, null, records, moved, []::varchar []
from ended

order by all
"""


def history(connection: duckdb.DuckDBPyConnection, events: pa.Table) -> None:
    """Make the tables ``retired``, ``absorbed`` and ``branches`` out of the events so far."""
    connection.register("given_events", events)
    connection.execute(_HISTORY)
    connection.execute(BRANCHES)


def changes(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """The events (``EVENTS``) between the relations ``previous`` and ``assigned``; ``history`` was made before."""
    return connection.sql(_CHANGES).to_arrow_table().cast(EVENTS)
