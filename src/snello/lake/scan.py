"""Delta tables as DuckDB sees them: a SELECT over the live Parquet files, typed as the Delta schema says."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from deltalake.schema import ArrayType, MapType, PrimitiveType, StructType

import snello.lake.storage as storage
from snello.errors import ContractError

_TYPES = {
    "string": "VARCHAR",
    "long": "BIGINT",
    "integer": "INTEGER",
    "short": "SMALLINT",
    "byte": "TINYINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "binary": "BLOB",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
    "timestamp_ntz": "TIMESTAMP",
}


def open_table(uri: str, version: int | None = None) -> DeltaTable:
    """The Delta table at ``uri``; raises ``ContractError`` when there is none."""
    try:
        table = DeltaTable(uri, version=version)
    except TableNotFoundError:
        raise ContractError(uri, "no such table in the lake", "run the pipeline that loads or publishes it") from None
    foreign = {"deletionVectors", "columnMapping"} & set(table.protocol().reader_features or ())
    if foreign:
        raise ContractError(
            uri, f"another engine turned on {', '.join(sorted(foreign))}", "turn it off and rewrite the table there"
        )
    return table


def live_files(table: DeltaTable, uri: str) -> list[str]:
    """Paths or URLs of the files that make up ``table``, as DuckDB opens them."""
    if storage.is_remote(uri):
        return table.file_uris()
    return [unquote(path.removeprefix("file://")) for path in table.file_uris()]


def quoted(name: str) -> str:
    """``name`` as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def duckdb_type(kind: Any) -> str:
    """The DuckDB type of a Delta type."""
    if isinstance(kind, ArrayType):
        return f"{duckdb_type(kind.element_type)}[]"
    if isinstance(kind, MapType):
        return f"MAP({duckdb_type(kind.key_type)}, {duckdb_type(kind.value_type)})"
    if isinstance(kind, StructType):
        return "STRUCT({})".format(", ".join(f"{quoted(f.name)} {duckdb_type(f.type)}" for f in kind.fields))
    if isinstance(kind, PrimitiveType) and kind.type.startswith("decimal"):
        return kind.type.upper()
    return _TYPES[kind.type]


def scan_sql(uri: str, version: int | None = None) -> str:
    """A DuckDB SELECT of the table at ``uri``: columns and types of its Delta schema, zero rows when it is empty.

    - a column that no file holds is a typed null
    - the statement names the files of one version: later commits do not change what it reads
    """
    table = open_table(uri, version)
    columns = [(quoted(field.name), duckdb_type(field.type)) for field in table.schema().fields]
    typed = ", ".join(f"null::{kind} as {name}" for name, kind in columns)
    empty = f"select {typed} where false"
    files = live_files(table, uri)
    if not files:
        return empty
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in files)
    cast = ", ".join(f"{name}::{kind} as {name}" for name, kind in columns)
    return (
        f"select {cast} from (select * from read_parquet([{listed}], union_by_name=true, hive_partitioning=false)"
        f" union all by name {empty})"
    )
