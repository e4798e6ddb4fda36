"""The lake's tables as views in a DuckDB database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import duckdb

from snello.dbt.declared import Declared
from snello.lake import Lake


@dataclass
class Views:
    """What each view selects, by schema and name, and what the project declares of it."""

    selects: dict[tuple[str, str], str]
    declared: list[Declared] = field(default_factory=list)

    @classmethod
    def of(cls, lake: Lake, declared: Iterable[Declared]) -> Views:
        """The raw and the published tables of the lake at their present versions."""
        selects = {(f"raw_{source}", stream): lake.scan_sql(uri) for (source, stream), uri in lake.raw_tables().items()}
        if refused := [
            _refused(lake, source) for source, stream in sorted(lake.raw_tables()) if stream == "_quarantine"
        ]:
            selects["raw_snello", "quarantine"] = " union all by name ".join(refused)
        manifest = lake.manifest()
        for name in manifest.tables if manifest else ():
            schema, _, table = name.rpartition("/")
            selects[f"published_{schema}" if schema else "published", table] = lake.published_sql(name)
        return cls(selects, list(declared))

    def create(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """Replace the views of the lake in the database; one sentence for each thing declared that is not there.

        - a missing table becomes an empty view of its declared columns, a missing column a null
        - of a source none of whose tables is there, ``unheard`` tells
        - views of tables that the lake no longer has are dropped
        """
        schemas = {schema for schema, _ in self.selects} | {entry.schema for entry in self._ours()}
        for schema in sorted(schemas):
            connection.execute(f"create schema if not exists {_quoted(schema)}")
        self._drop_others(connection)
        for (schema, table), select in self.selects.items():
            connection.execute(f"create or replace view {_quoted(schema)}.{_quoted(table)} as {select}")
        return [gap for entry in self._ours() if (gap := self._complete(connection, entry))]

    def unheard(self) -> list[str]:
        """The declared sources of which nothing was ever loaded: systems that this company may not have."""
        arrived = {schema for schema, _ in self.selects}
        schemas = dict.fromkeys(entry.schema for entry in self._ours() if entry.schema.startswith("raw_"))
        return sorted(schema.removeprefix("raw_") for schema in schemas if schema not in {*arrived, "raw_snello"})

    def _ours(self) -> list[Declared]:
        return [entry for entry in self.declared if entry.schema.startswith(("raw_", "published"))]

    def _drop_others(self, connection: duckdb.DuckDBPyConnection) -> None:
        found = connection.execute(
            "select schema_name, view_name from duckdb_views() where database_name = current_database()"
            " and (schema_name like 'raw\\_%' escape '\\' or schema_name like 'published%')"
        ).fetchall()
        for schema, view in found:
            if (schema, view) not in self.selects:
                connection.execute(f"drop view {_quoted(schema)}.{_quoted(view)}")

    def _complete(self, connection: duckdb.DuckDBPyConnection, entry: Declared) -> str | None:
        """Add to the view what is declared and not there; what was added, as a sentence."""
        name = f"{_quoted(entry.schema)}.{_quoted(entry.table)}"
        select = self.selects.get((entry.schema, entry.table))
        if select is None:
            columns = entry.columns or {"_sdc_extracted_at": "timestamptz"}
            connection.execute(f"create or replace view {name} as select {_nulls(columns)} where false")
            if entry.schema.startswith("published") or entry.schema == "raw_snello":
                return None  # as it should be at first, and until somebody decided something or a row is refused
            if not any(schema == entry.schema for schema, _ in self.selects):
                return None
            return f"{entry.schema}.{entry.table}: nothing was ever loaded. Next: run its tap; until then it is empty."
        here = {row[0].lower() for row in connection.execute(f"describe {name}").fetchall()}
        missing = {column: kind for column, kind in entry.columns.items() if column.lower() not in here}
        if not missing:
            return None
        connection.execute(f"create or replace view {name} as select *, {_nulls(missing)} from ({select})")
        if entry.schema.startswith("published"):
            return None  # an earlier version of the models published it
        return (
            f"{entry.schema}.{entry.table}: the source does not deliver {', '.join(missing)}."
            " Next: select it in the tap, or take it out of the source's YAML; until then it is null."
        )


def _refused(lake: Lake, source: str) -> str:
    """The quarantine of a source."""
    rows = lake.scan_sql(lake.raw_uri(source, "_quarantine"))
    return f"select '{source.replace(chr(39), chr(39) * 2)}' as source, id, stream, reason from ({rows})"


def _nulls(columns: dict[str, str]) -> str:
    return ", ".join(f"cast(null as {kind}) as {_quoted(column)}" for column, kind in columns.items())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
