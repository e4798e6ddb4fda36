"""Reading tables back, as DuckDB does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import pytest

from snello.lake.scan import scan_sql

Rows = Callable[..., list[dict[str, Any]]]


def _rows(uri: str, version: int | None = None) -> list[dict[str, Any]]:
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    found: list[dict[str, Any]] = connection.sql(scan_sql(str(uri), version)).to_arrow_table().to_pylist()
    return found


@pytest.fixture(scope="session")
def rows() -> Rows:
    """Every row of the table at a uri, at its newest version or the one given."""
    return _rows
