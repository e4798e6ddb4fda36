"""Who else is known by an identifier, of those that a channel alone knows people by, as keyed hashes.

A row counts as a holder while it would be removed should its customer leave: who was refused or given up holds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from sqlalchemy import Connection

from snello.activation.engine import told
from snello.activation.writing import Mark, Page, Pen

PAGE = 5_000
ALIVE = "(d.fingerprint is not null or d.status in ('in_doubt', 'retrying'))"


def holders(pen: Pen, marks: Iterable[str]) -> dict[str, set[str]]:
    """The keys of the rows that hold any of these, by mark; those that are leaving do not count."""
    sql = (
        "select m.mark, m.key from marks as m inner join deliveries as d on d.sync = m.sync and d.key = m.key "
        f"where m.sync = {pen.mark} and m.mark {pen.among} and m.state <> 'leaving' and {ALIVE}"
    )
    found: dict[str, set[str]] = {}
    with told(), pen.engine.connect() as connection:
        for mark, key in connection.exec_driver_sql(sql, (pen.sync, pen.listed(list(marks)))):
            found.setdefault(mark, set()).add(key)
    return found


def keep(pen: Pen, marks: Iterable[str]) -> None:
    """Note that another row's removal leaves these there for the sake of who holds them."""
    sql = f"update marks set state = 'kept' where sync = {pen.mark} and mark {pen.among} and state = 'held'"
    with told(), pen.engine.begin() as connection:
        connection.exec_driver_sql(sql, (pen.sync, pen.listed(list(marks))))


def kept(pen: Pen, marks: Iterable[str]) -> set[str]:
    """The keys of the rows for whose sake one of these was left there."""
    sql = f"select key from marks where sync = {pen.mark} and mark {pen.among} and state = 'kept'"
    with told(), pen.engine.connect() as connection:
        return {key for (key,) in connection.exec_driver_sql(sql, (pen.sync, pen.listed(list(marks))))}


def fill(pen: Pen, marks_of: Callable[[str], Iterable[str]]) -> None:
    """Marks of a sync that has none: of all that its rows are known by, of which ``marks_of`` tells the marks.

    A ledger of an older hub has none, nor has one whose audience was replaced as a whole. All of them or none.
    """
    with told(), pen.engine.begin() as connection:
        if connection.exec_driver_sql(f"select 1 from marks where sync = {pen.mark} limit 1", (pen.sync,)).first():
            return
        for key, sealed, op in _known(connection, pen):
            state = "leaving" if op == "remove" else "held"
            pen.remember(connection, Page(marks=[Mark(pen.sync, mark, key, state) for mark in marks_of(sealed)]))


def _known(connection: Connection, pen: Pen) -> Iterator[tuple[str, str, str]]:
    """Key, sealed handles and last operation of each row that may be held, in the order of the keys."""
    sql = (
        f"select d.key, d.handles, d.op from deliveries as d where d.sync = {pen.mark} and d.key > {pen.mark} "
        f"and d.handles is not null and {ALIVE} order by d.key limit {PAGE}"
    )
    last = ""
    while rows := connection.exec_driver_sql(sql, (pen.sync, last)).fetchall():
        yield from ((row[0], row[1], row[2]) for row in rows)
        last = rows[-1][0]
