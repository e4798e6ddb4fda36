"""The fast path of PostgreSQL: one COPY stream into Arrow, with the types settled in SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any
from zoneinfo import ZoneInfo

import adbc_driver_postgresql
import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from adbc_driver_manager import AdbcConnection, AdbcStatement, Error
from psycopg.conninfo import make_conninfo
from sqlalchemy.dialects.postgresql.base import PGDialect

from snello.kit.sql.ahead import ahead
from snello.kit.sql.chunks import Chunk, Outline, gathered
from snello.kit.sql.faults import told
from snello.kit.sql.fit import checked_text, fitted
from snello.kit.sql.query import Range, Writer
from snello.kit.sql.source import CONNECT_SECONDS, POSTGRES_SESSION, Source
from snello.kit.sql.tables import Table
from snello.kit.sql.types import Column, Expression, Kind

_AS_TEXT = {Kind.DECIMAL, Kind.UUID, Kind.TIME, Kind.JSON, Kind.OTHER}
_DIALECT = PGDialect(paramstyle="named")  # type: ignore[no-untyped-call]  # so that a % in a name stays one
_EPOCH = {8: 946_684_800_000_000, 4: 10_957}  # 2000-01-01, where PostgreSQL's time begins, since 1970


class PostgresReader:
    """Reads through ADBC, a thread ahead of its caller."""

    def __init__(self, source: Source, zone: ZoneInfo) -> None:
        self.source, self.zone = source, zone
        self.writer = Writer(_read, _bind)

    def highest(self, table: Table, name: str) -> Any:
        """The highest value of a column, as a state holds it."""
        statement = Writer(lambda _column, expression: sa.cast(expression, sa.Text), _bind).highest(table, name)
        value = self.source.scalar(statement, table.name.table)
        return int(value) if value is not None and table.column(name).kind is Kind.INTEGER else value

    def bounds(self, table: Table, rows: Range) -> tuple[Any, Any]:
        """The lowest and the highest value of the first key column in a range, as a state holds them."""
        statement = Writer(lambda _column, expression: sa.cast(expression, sa.Text), _bind).bounds(table, rows)
        lowest, highest = self.source.row(statement, table.name.table)
        return lowest, highest

    def count(self, table: Table) -> int:
        """How many rows the table has."""
        return int(self.source.scalar(self.writer.count(table), table.name.table))

    def named(self, table: Table, outline: Outline, values: Sequence[Sequence[Any]]) -> Iterator[Chunk]:
        """The rows that have one of these keys, given as a state holds them."""
        return self._streamed(
            table, outline, self.writer.named(table, outline.columns, outline.keys, values), len(values)
        )

    def chunks(self, table: Table, outline: Outline, rows: Range, size: int) -> Iterator[Chunk]:
        """The rows of a range, in its order, about ``size`` at a time."""
        return self._streamed(table, outline, self.writer.select(table, outline.columns, rows), size)

    def _streamed(self, table: Table, outline: Outline, statement: sa.Select[Any], size: int) -> Iterator[Chunk]:
        text = str(statement.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))
        with closing(ahead(self._batches(text, table.name.table))) as batches:
            yield from gathered((self._chunk(outline, batch) for batch in batches), size)

    def _batches(self, statement: str, table: str) -> Iterator[pa.RecordBatch]:
        session = list(POSTGRES_SESSION)
        if self.source.unchecked_text:  # else the server would end the run at the first byte that is not UTF-8
            session.append("set client_encoding = 'SQL_ASCII'")
        try:
            # not the driver's DB-API, which imports Polars where it finds it: half a second of every start
            with (
                adbc_driver_postgresql.connect(_where(self.source)) as database,
                AdbcConnection(database) as connection,
                AdbcStatement(connection) as reading,
            ):
                for setting in session:
                    reading.set_sql_query(setting)
                    reading.execute_update()
                reading.set_sql_query(statement)
                stream, _ = reading.execute_query()
                with pa.RecordBatchReader.from_stream(stream) as batches:
                    yield from batches
        except (Error, pa.ArrowException, OSError) as error:
            raise told(error, self.source.place, table) from None

    def _chunk(self, outline: Outline, batch: pa.RecordBatch) -> Chunk:
        arrays, unfit = [], []
        for column, raw in zip(outline.columns, batch.columns, strict=True):
            if column.kind in {Kind.TEXT, Kind.OTHER} and self.source.unchecked_text:
                array, mask = checked_text(raw)
            else:
                array, mask = fitted(column, raw, self.zone)
            arrays.append(array)
            unfit.append(mask)
        return outline.chunk(arrays, unfit, lambda row, place: _cell(batch.column(place), row))


def _read(column: Column, expression: Expression) -> Expression:
    if column.kind is Kind.INTEGER:
        return sa.cast(expression, sa.BigInteger)
    if column.kind is Kind.NUMBER:
        return sa.cast(expression, sa.Double)
    if column.kind is Kind.ARRAY:
        return sa.cast(sa.func.to_json(expression), sa.Text)
    padded = isinstance(column.type, sa.CHAR)  # as text, PostgreSQL would strip the padding
    if column.kind in _AS_TEXT or (column.kind is Kind.TEXT and not padded):
        return sa.cast(expression, sa.Text)
    return expression


def _bind(_column: Column, value: Any) -> Expression:
    """A literal without a type: PostgreSQL gives it that of the column beside it, whatever that is."""
    text = str(value).replace("'", "''")
    return sa.literal_column(f"'{text}'")


def _where(source: Source) -> str:
    """The address as libpq takes it, the same that SQLAlchemy connects to."""
    _, given = source.url.get_dialect()().create_connect_args(source.url)
    return make_conninfo(**{"connect_timeout": CONNECT_SECONDS, **given})


def _cell(raw: pa.Array, row: int) -> Any:
    """A value as PostgreSQL would write it, also where Python has no value for it."""
    if isinstance(raw, pa.ExtensionArray):
        raw = raw.storage
    if not raw[row].is_valid:
        return None
    if pa.types.is_temporal(raw.type):
        return _time_text(raw, row)
    if pa.types.is_binary(raw.type):
        return "\\x" + raw[row].as_py().hex()
    if pa.types.is_string(raw.type):
        return raw[row].as_buffer().to_pybytes().decode(errors="backslashreplace")
    value = raw[row].as_py()
    return value if not isinstance(value, float) or np.isfinite(value) else str(value)


def _time_text(raw: pa.Array, row: int) -> str:
    size = raw.type.bit_width // 8
    number = raw.view(pa.int64() if size == 8 else pa.int32())[row].as_py()
    half = 2 ** (size * 8 - 1)
    since_2000 = (number - _EPOCH[size] + half) % (2 * half) - half  # the driver's sum may have wrapped around
    if since_2000 in (half - 1, -half):
        return "infinity" if since_2000 > 0 else "-infinity"
    if size == 4:
        return str(np.datetime64(number, "D"))
    return str(np.datetime64(number, "us")) + ("+00:00" if raw.type.tz else "")
