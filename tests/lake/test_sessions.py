from __future__ import annotations

import os

import duckdb
import pyarrow as pa
import pytest

from snello.lake.sessions import session


def test_what_is_made_in_one_session_is_not_seen_in_another() -> None:
    with session() as one, session() as other:
        one.execute("create temp table mine as select 1 as x")
        one.execute("create temp view seen as select 2 as x")
        one.execute("set variable salt = 'grey'")
        one.execute("set TimeZone = 'Asia/Tokyo'")
        one.register("given", pa.table({"x": [3]}))
        for name in ("mine", "seen", "given"):
            with pytest.raises(duckdb.CatalogException):
                other.execute(f"select * from {name}")
        assert other.execute("select getvariable('salt')").fetchall() == [(None,)]
        assert other.execute("select current_setting('TimeZone') = 'Asia/Tokyo'").fetchall() == [(False,)]


def test_a_session_that_is_closed_leaves_nothing_behind() -> None:
    with session() as looking:
        held = "select sum(memory_usage_bytes) from duckdb_memory()"
        [(before,)] = looking.execute(held).fetchall()
        with session() as one:
            one.execute("create temp table much as select range as x from range(5_000_000)")
            assert looking.execute(held).fetchall()[0][0] > before + 10_000_000
        assert looking.execute(held).fetchall()[0][0] < before + 10_000_000


def test_a_process_that_was_forked_off_has_a_database_of_its_own() -> None:
    with session() as mine:
        mine.execute("select 1")
    child = os.fork()
    if child == 0:
        with session() as own:
            os._exit(own.execute("select 7").fetchall()[0][0])
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
