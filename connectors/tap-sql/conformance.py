"""tap-sql tried on a SQLite database with decimals, moments, blobs, and many rows of one moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from snello.kit.conformance.taps import Key, Subject, starts

CANARY = "canary.person@aurora.example"
TABLES = """
create table orders (id integer primary key, email text, amount numeric(10, 2), paid boolean, ordered_on date,
    note blob, updated_at timestamp);
create table shops (code text primary key, city text);
"""
ROWS = 50
AT = "2026-01-02 10:00:00"


def _execute(path: Path, statement: str, *rows: tuple[object, ...]) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(statement, rows)


@starts(
    {
        "http": "a database does not speak HTTP",
        "authenticates": "a SQLite file asks for no password",
        "renews": "a SQLite file asks for no password",
    }
)
def sqlite() -> Iterator[Subject]:
    """Orders by their moment of change, their deletions told; shops whole."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "shop.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(TABLES)
        insert = "insert into orders values (?, ?, ?, ?, ?, ?, ?)"
        _execute(path, insert, *(_order(n, f"2026-01-0{1 + n // 30} 10:00:00") for n in range(ROWS)))
        _execute(path, "insert into shops values (?, ?)", ("MI", "Milano"), ("RM", None))

        def change() -> tuple[str, Key]:
            _execute(path, "update orders set amount = 1, updated_at = ? where id = 3", ("2026-02-01 08:00:00",))
            return "orders", (3,)

        def tie() -> tuple[str, list[Key]]:
            _execute(path, insert, _order(900, AT), _order(901, AT))
            return "orders", [(900,), (901,)]

        def remove() -> tuple[str, Key]:
            _execute(path, "delete from orders where id = ?", (7,))
            return "orders", (7,)

        # grown, it tells no deletions: of each row that may be missed, some bytes are remembered
        now = {"deletes": ["orders"], "batch_rows": 7}

        def grow(rows: int) -> None:
            now.update({"deletes": [], "batch_rows": 5_000})
            _execute(path, insert.replace("into", "or replace into"), *(_order(1000 + n, AT) for n in range(rows)))

        yield Subject(
            command="tap_sql:main",
            plugin="tap_sql:TapSql",
            config=lambda _: {
                "url": f"sqlite:///{path}",
                "replication": {"orders": {"key": "updated_at"}},
                **now,
            },
            rows={"orders": ROWS, "shops": 2},
            canaries=(CANARY,),
            change=change,
            overlap=ROWS - 30,
            tie=tie,
            remove=remove,
            grow=grow,
            full=25_000,
        )


def _order(number: int, at: str) -> tuple[object, ...]:
    return (number, CANARY, 19.99 + number, number % 2, "2026-01-02", b"\x00\xff" if number % 3 else None, at)
