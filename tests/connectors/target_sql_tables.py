"""Databases that target-sql is tried on, and a sink on one table of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from snello.activation import Change
from target_sql import Rows, Settings

SCHEMA = {
    "customer_id": {"type": ["string", "null"]},
    "name": {"type": ["string", "null"]},
    "visits": {"type": ["integer", "null"]},
    "revenue": {"type": ["number", "null"]},
    "born": {"type": ["string", "null"], "format": "date"},
    "seen_at": {"type": ["string", "null"], "format": "date-time"},
    "loyal": {"type": ["boolean", "null"]},
    "shops": {"type": ["array", "null"]},
}
CANARY = "canary person"


@dataclass
class Base:
    """A database: its URL, and statements run there by its owner."""

    url: str

    def run(self, *statements: str) -> None:
        """Run statements, each for itself."""
        engine = sa.create_engine(self.url, poolclass=NullPool)
        with engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        engine = sa.create_engine(self.url, poolclass=NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(query)]


def sink(url: str, *columns: str, sync: str = "sql__loyal", **settings: Any) -> Rows:
    """A sink as the target would make it, for an audience of these columns."""
    made = Rows(Settings(url=url, **{"timeout": 2, "retry_attempts": 2, **settings}), sync, "loyal")
    made.schema = {"properties": {name: SCHEMA[name] for name in ("customer_id", *columns)}}
    return made


def put(rows: Rows, *members: Mapping[str, Any], mode: str = "mirror", **more: Any) -> dict[str, str]:
    """Upsert members; the code of each, empty when it was delivered."""
    changes = [Change("upsert", str(each["customer_id"]), "f", each, mode=mode, **more) for each in members]
    return {verdict.key: verdict.code for verdict in rows.upsert(changes)}


def take(rows: Rows, *keys: str, erase: bool = False) -> dict[str, str]:
    """Remove members; the code of each, empty when it was delivered."""
    changes = [Change("remove", key, known=True) for key in keys]
    return {verdict.key: verdict.code for verdict in (rows.erase if erase else rows.remove)(changes)}


def member(number: int, **values: Any) -> dict[str, Any]:
    """A member by number."""
    return {"customer_id": f"c{number}", "name": f"{CANARY} {number}", "visits": number, **values}
