"""The raw tables of the lake and which of their rows are a person's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from snello.cli.subject.needles import TEXT, Needles, literal, quoted, text_condition
from snello.cli.subject.person import Record
from snello.errors import ContractError
from snello.lake import Lake
from snello.lake.quarantine import STREAM as QUARANTINE
from snello.lake.tombstones import STREAM as TOMBSTONES

_LOADS = "_loads"
_ENOUGH = 3  # fewer keys may stand in another column by chance
_LEDGER = "ledger"  # receipts read back: ids and codes, and the proof of the erasure itself


@dataclass(frozen=True)
class RawTable:
    """A stream of a source, with the columns that name a row, and those that hold keys of other streams."""

    source: str
    stream: str
    uri: str
    keys: tuple[str, ...]
    columns: dict[str, str]
    foreign: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """The table as people name it."""
        return f"{self.source}/{self.stream}"

    @property
    def key(self) -> str:
        """SQL for the row's key as one text."""
        parts = ", ".join(f"{quoted(name)}::varchar" for name in self.keys)
        return f"concat_ws('/', {parts})" if parts else "null"

    @property
    def condition(self) -> str:
        """What is true of a row of the person: by its key, by the key of a row it belongs to, or by what it says.

        What it says does not count where the row is known to be somebody else's.
        """
        mine = f"(select key from own where source = {literal(self.source)} and stream = {{stream}})"
        said = [f"{self.key} in {mine.format(stream=literal(self.stream))}"] if self.keys else []
        said += [
            f"{quoted(column)}::varchar in {mine.format(stream=literal(stream))}" for column, stream in self.foreign
        ]
        texts = text_condition(self.columns)
        if self.keys:
            theirs = f"source = {literal(self.source)} and stream = {literal(self.stream)}"
            texts = f"({texts} and {self.key} not in (select key from others where {theirs}))"
        named = [f"{quoted(c)} in (select name from names)" for c, kind in self.columns.items() if kind == TEXT]
        return " or ".join([*said, texts, *(named if self.source == TOMBSTONES[0] else [])])


def raw_tables(lake: Lake, needles: Needles) -> list[RawTable]:
    """Every raw table that may hold something of a person, the quarantines among them."""
    found = {name: uri for name, uri in lake.raw_tables().items() if name[1] != _LOADS}
    found = {name: uri for name, uri in found.items() if name[0] != _LEDGER and name != TOMBSTONES}
    tables = [
        RawTable(source, stream, uri, keys_of(lake, needles, source, stream, uri), needles.columns(lake.scan_sql(uri)))
        for (source, stream), uri in sorted(found.items())
    ]
    return [_linked(table, tables) for table in tables]


def keys_of(lake: Lake, needles: Needles, source: str, stream: str, uri: str) -> tuple[str, ...]:
    """The columns that name a row of a stream: as the loader noted them, else the column with the keys of all others.

    Raises ``ContractError`` when rows of the person are known in the stream and no column is known to hold their keys.
    """
    if stream == QUARANTINE:
        return ("id",)
    noted = _noted(lake, needles, source, stream)
    if noted:
        return noted
    if not any((one, other) == (source, stream) for one, other, _ in needles.person.records):
        return ()
    scan = lake.scan_sql(uri)
    able = [name for name in needles.columns(scan) if _holds_keys(needles, scan, name, (source, stream))]
    if len(able) != 1:
        what = "which of its columns is the key is not known"
        raise ContractError(f"raw/{source}/{stream}", what, "load it once with `meltano run extract`, then try again")
    return (able[0],)


def _noted(lake: Lake, needles: Needles, source: str, stream: str) -> tuple[str, ...]:
    uri = lake.raw_tables().get((source, _LOADS))
    if uri is None or "keys" not in needles.columns(scan := lake.scan_sql(uri)):
        return ()
    newest = needles.session.execute(
        f"select keys from ({scan}) where stream = $1 and keys is not null order by finished_at desc limit 1", [stream]
    ).fetchall()
    return tuple(name for name in newest[0][0].split(",") if name) if newest else ()


def _holds_keys(needles: Needles, scan: str, name: str, stream: tuple[str, str]) -> bool:
    """Whether a column has another value in each row and every key of the stream that is somebody else's."""
    column = quoted(name)
    keys = "select key from others where source = $source and stream = $stream"
    asked = (
        f"select count(*) = count(distinct {column}), count(*) filter (where {column}::varchar in ({keys})), "
        f"(select count(*) from ({keys})) from ({scan})"
    )
    given = {"source": stream[0], "stream": stream[1]}
    unique, there, wanted = needles.session.execute(asked, given).fetchall()[0]
    return bool(unique and there == wanted >= _ENOUGH)


def _linked(table: RawTable, tables: list[RawTable]) -> RawTable:
    """The table with its columns that hold keys of other streams of the source, found by their names."""
    links = tuple(sorted(set(_links(table, tables))))
    return RawTable(table.source, table.stream, table.uri, table.keys, table.columns, links)


def _links(table: RawTable, tables: list[RawTable]) -> Iterator[tuple[str, str]]:
    """Only names that say what they point at, such as customer_no or order_id: rows of others hang on this."""
    for other in tables:
        if other.source != table.source or other.stream == table.stream or len(other.keys) != 1 or not table.keys:
            continue
        [key], single = other.keys, other.stream.removesuffix("s")
        names = {f"{single}_{key}", key if key.startswith(f"{single}_") else f"{single}_{key}"}
        yield from ((name, other.stream) for name in names if name in table.columns and name not in table.keys)


def found(lake: Lake, needles: Needles, table: RawTable) -> pa.Table:
    """The person's rows of a raw table."""
    return needles.rows(lake.scan_sql(table.uri), table.condition)


def keys_found(lake: Lake, needles: Needles, table: RawTable) -> set[Record]:
    """The keys of the person's rows of a raw table."""
    if not table.keys or table.stream == QUARANTINE:
        return set()
    asked = f"select distinct {table.key} from ({lake.scan_sql(table.uri)}) where {table.condition}"
    return {(table.source, table.stream, row[0]) for row in needles.session.execute(asked).fetchall()}
