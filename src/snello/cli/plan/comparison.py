"""What was built beside what is published: people, golden values and audiences, compared as sets."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from snello.cli.tables import Row
from snello.dbt.results import Model
from snello.lake import Lake

PEOPLE = """
with before as (
    select source || '/' || stream || '/' || record_key as record, customer_id from before_customer_sources
),

after as (
    select source || '/' || stream || '/' || record_key as record, customer_id from after_customer_sources
),

moved as (
    select
        before.customer_id as from_id,
        after.customer_id as to_id,
        before.customer_id in (select customer_id from after) as from_lives,
        after.customer_id in (select customer_id from before) as to_lived,
        count(*) as records
    from before
    inner join after on before.record = after.record
    where before.customer_id <> after.customer_id
    group by all
)
"""

_COUNTS = f"""{PEOPLE}
select
    (select count(distinct customer_id) from after) as people,
    (
        select count(distinct customer_id) from after
        where customer_id not in (select customer_id from before) and customer_id not in (select to_id from moved)
    ) as new,
    (
        select count(distinct customer_id) from before
        where customer_id not in (select customer_id from after) and customer_id not in (select from_id from moved)
    ) as gone,
    (select count(distinct from_id) from moved where not from_lives) as merged,
    (select count(distinct from_id) from moved where from_lives) as split,
    (select coalesce(sum(records), 0)::bigint from moved) as records_moved
"""


class Comparison:
    """One DuckDB session over both sides: views ``before_<table>`` and ``after_<table>``.

    - a table that is on one side alone has an empty view of its columns on the other
    """

    def __init__(self, lake: Lake, warehouse: str, models: Iterable[Model]) -> None:
        self._session = duckdb.connect()
        self._session.execute("set timezone = 'UTC'")
        path = warehouse.replace("'", "''")
        # Views of the warehouse name it by its file, as dbt did.
        built = '"' + Path(warehouse).stem.replace('"', '""') + '"'
        self._session.execute(f"attach '{path}' as {built} (read_only)")
        current = lake.manifest()
        published = current.tables if current else {}
        self.tables = sorted(model.table for model in models)
        for model in models:
            after = f"select * from {built}.{model.relation}"
            self._view("after", model.table, after)
            before = lake.published_sql(model.table) if model.table in published else f"{after} where false"
            self._view("before", model.table, before)

    def rows(self, sql: str) -> list[Row]:
        """The answer of ``sql``, a dictionary a row."""
        answer = self._session.execute(sql)
        names = [column[0] for column in answer.description or []]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def people(self) -> dict[str, int]:
        """How many people there are, and how many are new, gone, merged into another, or were split."""
        return {name: int(count) for name, count in self.rows(_COUNTS)[0].items()}

    def values(self) -> list[Row]:
        """For each golden attribute, the customers of both sides whose value is another now."""
        columns = self._shared("customers", "customer_id")
        if not columns:
            return []
        counts = ", ".join(
            f'count(*) filter (where b."{name}" is distinct from a."{name}") as "{name}"' for name in columns
        )
        [found] = self.rows(
            f"select {counts} from before_customers as b inner join after_customers as a using (customer_id)"
        )
        return [{"attribute": name, "changed": count} for name, count in found.items() if count]

    def views(self) -> list[Row]:
        """For each purpose, the customers of both sides of whom it may know something else now."""
        table = "customers_by_purpose"
        columns = [name for name in self._shared(table, "customer_id") if name != "purpose"]
        if not columns:
            return []
        differ = " or ".join(f'b."{name}" is distinct from a."{name}"' for name in columns)
        return self.rows(f"""
            select 'what ' || purpose || ' may know' as attribute, count(*) as changed
            from {quoted("before", table)} as b
            full join {quoted("after", table)} as a using (customer_id, purpose)
            where
                customer_id in (select customer_id from before_customers)
                and customer_id in (select customer_id from after_customers)
                and (b.customer_id is null or a.customer_id is null or {differ})
            group by purpose
            order by purpose
        """)

    def audiences(self) -> list[Row]:
        """For each sync, who comes in, who leaves and whose row is another now."""
        found = []
        for table in self.tables:
            folder, _, sync = table.rpartition("/")
            if folder == "activation":
                found.append({"sync": sync, **self._audience(table)})
        return found

    def _audience(self, table: str) -> Row:
        columns = self._shared(table, "customer_id")
        differ = " or ".join(f'b."{name}" is distinct from a."{name}"' for name in columns) or "false"
        before, after = quoted("before", table), quoted("after", table)
        [found] = self.rows(f"""
            select
                count(a.customer_id) as members,
                count(*) filter (where b.customer_id is null) as adds,
                count(*) filter (where a.customer_id is null) as removes,
                count(*) filter (where b.customer_id = a.customer_id and ({differ})) as updates
            from {before} as b
            full join {after} as a on b.customer_id = a.customer_id
        """)
        return found

    def _shared(self, table: str, key: str) -> list[str]:
        """The columns that both sides have, without the key; timestamps of the run are no change."""
        if table not in self.tables:
            return []
        sides = [self.rows(f"describe {quoted(side, table)}") for side in ("before", "after")]
        names = [{row["column_name"] for row in side} for side in sides]
        return [row["column_name"] for row in sides[1] if row["column_name"] in names[0] and row["column_name"] != key]

    def _view(self, side: str, table: str, select: str) -> None:
        self._session.execute(f"create view {quoted(side, table)} as {select}")


def quoted(side: str, table: str) -> str:
    """The view of one side of a table."""
    return '"' + f"{side}_{table}".replace('"', '""') + '"'
