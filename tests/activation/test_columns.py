from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snello.activation import Ledger, columns

ODD = st.text(
    st.one_of(st.sampled_from("\x00\x1f\x1e,é€😀'\"? "), st.characters(codec="utf-8")), min_size=1, max_size=6
)
ROWS = st.dictionaries(ODD, st.tuples(st.none() | ODD, st.none() | ODD), max_size=12)


SYNC = count()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    url = f"sqlite:///{tmp_path}/ledger.db"
    opened = Ledger(request.getfixturevalue("postgres") if request.param == "postgresql" else url)
    yield opened
    opened.close()


def delivery(sync: str, key: str, fingerprint: str | None, customer: str | None) -> dict[str, Any]:
    said = {"sync": sync, "key": key, "fingerprint": fingerprint, "tried": None, "status": "delivered", "op": "upsert"}
    return {**said, "code": "", "attempt": 1, "batch": None, "remote_id": None, "run_id": "r1", "customer": customer}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, page=st.integers(1, 5))
def test_columns_hold_what_was_written_whatever_it_is_and_however_many_pages_it_takes(
    ledger: Ledger, rows: dict[str, tuple[str | None, str | None]], page: int
) -> None:
    if ledger.engine.dialect.name == "postgresql":  # whose texts cannot hold it
        rows = {key: pair for key, pair in rows.items() if "\x00" not in f"{key}{pair[0]}{pair[1]}"}
    sync = f"s{next(SYNC)}"
    ledger.record([delivery(sync, key, *pair) for key, pair in rows.items()])
    shown = {"fingerprint": "coalesce(fingerprint, '')", "customer": "coalesce(customer, '')"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "PAGE", page)
        found = columns.keyed(ledger.engine, "deliveries", shown, sync)
    assert {row["key"]: (row["fingerprint"], row["customer"]) for row in found.to_pylist()} == rows


def test_a_column_longer_than_any_text_of_sqlite_is_read_row_by_row(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    ledger.record([delivery("s", f"key {n:04}", "f", None) for n in range(300)])
    with ledger.engine.connect() as connection:  # the pool has one connection, which the reader gets
        raw: Any = connection.connection.driver_connection
        raw.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1_000)
    found = columns.columns(ledger.engine, "select key from deliveries where sync = :sync", "s")
    assert found["key"].to_pylist() == [f"key {n:04}" for n in range(300)]
    ledger.close()
