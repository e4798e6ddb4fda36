"""PostgreSQL into the lake through ``tap-sql | target-lake``, beside the plain limits and dlt at its fastest.

.venv/bin/python bench/sql_to_lake.py [ROWS]        default: 5,000,000 rows of 15 columns

Each figure is one or two processes of their own, start-up included, over a loopback connection to one server. The
plain limits read the same columns and write Parquet, and do nothing else: no discovery, no state, no table. Memory is
the peak of the process, of two the sum.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PORT = 8491
QUERY = "select * from contacts"
CONTACTS = """
create table contacts (
    contact_id bigint primary key, first_name text, last_name text, email text, phone text, birth_date date,
    sex char(1), street text, postcode char(5), city text, country char(2), newsletter boolean,
    balance numeric(12, 2), created_at timestamptz, updated_at timestamptz
)
"""
ROWS = """
insert into contacts select
    i, 'First' || i % 5000, 'Last' || i % 20000, 'person' || i || '@example.org', '+39' || (3000000000 + i),
    date '1940-01-01' + (i * 7919 % 25000)::int, case when i % 2 = 0 then 'F' else 'M' end, 'Via Roma ' || i % 300,
    lpad((i % 100000)::text, 5, '0'), 'City' || i % 8000, 'IT', i % 3 = 0, ((i * 7) % 1000000) / 100.0,
    timestamptz '2015-01-01' + i * interval '1 second', timestamptz '2020-01-01' + i * interval '1 second'
from generate_series(1::bigint, {rows}) i
"""


@dataclass
class Took:
    """What one way took."""

    name: str
    seconds: float
    cpu: float
    peak_mb: float


# ------------------------------------------------------------ the peers, run by .venv-bench


def peer_adbc(url: str, folder: Path, compression: str) -> None:
    """One process, streaming: the driver's batches into one Parquet file."""
    import pyarrow.parquet as pq
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(QUERY)
        reader = cursor.fetch_record_batch()
        with pq.ParquetWriter(folder / "contacts.parquet", reader.schema, compression=compression) as writer:
            for batch in reader:
                writer.write_batch(batch)


def peer_connectorx(url: str, folder: Path, partitions: str) -> None:
    """All rows in memory, then one Parquet file."""
    import connectorx
    import pyarrow.parquet as pq

    count = int(partitions)
    given: dict[str, Any] = {"partition_on": "contact_id", "partition_num": count} if count > 1 else {}
    pq.write_table(connectorx.read_sql(url, QUERY, return_type="arrow", **given), folder / "contacts.parquet")


def peer_dlt(url: str, folder: Path, destination: str) -> None:
    """dlt's SQL source with connectorx, its fastest back end."""
    import dlt
    from dlt.sources.sql_database import sql_table

    os.environ["DLT_DATA_DIR"] = str(folder / "dlt")
    os.environ["DESTINATION__FILESYSTEM__BUCKET_URL"] = folder.as_uri()
    to = dlt.destinations.duckdb(str(folder / "contacts.duckdb")) if destination == "duckdb" else "filesystem"
    pipeline = dlt.pipeline("contacts", destination=to, dataset_name="bench", pipelines_dir=str(folder / "pipelines"))
    credentials = url.replace("postgresql://", "postgresql+psycopg2://")
    table = sql_table(credentials, table="contacts", backend="connectorx", backend_kwargs={"conn": url})
    pipeline.run(table, write_disposition="replace", loader_file_format="parquet")


PEERS: dict[str, Callable[[str, Path, str], None]] = {
    "adbc": peer_adbc,
    "connectorx": peer_connectorx,
    "dlt": peer_dlt,
}


# ------------------------------------------------------------ running and measuring


def finished(name: str, began: float, processes: Sequence[subprocess.Popen[bytes]]) -> Took:
    cpu = peak = 0.0
    for process in processes:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{name} failed with exit code {process.returncode}")
        cpu, peak = cpu + used.ru_utime + used.ru_stime, peak + used.ru_maxrss / 1024
    return Took(name, time.perf_counter() - began, cpu, peak)


def peer(name: str, kind: str, argument: str, url: str) -> Took:
    from peers import programs

    with tempfile.TemporaryDirectory(prefix="snello-bench-") as folder:
        words = [str(programs() / "python"), __file__, "--peer", kind, url, folder, argument]
        began = time.perf_counter()
        return finished(name, began, [subprocess.Popen(words, stdout=subprocess.DEVNULL)])


def hub(name: str, url: str, rows: int, *, batches: bool, partitions: int = 1) -> Took:
    """The real commands, with configuration files as Meltano writes them."""
    with tempfile.TemporaryDirectory(prefix="snello-bench-") as held:
        folder = Path(held)
        config: dict[str, Any] = {"url": url, "tables": ["contacts"], "partitions": partitions}
        if batches:
            storage = {"root": (folder / "batches").as_uri()}
            config["batch_config"] = {"encoding": {"format": "parquet"}, "storage": storage}
        (folder / "tap.json").write_text(json.dumps(config))
        (folder / "target.json").write_text(json.dumps({"root": str(folder / "lake"), "source": "bench"}))
        programs = Path(sys.executable).parent
        quiet = {**os.environ, "LOGLEVEL": "WARNING"}
        began = time.perf_counter()
        tap = subprocess.Popen(
            [programs / "tap-sql", "--config", folder / "tap.json"], stdout=subprocess.PIPE, env=quiet
        )
        target = subprocess.Popen(
            [programs / "target-lake", "--config", folder / "target.json"],
            stdin=tap.stdout,
            stdout=subprocess.DEVNULL,
            env=quiet,
        )
        assert tap.stdout is not None
        tap.stdout.close()
        took = finished(name, began, [tap, target])
        check(folder / "lake", rows)
        return took


def check(root: Path, rows: int) -> None:
    import duckdb

    from snello.lake import Lake

    lake = Lake(str(root))
    scan = lake.scan_sql(lake.raw_uri("bench", "contacts"))
    with duckdb.connect() as connection:
        found = connection.execute(f"select count(*), count(distinct contact_id) from ({scan})").fetchall()
    if found != [(rows, rows)]:
        sys.exit(f"the lake holds {found[0][0]} rows instead of {rows}")


@contextmanager
def server(rows: int) -> Iterator[str]:
    """A PostgreSQL from the wheel with the contacts, over loopback."""
    import psycopg

    from snello.sandbox.postgres import Postgres

    folder = Path(tempfile.mkdtemp(prefix="snello-bench-postgres-"))
    postgres = Postgres(folder, PORT)
    postgres.start()
    try:
        url = postgres.url.rpartition("/")[0] + "/postgres"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(CONTACTS)
            connection.execute(ROWS.format(rows=rows).encode())
            connection.execute("vacuum analyze contacts")
            connection.execute("checkpoint")
        yield url
    finally:
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    with server(rows) as url:
        limits = [
            peer("ADBC to Parquet, zstd", "adbc", "zstd", url),
            peer("ADBC to Parquet, snappy", "adbc", "snappy", url),
            peer("connectorx to Parquet", "connectorx", "1", url),
            peer("connectorx to Parquet, 2 connections", "connectorx", "2", url),
        ]
        limit = min(took.seconds for took in limits)
        ours = [hub("tap-sql | target-lake, BATCH", url, rows, batches=True)]
        ours.append(hub("tap-sql | target-lake, BATCH, 2 at once", url, rows, batches=True, partitions=2))
        ours.append(hub("tap-sql | target-lake, RECORD", url, rows, batches=False))
        theirs = [
            peer("dlt, connectorx to Parquet files", "dlt", "filesystem", url),
            peer("dlt, connectorx to DuckDB", "dlt", "duckdb", url),
        ]
    print(f"{rows:,} rows of 15 columns from PostgreSQL")
    for took in (*limits, *ours, *theirs):
        rate, ratio = rows / took.seconds, limit / took.seconds
        print(
            f"  {took.name:<38}{rate:>10,.0f} rows/s  {ratio:5.2f} of the limit  "
            f"{took.seconds:6.1f} s, CPU {took.cpu:6.1f} s, peak {took.peak_mb:6,.0f} MB"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer"]:
        PEERS[sys.argv[2]](sys.argv[3], Path(sys.argv[4]), sys.argv[5])
    else:
        main()
