"""Rows of the ledger by columns, as Arrow: a million in a second, where rows one by one would take many.

A file of SQLite is opened by one copy of its library alone: locks of one copy are invisible to another in the same
process, and closing one lets go of the other's (https://www.sqlite.org/howtocorrupt.html, section 2.2). So the ledger
is not read through ADBC, which bears its own: SQLite joins each column into one text, which becomes Arrow's buffer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError

from snello.activation.ledger_faults import fault_of

PAGE = 250_000  # rows of a sync joined at a time; SQLite holds no text of more than a billion bytes
_SEPARATOR = 31  # U+001F, the unit separator


def columns(engine: Engine, sql: str, given: str) -> pa.Table:
    """The rows of a SELECT with one parameter, written ``:sync``, as columns of text.

    Where null may stand the statement says ``coalesce(x, '')``: the empty text comes back as null.
    """
    if engine.dialect.name == "postgresql":
        return _nulled(_of_postgresql(engine, sql, given))
    with engine.connect() as connection:
        return _nulled(pa.Table.from_batches([_of_sqlite(connection, sql.replace(":sync", "?1"), (given,))]))


def keyed(engine: Engine, table: str, shown: Mapping[str, str], sync: str, only: str = "true") -> pa.Table:
    """The rows of a sync in a table whose key is ``sync, key``: the key, and expressions by name, as ``columns``.

    ``only``: a condition on the rows.
    """
    named = "".join(f", {expression} as {name}" for name, expression in shown.items())
    sql = f"select key{named} from {table} where sync = :sync and ({only})"
    if engine.dialect.name == "postgresql":
        return columns(engine, sql, sync)
    with engine.connect() as connection:
        connection.exec_driver_sql("begin")  # every page reads the ledger as it is now
        return _nulled(pa.Table.from_batches(_pages(connection, sql.replace(":sync", "?1"), sync)))


def _of_postgresql(engine: Engine, sql: str, given: str) -> pa.Table:
    import adbc_driver_manager
    from adbc_driver_postgresql import dbapi

    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with dbapi.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute(sql.replace(":sync", "$1"), parameters=(given,))
            return cursor.fetch_arrow_table()
    except adbc_driver_manager.Error as error:
        raise fault_of(error) from None


def _pages(connection: Connection, sql: str, sync: str) -> Iterator[pa.RecordBatch]:
    """Page by page in the order of the key, by which the table is kept."""
    page = _of_sqlite(connection, f"{sql} order by key limit {PAGE}", (sync,))
    yield page
    while page.num_rows == PAGE:
        last = pc.max(page["key"]).as_py()
        page = _of_sqlite(connection, f"{sql} and key > ?2 order by key limit {PAGE}", (sync, last))
        yield page


def _of_sqlite(connection: Connection, sql: str, given: tuple[str, ...]) -> pa.RecordBatch:
    names = list(connection.exec_driver_sql(f"select * from ({sql}) limit 0", given).keys())
    joined = ", ".join(f"cast(group_concat({name}, '{chr(_SEPARATOR)}') as blob)" for name in names)
    try:
        size, *texts = connection.exec_driver_sql(f"select count(*), {joined} from ({sql})", given).one()
        arrays = [_parted(text or b"", size) for text in texts]
    except DataError:  # longer than any text that SQLite holds
        arrays = [None]
    if any(array is None for array in arrays):
        plain = ", ".join(f"cast({name} as text)" for name in names)
        rows = connection.exec_driver_sql(f"select {plain} from ({sql})", given).all()
        arrays = [pa.array([row[place] for row in rows], pa.string()) for place in range(len(names))]
    return pa.record_batch(arrays, names=names)


def _parted(text: bytes, size: int) -> pa.StringArray | None:
    """The ``size`` texts that were joined; None where the separator stands in one of them."""
    seen = np.frombuffer(text, np.uint8)
    between = seen == _SEPARATOR
    if np.count_nonzero(between) != max(size - 1, 0):
        return None
    length, uneven = divmod(len(seen) + 1 - size, max(size, 1))
    if size and not uneven and between[length :: length + 1].all():
        return _alike(seen, size, length)
    offsets = np.empty(size + 1, np.int32)
    offsets[0], offsets[-1] = 0, len(seen) - max(size - 1, 0)
    offsets[1:-1] = np.flatnonzero(between) - np.arange(max(size - 1, 0))
    return pa.StringArray.from_buffers(size, pa.py_buffer(offsets), pa.py_buffer(seen[~between]))


def _alike(seen: np.ndarray, size: int, length: int) -> pa.StringArray:
    """Texts of one length, as fingerprints are and most keys: where each begins need not be looked for."""
    letters = np.empty((size, length), np.uint8)
    letters[:-1] = seen[: (size - 1) * (length + 1)].reshape(size - 1, length + 1)[:, :length]
    letters[-1] = seen[(size - 1) * (length + 1) :]
    offsets = np.arange(size + 1, dtype=np.int32) * np.int32(length)
    return pa.StringArray.from_buffers(size, pa.py_buffer(offsets), pa.py_buffer(letters))


def _nulled(found: pa.Table) -> pa.Table:
    return pa.table([_null_for_empty(column.cast(pa.string())) for column in found.columns], names=found.column_names)


def _null_for_empty(column: pa.ChunkedArray) -> pa.ChunkedArray:
    empty = pc.equal(column, "")
    return pc.if_else(empty, None, column) if pc.any(empty).as_py() else column
