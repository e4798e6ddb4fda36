"""Pressure: at most so many contacts with a person in so many days, over all channels together.

Counted are the ledger's contacts of the last days, rows in doubt that may have been contacts, those that runs under way
have planned, and those that syncs of a higher priority are about to make. Only who has something to be sent waits; what
the channel holds stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta

import duckdb
import pyarrow as pa

from snello.activation.audience import Audience
from snello.activation.gates import consent, holdout, quality, reserved, size, suppression
from snello.activation.gates.case import Case, Gate
from snello.activation.gates.crossing import cross
from snello.activation.sync import Sync

CONTACTS = "select customer, count(*) as contacts from contacts where at > {since} group by customer"
DOUBTS = (
    "select coalesce(customer, key) as customer from deliveries "
    "where sync = :sync and status = 'in_doubt' and op = 'upsert'"
)
# asked of what was read of the sync already: on most days nothing is in doubt, and a ledger is long
OWN_DOUBTS = "select 1 from unsettled where status = 'in_doubt' and op = 'upsert' limit 1"

USED = """
create temp table used as
select coalesce(aliases.customer, counted.customer) as customer, sum(contacts::bigint) as contacts
from (select customer, contacts from contacts union all select customer, '1' as contacts from doubts) as counted
left join aliases on aliases.key = counted.customer
group by all
"""

# a row in doubt is a contact counted already: it is repeated under its own key
WAITING = """
create or replace temp table waiting as
select key, customer, {place} as place from unproven
semi join unheld using (key)
anti join (select key from unmatched where {once}) as sent using (key)
anti join (select key from unsettled where status = 'in_doubt' and op = 'upsert') as doubtful using (key)
"""

KEPT_BACK = """
select
    waiting.key, waiting.customer,
    case when place + coalesce(used.contacts, 0) > {most} then 'pressure' else 'priority' end as code,
    true as keep
from waiting
left join used using (customer)
left join reserved using (customer)
where place + coalesce(used.contacts, 0) + coalesce(reserved.contacts, 0) > {most}
"""


def kept_back(case: Case) -> str | None:
    """Members who have something to be sent and whom it would be one contact too many."""
    pressure, connection = case.sync.pressure, case.connection
    if pressure is None or not _waiting(case):
        return None
    others = _contacting(case)
    higher = [other for other in others if other.priority > case.sync.priority]
    started = [other.name for other in others if other not in higher and reserved.under_way(case, other)]
    _used(case, pressure.days, [other.name for other in others], started)
    upcoming = pa.concat_tables([_NOBODY, *(_upcoming(case, other) for other in higher)])
    connection.register("upcoming", upcoming)
    connection.execute(
        "create temp table reserved as select customer, sum(rows) as contacts from upcoming group by customer"
    )
    return KEPT_BACK.format(most=pressure.at_most)


_DOUBTED = pa.table({"customer": pa.array([], pa.string())})
_NOBODY = pa.table({"customer": pa.array([], pa.string()), "rows": pa.array([], pa.int64())})


def _contacting(case: Case) -> list[Sync]:
    """The other published syncs that contact people, but those that were given up: run once, and not for long."""
    manifest = case.lake.manifest()
    known = {name: Sync.read(name, raw) for name, raw in (manifest.syncs if manifest else {}).items()}
    tables = manifest.tables if manifest else {}
    others = [one for name, one in sorted(known.items()) if one.contact and name != case.sync.name]
    return [one for one in others if one.table in tables and not _given_up(case, one)]


def _given_up(case: Case, other: Sync) -> bool:
    runs = case.ledger.recent_runs(other.name, limit=1)
    days = case.sync.pressure.days if case.sync.pressure else 0
    return bool(runs) and runs[0]["started_at"].replace(tzinfo=UTC) < case.now - timedelta(days=days)


def _used(case: Case, days: int, others: Sequence[str] = (), started: Sequence[str] = ()) -> None:
    """Leave ``used(customer, contacts)``; people who have become one are counted together.

    - ``others``: further syncs whose rows in doubt count; ``started``: those of which a run is under way
    """
    since = (case.now - timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S.%f")
    postgresql = case.ledger.engine.dialect.name == "postgresql"
    moment = "cast(:sync as timestamp) at time zone 'UTC'" if postgresql else ":sync"
    case.connection.register("contacts", case.told(CONTACTS.format(since=moment), since))
    own = [case.sync.name] if case.connection.execute(OWN_DOUBTS).fetchall() else []
    doubts = [_DOUBTED, *(case.told(DOUBTS, name) for name in (*own, *others))]
    planned = [case.told(reserved.NOT_TRIED, name) for name in started]
    case.connection.register("doubts", pa.concat_tables([*doubts, *planned]))
    case.connection.execute(USED)


def _waiting(case: Case) -> bool:
    """Leave ``waiting(key, customer, place)``: rows to be sent, numbered within each person by key.

    Returns whether there are any.
    """
    sync = case.sync
    place = "1" if sync.key == sync.customer else "row_number() over (partition by customer order by key)"
    once = "true" if sync.mode in ("insert", "append") else "false"
    case.connection.execute(WAITING.format(place=place, once=once))
    return bool(case.connection.execute("select 1 from waiting limit 1").fetchall())


def _upcoming(case: Case, other: Sync) -> pa.Table:
    """Whom another sync is about to contact, with how many rows, by every gate but what it leaves to others."""
    audience = Audience(case.lake, other, case.salt, case.ledger.engine)
    theirs = Case(other, audience.connection, case.lake, case.ledger, case.salt, case.now)
    _ledger(case, theirs.connection, other)
    cross(theirs, (consent.GATE, suppression.GATE, holdout.GATE, Gate("pressure", _alone), quality.GATE, size.GATE))
    _waiting(theirs)
    found: pa.Table = theirs.connection.sql(
        "select customer, count(*)::bigint as rows from waiting group by customer"
    ).to_arrow_table()
    return found


def _ledger(case: Case, connection: duckdb.DuckDBPyConnection, other: Sync) -> None:
    """What the ledger says of another sync, as relations beside its audience."""
    connection.register("settled", case.ledger.settled(other.name))
    connection.register("unsettled", case.ledger.unsettled(other.name))
    connection.register("known_exclusions", case.ledger.exclusions(other.name))
    connection.register("aliases", case.connection.sql("select key, customer from aliases").to_arrow_table())
    connection.execute("create temp view held as select key from settled union all select key from unsettled")


def _alone(case: Case) -> str | None:
    """As ``kept_back``, with nothing reserved for anybody."""
    if case.sync.pressure is None or not _waiting(case):
        return None
    _used(case, case.sync.pressure.days)
    case.connection.register("reserved", _NOBODY.rename_columns(["customer", "contacts"]))
    return KEPT_BACK.format(most=case.sync.pressure.at_most)


GATE = Gate("pressure", kept_back, remember=reserved.reserve)
