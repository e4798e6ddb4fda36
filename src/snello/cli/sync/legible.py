"""Members by what a platform can read of them: a value of which nothing is left once normalised finds nobody.

Each value is read as the target would read it before it is sent, once however many members have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from snello.activation import Plan
from snello.activation.audience import quoted
from snello.kit.channel.forecast import Recognition
from snello.kit.records import records_of

CHUNK = 50_000  # values that are in memory at a time

VALUES = """
create or replace temp table {name} as
select row_number() over () as _n, * from (
    select distinct {columns} from published as p semi join want on want.key = p.{key}::varchar where {given}
)
"""
LOST = "delete from {name} where _n not in (select _n from lost_numbers)"


class Members:
    """The members whom every gate of a plan lets through, as ``known`` reads them."""

    def __init__(self, plan: Plan, known: Recognition) -> None:
        self._plan, self._known = plan, known
        self._key = quoted(plan.sync.key)
        self._joins: dict[str, str] = {}

    def count(self, sets: Sequence[Sequence[str]]) -> tuple[list[int], int]:
        """How many have each of these sets of columns whole, and how many have any of them."""
        if not sets:
            return [], 0
        for column in {name: None for names in sets for name in names}:
            self._read(column)
        whole = [" and ".join(self._has(name) for name in names) for names in sets]
        conditions = [*whole, " or ".join(f"({one})" for one in whole)]
        [(*each, anyone)] = self._asked([f"count(*) filter (where {one})" for one in conditions])
        return each, anyone

    def lost(self, columns: Sequence[str]) -> dict[str, int]:
        """By column, how many members have a value there of which nothing is left; those without any are absent."""
        for column in columns:
            self._read(column)
        names = [column for column in columns if self._joins[column]]
        if not names:
            return {}
        counts = self._asked([f"count({self._alias(name)}._n)" for name in names])[0]
        return {name: many for name, many in zip(names, counts, strict=True) if many}

    def _asked(self, counts: Sequence[str]) -> list[tuple[int, ...]]:
        joins = " ".join(self._joins.values())
        sent = f"published as p semi join want on want.key = p.{self._key}::varchar {joins}"
        answer = self._plan.connection.execute(f"select {', '.join(counts)} from {sent}")
        found: list[tuple[int, ...]] = answer.fetchall()
        return found

    def _has(self, column: str) -> str:
        given = self._given(column)
        return f"({given} and {self._alias(column)}._n is null)" if self._joins[column] else given

    def _given(self, column: str) -> str:
        name, kind = f"p.{quoted(column)}", self._plan.schema.field(column).type
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            return f"coalesce(len({name}), 0) > 0"
        return f"coalesce(trim({name}::varchar), '') <> ''"

    def _alias(self, column: str) -> str:
        return f"lost_{self._plan.schema.names.index(column)}"

    def _read(self, column: str) -> None:
        """Leave a table of the column's values of which nothing is left, and how members are joined to it."""
        if column in self._joins:
            return
        self._joins[column] = ""
        if self._known.legible is None or not any(column in names for names in self._known.match_keys):
            return
        names = list(dict.fromkeys(filter(None, (column, self._known.country))))
        table, connection = self._alias(column), self._plan.connection
        listed = ", ".join(f"p.{quoted(name)}" for name in names)
        connection.execute(VALUES.format(name=table, columns=listed, key=self._key, given=self._given(column)))
        lost: list[int] = []
        for batch in connection.sql(f"select * from {table}").to_arrow_reader(CHUNK):
            read = self._known.legible(_rows(batch.drop_columns("_n")))
            numbers = batch["_n"].to_pylist()
            lost += [n for n, left in zip(numbers, read, strict=True) if column not in left]
        if not lost:
            return
        connection.register("lost_numbers", pa.table({"_n": pa.array(lost, pa.int64())}))
        connection.execute(LOST.format(name=table))
        connection.unregister("lost_numbers")
        same = " and ".join(f"p.{quoted(name)} is not distinct from {table}.{quoted(name)}" for name in names)
        self._joins[column] = f"left join {table} on {same}"


def _rows(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """The rows as a target is given them; texts, which nearly all are, without a detour over JSON."""
    if not all(pa.types.is_string(field.type) for field in batch.schema):
        return list(records_of(pa.Table.from_batches([batch])))
    columns = [column.to_pylist() for column in batch.columns]
    return [dict(zip(batch.schema.names, values, strict=True)) for values in zip(*columns, strict=True)]
