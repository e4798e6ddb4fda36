"""How long tap-activation takes to see what changed in an audience, beside plain ways of doing the same.

.venv/bin/python bench/activation_diff.py [MEMBERS]     default: 1,000,000 members, of whom 1 % change

Each figure is a run of its own, from the published table and the ledger on disk to the changes, start-up apart. The
plain ways compare whole rows with a copy of yesterday's audience, which a hub would have to keep in clear; they check
no consent and know nothing of refusals, doubt or suppression. CPU seconds say more than the clock on a shared machine.

Measured with consent as the only gate, and with every gate on: lists with 20,000 addresses and people, a holdout of
a tenth, 100,000 contacts of the last days through another channel, required and valid values, a smallest size.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from snello.activation import Ledger, Plan, Planner
from snello.activation.tables import contacts
from snello.lake import Lake

SYNC, SALT = "bench__everybody", "bench"
AUDIENCE = """
select
    'c' || lpad(i::varchar, 12, '0') as customer_id, 'person' || i || '@example.it' as email,
    'Mario' as first_name, 'Rossi' || (i % 5000) as last_name, date '1960-01-01' + (i % 15000)::int as birth_date,
    i % 30 + case when {changed} then 1 else 0 end as visits, (i % 1000) / 7.0 as revenue, 'it' as language,
    'occasional' as stage
from range({members}) as t(i)
"""
CONSENTS = """
select
    'c' || lpad(i::varchar, 12, '0') as customer_id, purpose, 'email' as channel,
    case when purpose = 'email_marketing' then 'yes' else 'no' end as state, 'crm' as decided_by_source,
    'row' || i as record_key, timestamptz '2026-01-01 00:00:00+00' as observed_at
from range({members}) as t(i), (values ('email_marketing'), ('profiling')) as p(purpose)
"""
SUPPRESSIONS = """
select
    'c' || lpad((i * 50)::varchar, 12, '0') as customer_id, 'email' as channel, 'hard' as reason,
    case when i % 2 = 0 then sha256('address' || i) end as address_hash, timestamptz '2026-01-01 00:00:00+00' as since
from range({many}) as t(i)
"""
TERMS: dict[str, Any] = {"target": "target-webhook", "purpose": "email_marketing", "channel": "email"}
GATES: dict[str, Any] = {
    "holdout": {"share": 0.1},
    "contact": True,
    "pressure": {"at_most": 2, "days": 7},
    "required": ["email", "last_name"],
    "valid": {"email": "email"},
    "min_size": 100,
}


def table(query: str) -> pa.Table:
    with duckdb.connect() as connection:
        return connection.sql(query).to_arrow_table()


def publish(lake: Lake, members: int, changed: str, gates: Mapping[str, Any]) -> pa.Table:
    audience = table(AUDIENCE.format(members=members, changed=changed))
    tables = {f"activation/{SYNC}": audience, "consent_current": table(CONSENTS.format(members=members))}
    tables["suppressions"] = table(SUPPRESSIONS.format(many=members // 25 if gates else 0))
    lake.publish(tables, run_id=f"{changed}, {len(gates)} gates", syncs={SYNC: {**TERMS, **gates}})
    return audience


def planned(lake: Lake, ledger_url: str) -> tuple[Plan, int]:
    """The plan and how many rows it emits."""
    ledger = Ledger(ledger_url)
    try:
        plan = Planner(lake, ledger, SALT).plan(SYNC)
        return plan, sum(some.num_rows for some in plan.tables())
    finally:
        ledger.close()


def contact(ledger_url: str, members: int) -> None:
    """Note a contact with every tenth customer, yesterday and through another channel."""
    ledger, at = Ledger(ledger_url), datetime.now(UTC) - timedelta(days=1)
    fixed = {"channel": "sms", "sync": "another", "at": at}
    rows = [{**fixed, "customer": f"c{n:012}", "key": f"c{n:012}"} for n in range(0, members, 10)]
    with ledger.engine.begin() as connection:
        connection.execute(contacts.insert(), rows)
    ledger.close()


def deliver(lake: Lake, ledger_url: str) -> None:
    """Note every row as delivered, as a target does that takes all."""
    ledger = Ledger(ledger_url)
    plan = Planner(lake, ledger, SALT).plan(SYNC)
    fixed = {"sync": SYNC, "status": "delivered", "op": "upsert", "code": "", "attempt": 1, "batch": None}
    for some in plan.tables(chunk=50_000):
        pairs = zip(some["_key"].to_pylist(), some["_fingerprint"].to_pylist(), strict=True)
        own = {"remote_id": None, "run_id": plan.run_id}
        ledger.record([{**fixed, **own, "key": key, "fingerprint": f, "tried": f} for key, f in pairs])
    ledger.finish(plan.run_id, SYNC, "delivered")
    ledger.close()


def by_except(before: Path, after: Path) -> int:
    """Plain SQL: what is in one and not in the other."""
    with duckdb.connect() as connection:
        one, other = f"read_parquet('{after}')", f"read_parquet('{before}')"
        query = f"select count(*) from (select * from {one} except select * from {other})"
        gone = f"select count(*) from (select customer_id from {other} except select customer_id from {one})"
        return sum(int(connection.execute(part).fetchall()[0][0]) for part in (query, gone))


def by_sets(before: Path, after: Path) -> int:
    """Plain Python: rows as tuples in sets."""
    one, other = (set(zip(*pq.read_table(path).to_pydict().values(), strict=True)) for path in (after, before))
    return len(one - other) + len({row[0] for row in other} - {row[0] for row in one})


def timed(label: str, run: Callable[[], int]) -> None:
    started, worked = time.perf_counter(), time.process_time()
    found = run()
    clock, work = time.perf_counter() - started, time.process_time() - worked
    print(f"  {label:<46} {clock:6.2f} s   {work:6.2f} s of CPU   {found:,} changes", flush=True)


def main() -> None:
    members = int(sys.argv[1].replace(",", "").replace("_", "")) if len(sys.argv) > 1 else 1_000_000
    for label, gates in (("consent alone", {}), ("every gate", GATES)):
        folder = Path(tempfile.mkdtemp(prefix="bench-activation-"))
        try:
            measure(folder, members, label, gates)
        finally:
            shutil.rmtree(folder)


def measure(folder: Path, members: int, label: str, gates: Mapping[str, Any]) -> None:
    """Deliver an audience, then see what a run costs when nothing has changed, and when a hundredth has."""
    lake, ledger_url = Lake(str(folder / "lake")), f"sqlite:///{folder}/ledger.db"
    pq.write_table(publish(lake, members, "false", gates), folder / "before.parquet")
    deliver(lake, ledger_url)
    contact(ledger_url, members)
    for words, changed in (("nothing changed", "false"), ("1 % changed", "i % 100 = 7")):
        pq.write_table(publish(lake, members, changed, gates), folder / "after.parquet")
        print(f"{members:,} members, {label}, {words}:")
        timed("tap-activation: gates, fingerprints, diff, rows", lambda: planned(lake, ledger_url)[1])
        if not gates:
            timed("DuckDB EXCEPT over two copies in clear", lambda: _both(by_except, folder))
            timed("Python sets over two copies in clear", lambda: _both(by_sets, folder))


def _both(compare: Callable[[Path, Path], int], folder: Path) -> int:
    return compare(folder / "before.parquet", folder / "after.parquet")


if __name__ == "__main__":
    main()
