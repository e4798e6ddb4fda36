"""What is looked for in the tables of the lake, as one DuckDB session that can judge any rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import duckdb
import pyarrow as pa

from snello.cli.subject.person import Person, Record, owned
from snello.lake import Lake

TEXT = "VARCHAR"


class Needles:
    """Customer ids, record names, keys of source rows and identifiers of one person, and the keys of everybody else."""

    def __init__(self, lake: Lake, person: Person) -> None:
        self.lake, self.person = lake, person
        self.session = duckdb.connect()
        self.session.execute("set timezone = 'UTC'")
        self._table("ids", ("id",), [(one,) for one in person.customers])
        self._table("names", ("name",), [(one,) for one in person.names])
        self._table("own", ("source", "stream", "key"), sorted(person.records))
        self._table("others", ("source", "stream", "key"), sorted(self._others()))
        self.session.execute("set variable patterns = $1", ["|".join(person.patterns)])

    def _others(self) -> set[Record]:
        return owned(self.lake, self.person.customers, by_others=True) - self.person.records

    def _table(self, name: str, columns: Sequence[str], rows: Iterable[tuple[str, ...]]) -> None:
        listed = list(rows)
        parts = {column: pa.array([row[place] for row in listed], pa.string()) for place, column in enumerate(columns)}
        self.session.register("given", pa.table(parts))
        self.session.execute(f"create temp table {name} as select * from given")
        self.session.unregister("given")

    def columns(self, select: str) -> dict[str, str]:
        """The columns of a SELECT and their types."""
        return {row[0]: row[1] for row in self.session.execute(f"describe {select}").fetchall()}

    def count(self, select: str, condition: str) -> int:
        """How many rows of a SELECT meet a condition."""
        return int(self.session.execute(f"select count(*) from ({select}) where {condition}").fetchall()[0][0])

    def rows(self, select: str, condition: str) -> pa.Table:
        """The rows of a SELECT that meet a condition."""
        return self.session.sql(f"select * from ({select}) where {condition}").to_arrow_table()

    def mask(self, part: pa.Table, condition: str) -> pa.Array:
        """Which rows meet a condition, in their order."""
        self.session.register("part", part)
        try:
            asked = f"select coalesce({condition}, false) as hit from part"
            found: pa.Table = self.session.sql(asked).to_arrow_table()
        finally:
            self.session.unregister("part")
        hit: pa.Array = found.column("hit").combine_chunks()
        return hit


def published_condition(columns: dict[str, str]) -> str:
    """What is true of a published row that speaks of the person, by a customer_id, a record's name or a source row."""
    texts = [quoted(name) for name, kind in columns.items() if kind == TEXT]
    said = [f"{name} in (select id from ids)" for name in texts] + [
        f"{name} in (select name from names)" for name in texts
    ]
    if {"source", "stream", "record_key"} <= columns.keys():
        said.append("(source, stream, record_key) in (select (source, stream, key) from own)")
    return " or ".join(said) or "false"


def listed_condition(columns: dict[str, str]) -> str:
    """What is true of a row in which a list of records holds one of the person's."""
    lists = [quoted(name) for name, kind in columns.items() if kind == f"{TEXT}[]"]
    return " or ".join(f"list_has_any({name}, (select list(name) from names))" for name in lists) or "false"


def text_condition(columns: dict[str, str]) -> str:
    """What is true of a row in whose texts one of the person's own identifiers stands."""
    texts = [quoted(name) for name, kind in columns.items() if kind == TEXT]
    if not texts:
        return "false"
    said = f"lower(concat_ws(chr(10), {', '.join(texts)}))"
    return f"(getvariable('patterns') <> '' and regexp_matches({said}, getvariable('patterns')))"


def quoted(name: str) -> str:
    """A column's name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
