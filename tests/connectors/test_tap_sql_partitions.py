"""Tables read over several connections at once: the same rows, resumed part by part, while others write."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg
import pytest
from tests.servers.mariadb import mariadb, mariadb_server

from snello.errors import ContractError
from tap_sql import TapSql

__all__ = ["mariadb", "mariadb_server"]

ROWS = 5_000
MOVES = "create table moves (no int primary key, at timestamp null, day date, name varchar(9))"
Run = Callable[[str], None]


def _postgres(url: str, text: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(text.encode())


def _sqlite(path: Path, text: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(text)
    connection.close()


@pytest.fixture(params=["postgres", "mariadb", "sqlite"])
def moves(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Run]:
    """URL of a database with a table of moves, and a function that runs statements in it."""
    run: Run
    if request.param == "sqlite":
        url, run = f"sqlite:///{tmp_path}/moves.db", partial(_sqlite, tmp_path / "moves.db")
    elif request.param == "mariadb":
        url = request.getfixturevalue("mariadb")
        run = partial(request.getfixturevalue("mariadb_server").run, database=url.rpartition("/")[2])
    else:
        url = request.getfixturevalue("postgres")
        run = partial(_postgres, url)
    run(MOVES)
    rows = (
        f"({no}, '2026-01-{1 + no % 28:02} 10:00:0{no % 7}', '2026-02-{1 + no % 28:02}', 'n{no}')" for no in range(ROWS)
    )
    run("insert into moves values " + ", ".join(rows))
    return url, run


REPLICATIONS: dict[str, dict[str, Any]] = {"whole": {}, "time": {"*": {"key": "at"}}, "date": {"*": {"key": "day"}}}


def numbers(ran: Any) -> list[int]:
    return sorted(row["no"] for row in ran.as_lake("moves").to_pylist())


@pytest.mark.parametrize("replication", REPLICATIONS.values(), ids=list(REPLICATIONS))
def test_parts_are_the_table_and_leave_the_bookmark_of_one_reading(
    moves: tuple[str, Run], replication: dict[str, Any], tap_sql: Any, tmp_path: Path
) -> None:
    config = {"url": moves[0], "tables": ["moves"], "replication": replication, "batch_rows": 700}
    alone = tap_sql(config)
    for ran in (tap_sql(config | {"partitions": 3}), tap_sql.batched(config | {"partitions": 4}, tmp_path / "b")):
        assert numbers(ran) == list(range(ROWS))
        assert ran.bookmark("moves") == alone.bookmark("moves")
        again = tap_sql(config | {"partitions": 3}, state=ran.state)
        assert len(again.records("moves")) == len(tap_sql(config, state=alone.state).records("moves"))


@pytest.mark.parametrize("after", [0, 1, 4, 9])
@pytest.mark.parametrize("replication", list(REPLICATIONS.values())[:2], ids=list(REPLICATIONS)[:2])
def test_every_part_goes_on_where_it_was_cut_off(
    moves: tuple[str, Run], replication: dict[str, Any], after: int, tap_sql: Any
) -> None:
    """With as many parts as then or with one, nothing is lost and nothing comes twice."""
    config = {"url": moves[0], "tables": ["moves"], "replication": replication, "batch_rows": 300, "partitions": 3}
    tap = TapSql(config=config)
    stream: Any = tap.streams["moves"]
    chunks, sent = stream._chunks(300), []
    for rows, chunk in islice(chunks, after):
        stream._advance(rows, chunk)
        sent += chunk.rows.column("no").to_pylist()
    chunks.close()
    state = json.loads(json.dumps(dict(tap.state)))
    for partitions in (3, 1, 8):
        rest = tap_sql(config | {"partitions": partitions}, state=json.loads(json.dumps(state)))
        assert sorted(sent + [row["no"] for row in rest.records("moves")]) == list(range(ROWS))
        assert "resume" not in rest.bookmark("moves")


def test_rows_that_come_while_parts_are_read_neither_hide_nor_double_the_others(
    moves: tuple[str, Run], tap_sql: Any
) -> None:
    url, run = moves
    stop, written = Event(), []

    def write() -> None:
        while not stop.is_set() and len(written) < 400:
            no = 10_000 + len(written) if len(written) % 2 else -1 - len(written)
            run(f"insert into moves values ({no}, '2026-03-01 00:00:00', '2026-03-01', 'late')")
            written.append(no)

    writer = Thread(target=write)
    writer.start()
    try:
        read = numbers(tap_sql({"url": url, "tables": ["moves"], "batch_rows": 200, "partitions": 4}))
    finally:
        stop.set()
        writer.join()
    assert len(read) == len(set(read))
    assert set(range(ROWS)) <= set(read) <= set(range(ROWS)) | set(written)


def test_a_table_whose_key_cannot_be_divided_is_read_as_ever(moves: tuple[str, Run], tap_sql: Any) -> None:
    url, run = moves
    run("create table names (name varchar(9) primary key)")
    run("insert into names values ('a'), ('b')")
    run("create view keyless as select name from names")
    ran = tap_sql({"url": url, "tables": ["names", "keyless"], "partitions": 4})
    assert [row["name"] for row in ran.records("names")] == ["a", "b"]
    assert len(ran.records("keyless")) == 2


def test_a_fault_in_one_part_ends_the_reading_with_its_sentence(postgres: str, tap_sql: Any) -> None:
    _postgres(postgres, "create table t (id int primary key)")
    _postgres(postgres, "insert into t select generate_series(1, 1000)")
    _postgres(postgres, "create view v as select id, 1 / (id - 900) as share from t")
    config = {"url": postgres, "tables": ["v"], "primary_keys": {"v": ["id"]}, "partitions": 3}
    with pytest.raises(ContractError, match=r"tap-sql: v: PostgreSQL at \S+ answered with \w+\. Next: look"):
        tap_sql(config)
