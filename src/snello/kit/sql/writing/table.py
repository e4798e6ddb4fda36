"""The table that rows go to: as it stands, or made; its columns that are ours, and none but those."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Connection

from snello.errors import ConfigError, choices
from snello.kit.sql import types
from snello.kit.sql.tables import nearest
from snello.kit.sql.types import Column
from snello.kit.sql.writing.terms import Terms

KEY_LENGTH = 255
_TYPE = re.compile(r"(\w+)(?:\((\d+)(?:, *(\d+))?\))?")
_TYPES: dict[str, Any] = {
    "text": sa.Text,
    "varchar": sa.String,
    "char": sa.CHAR,
    "integer": sa.Integer,
    "bigint": sa.BigInteger,
    "double": sa.Double,
    "decimal": sa.Numeric,
    "boolean": sa.Boolean,
    "date": sa.Date,
    "timestamp": lambda: sa.DateTime(timezone=True).with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb"),
    "json": sa.JSON,
    "uuid": sa.Uuid,
}
_OF_JSON = {"integer": "bigint", "number": "double", "boolean": "boolean", "array": "json", "object": "json"}
_OF_FORMAT = {"date": "date", "date-time": "timestamp"}


@dataclass(frozen=True)
class Into:
    """A table, and what of it is ours.

    - ``fields``: column of the audience to column of the table, the key's left out
    - ``kinds``: what each of those columns takes, the key's among them
    """

    table: sa.Table
    key: str
    fields: Mapping[str, str]
    kinds: Mapping[str, Column]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the table's columns that are written, the key's first."""
        return (self.key, *self.fields.values())


def text_key(length: int = KEY_LENGTH) -> sa.types.TypeEngine[Any]:
    """Text in which two keys are one only if they are the same, sign by sign."""
    return sa.String(length).with_variant(mysql.VARCHAR(length, collation="utf8mb4_bin"), "mysql", "mariadb")


def opened(connection: Connection, terms: Terms, plugin: str) -> Into:
    """The table, made when it is not there and may be.

    Raises ``ConfigError`` for a table or column that is not there, and for a key that may stand in it twice.
    """
    schema, name = terms.named
    inspector = sa.inspect(connection)
    where = f"{plugin}: {terms.table}"
    if schema and schema not in inspector.get_schema_names():
        raise ConfigError(where, f"there is no schema {schema}", nearest(schema, inspector.get_schema_names()))
    if not inspector.has_table(name, schema):
        if not terms.create:
            cure = f"{nearest(name, inspector.get_table_names(schema))} Or set create to true"
            raise ConfigError(where, "there is no such table", cure)
        _made(terms, where).create(connection, checkfirst=True)
        inspector.clear_cache()
    table = sa.Table(name, sa.MetaData(), schema=schema, autoload_with=connection, resolve_fks=False)
    fields = _fields(table, terms, where)
    _check_key(inspector, table, terms, where)
    kinds = {
        each: types.column(each, table.c[each].type, dialect=connection.dialect.name, nullable=True)
        for each in (terms.key, *fields.values())
    }
    return Into(table, terms.key, fields, kinds)


def _audience(terms: Terms) -> dict[str, Any]:
    """Columns of the audience with their JSON schema."""
    return {name: kind for name, kind in terms.schema.get("properties", {}).items() if not name.startswith("_")}


def _named_by(terms: Terms) -> str:
    """The column of the audience that names a row, which the table's key holds."""
    mapped = next((source for source, name in terms.columns.items() if name == terms.key), None)
    return mapped or (terms.key if terms.key in _audience(terms) else "customer_id")


def _wanted(terms: Terms) -> dict[str, str]:
    """Column of the audience to column of the table, without what names the row."""
    wanted = terms.columns or {name: name for name in _audience(terms) if name != _named_by(terms)}
    return {source: name for source, name in wanted.items() if name != terms.key}


def _fields(table: sa.Table, terms: Terms, where: str) -> dict[str, str]:
    wanted = _wanted(terms)
    audience = _audience(terms)
    for source in terms.columns:
        if source not in audience:
            raise ConfigError(where, f"setting columns: the audience has no {source}", choices(source, audience))
    flag = [terms.flag.column] if terms.flag else []
    for name in (terms.key, *wanted.values(), *flag):
        if name not in table.c:
            cure = f"{nearest(name, table.c.keys())} Name it in columns, or add it to the table"
            raise ConfigError(where, f"the table has no column {name}", cure)
    return wanted


def _check_key(inspector: Any, table: sa.Table, terms: Terms, where: str) -> None:
    """A key that may come twice would have one member's row written into another's."""
    at = {"table_name": table.name, "schema": table.schema}
    unique = [tuple(column.name for column in table.primary_key)]
    unique += [tuple(each["column_names"]) for each in inspector.get_unique_constraints(**at)]
    unique += [
        tuple(each["column_names"])
        for each in inspector.get_indexes(**at)
        if each["unique"] and not each.get("dialect_options", {}).get("postgresql_where")
    ]
    if (terms.key,) not in unique:
        what = f"column {terms.key} may hold a value twice"
        raise ConfigError(where, what, f"make {terms.key} the primary key, or add a unique index on it alone")


def _made(terms: Terms, where: str) -> sa.Table:
    """The table as the audience declares it."""
    schema, name = terms.named
    declared = _audience(terms)
    columns = []
    for source, column in _wanted(terms).items():
        word = terms.types.get(column) or terms.types.get(source) or _word(declared.get(source, {}))
        columns.append(sa.Column(column, _type(word, column, where)))
    if terms.flag:
        columns.append(sa.Column(terms.flag.column, _flag_type(terms.flag.held, terms.flag.removed)))
    key = terms.types.get(terms.key)
    keyed = sa.Column(terms.key, _type(key, terms.key, where) if key else text_key(), primary_key=True)
    return sa.Table(name, sa.MetaData(), keyed, *columns, schema=schema)


def _word(declared: Mapping[str, Any]) -> str:
    kinds = declared.get("type", [])
    first = next((kind for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"), "string")
    return _OF_JSON.get(first) or _OF_FORMAT.get(declared.get("format", ""), "text")


def _type(word: str, column: str, where: str) -> Any:
    found = _TYPE.fullmatch(word.strip().lower())
    if found is None or found[1] not in _TYPES:
        raise ConfigError(where, f"setting types: {column} is no type", choices(word, _TYPES))
    return _TYPES[found[1]](*[int(each) for each in found.groups()[1:] if each])


def _flag_type(*values: Any) -> Any:
    given = [value for value in values if value is not None]
    if all(isinstance(value, bool) for value in given):
        return sa.Boolean()
    return sa.BigInteger() if all(isinstance(value, int) for value in given) else sa.String(64)
