"""Which tables and views there are, with keys, columns, types and comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.engine.reflection import Inspector, ObjectKind, ObjectScope

from snello.errors import ConfigError
from snello.kit.sql.settings import FULL_TABLE, INCREMENTAL, Replication, Settings
from snello.kit.sql.source import Source
from snello.kit.sql.types import Column, column

_DECIMALS = {"numeric", "decimal", "dec", "number", "money", "currency"}


@dataclass(frozen=True)
class Name:
    """Where a table or view is."""

    schema: str | None
    table: str
    is_view: bool = field(default=False, compare=False)

    def fits(self, pattern: str) -> bool:
        """Whether a pattern means this table, by its name or by ``schema.name``."""
        return fnmatchcase(self.table, pattern) or fnmatchcase(f"{self.schema}.{self.table}", pattern)

    def stream(self, style: str) -> str:
        """What its stream is called."""
        return f"{self.schema}-{self.table}" if style == "schema-table" and self.schema else self.table


@dataclass(frozen=True)
class Table:
    """A table or view: what it holds and how it is to be read."""

    name: Name
    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    comment: str | None
    comments: dict[str, str]
    method: str = FULL_TABLE
    replication_key: str | None = None

    @property
    def column_names(self) -> list[str]:
        """Names in the table's order."""
        return [column.name for column in self.columns]

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)

    def json_schema(self) -> dict[str, Any]:
        """Schema of the stream's records."""
        properties = {
            column.name: column.schema
            | ({"description": self.comments[column.name]} if column.name in self.comments else {})
            for column in self.columns
        }
        described = {"description": self.comment} if self.comment else {}
        return {"type": "object", "properties": properties} | described


def names(source: Source, settings: Settings) -> list[Name]:
    """Every table and view that the settings ask for.

    Raises ``ConfigError`` for a schema or pattern that fits nothing.
    """
    with source.connect() as connection:
        inspector = sa.inspect(connection)
        schemas = _schemas(inspector, settings, source)
        found = [name for schema in schemas for name in _names_in(inspector, schema)]
        inherited = _partitions(connection) if source.dialect == "postgresql" else set()
    found = [name for name in found if (name.schema, name.table) not in inherited]
    for pattern in settings.tables:
        if not any(name.fits(pattern) for name in found) and not (pattern == "*" and not found):
            what = f"no table fits {pattern!r} in setting tables"
            raise ConfigError(source.place.plugin, what, nearest(pattern, [name.table for name in found]))
    return [name for name in found if any(name.fits(pattern) for pattern in settings.tables)]


def nearest(given: str, valid: Iterable[str]) -> str:
    """The valid names nearest to one that is not, or a few of them, as a cure."""
    known = sorted(set(valid))
    near = get_close_matches(given, known, n=1) or [name for name in known if name.lower() == given.lower()]
    if near:
        return f"did you mean {near[0]!r}?"
    shown = ", ".join(known[:20]) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
    return f"choose one of: {shown}" if known else "check that the user may see its tables"


def _schemas(inspector: Inspector, settings: Settings, source: Source) -> list[str | None]:
    if not settings.schemas:
        return [inspector.default_schema_name if source.dialect != "sqlite" else None]
    known = inspector.get_schema_names()
    for schema in settings.schemas:
        if schema not in known:
            what = f"no schema {schema!r}, as setting schemas asks"
            raise ConfigError(source.place.plugin, what, nearest(schema, known))
    return list(settings.schemas)


def _names_in(inspector: Inspector, schema: str | None) -> list[Name]:
    tables = set(inspector.get_table_names(schema))
    views = set(inspector.get_view_names(schema))
    try:
        views |= set(inspector.get_materialized_view_names(schema))
    except NotImplementedError:
        views |= set()  # this dialect has none
    if hasattr(inspector, "get_foreign_table_names"):
        tables |= set(inspector.get_foreign_table_names(schema))
    return [Name(schema, name) for name in sorted(tables)] + [Name(schema, name, True) for name in sorted(views)]


def _partitions(connection: Connection) -> set[tuple[str, str]]:
    """PostgreSQL lists the parts of a partitioned table beside it; their rows are the table's own."""
    statement = (
        "select n.nspname, c.relname from pg_catalog.pg_class c "
        "join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relispartition"
    )
    return {(row[0], row[1]) for row in connection.execute(sa.text(statement))}


def describe(source: Source, wanted: Sequence[Name], settings: Settings) -> list[Table]:
    """The tables with their columns, keys and comments, and how each is to be read.

    Raises ``ConfigError`` for a key or replication key that is no column.
    """
    found: list[Table] = []
    with source.connect() as connection:
        inspector = sa.inspect(connection)
        for schema in dict.fromkeys(name.schema for name in wanted):
            here = [name for name in wanted if name.schema == schema]
            parts = _parts(inspector, schema, [name.table for name in here])
            found += [_table(name, parts, settings, source) for name in here if (schema, name.table) in parts.columns]
    return found


@dataclass(frozen=True)
class _Parts:
    columns: dict[Any, Any]
    keys: dict[Any, Any]
    comments: dict[Any, Any]


def _parts(inspector: Inspector, schema: str | None, tables: list[str]) -> _Parts:
    wanted: dict[str, Any] = {"filter_names": tables, "kind": ObjectKind.ANY, "scope": ObjectScope.ANY}
    columns = inspector.get_multi_columns(schema, **wanted)
    if inspector.dialect.name == "sqlite":
        _untype(inspector, columns)
    keys = inspector.get_multi_pk_constraint(schema, **wanted)
    try:
        comments = inspector.get_multi_table_comment(schema, **wanted)
    except NotImplementedError:
        comments = {}  # this dialect has none
    return _Parts(dict(columns), dict(keys), dict(comments))


def _untype(inspector: Inspector, columns: dict[Any, Any]) -> None:
    """SQLite takes any word as a type, and SQLAlchemy takes those that it does not know for numbers: they are text."""
    for (_, table), found in columns.items():
        quoted = inspector.dialect.identifier_preparer.quote_identifier(table)
        with inspector._operation_context() as connection:
            declared = {row[1]: row[2] for row in connection.exec_driver_sql(f"pragma table_xinfo({quoted})")}
        for each in found:
            word = re.match(r"\w*", declared.get(each["name"]) or "")
            if isinstance(each["type"], sa.NUMERIC) and word and word[0].lower() not in _DECIMALS:
                each["type"] = sa.types.NullType()


def _table(name: Name, parts: _Parts, settings: Settings, source: Source) -> Table:
    at = (name.schema, name.table)
    reflected = parts.columns[at]
    columns = tuple(
        column(
            str(each["name"]),
            each["type"],
            dialect=source.dialect,
            nullable=bool(each.get("nullable", True)),
            as_text=any(_fits_column(name, str(each["name"]), pattern) for pattern in settings.as_text),
        )
        for each in reflected
    )
    table = Table(
        name,
        columns,
        tuple((parts.keys.get(at) or {}).get("constrained_columns") or ()),
        (parts.comments.get(at) or {}).get("text"),
        {str(each["name"]): each["comment"] for each in reflected if each.get("comment")},
    )
    return _as_set(table, settings, source.place.plugin)


def _fits_column(name: Name, column_name: str, pattern: str) -> bool:
    table, _, wanted = pattern.rpartition(".")
    return fnmatchcase(column_name, wanted) and (not table or name.fits(table))


def _as_set(table: Table, settings: Settings, plugin: str) -> Table:
    keys = _first_fit(table.name, settings.primary_keys) or table.keys
    rule: Replication | None = _first_fit(table.name, settings.replication)
    key = rule.key if rule and rule.method == INCREMENTAL else None
    if rule and rule.method == INCREMENTAL and not key:
        what = f"replication of {table.name.table} is INCREMENTAL without a key"
        raise ConfigError(plugin, what, "add key: the column that grows with every change")
    for setting, wanted in (("primary_keys", keys), ("replication", (key,) if key else ())):
        for one in wanted:
            if one not in table.column_names:
                what = f"{table.name.table} has no column {one!r}, as setting {setting} asks"
                raise ConfigError(plugin, what, nearest(one, table.column_names))
    method = INCREMENTAL if key else FULL_TABLE
    return Table(table.name, table.columns, tuple(keys), table.comment, table.comments, method, key)


def _first_fit(name: Name, rules: dict[str, Any]) -> Any:
    return next((rule for pattern, rule in rules.items() if name.fits(pattern)), None)
