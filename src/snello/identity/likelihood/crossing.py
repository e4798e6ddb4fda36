"""Records that meet otherwise than before though they did not change: a value of theirs became too common, or rarer."""

from __future__ import annotations

from collections.abc import Iterable

import pyarrow as pa

from snello.identity.likelihood.pairs import FEW, values
from snello.identity.likelihood.records import Records, opened


def crossed(records: Records, keys: Iterable[str], changed: pa.ChunkedArray) -> pa.Array:
    """Records under a value of a key that few have now and many had at the last run, or the other way about.

    - ``changed``: records that are new, gone or other than at the last run
    """
    found: set[str] = set()
    with opened(records) as connection:
        connection.register("asked", pa.table({"record": changed.cast(pa.string())}))
        connection.execute("create table renewed as select id from prepared where record in (select record from asked)")
        for kind in keys:
            rows = connection.execute(
                f"""
                with here as (
                    {values(kind, "(select * from prepared semi join renewed using (id))")}
                ),
                gone as (
                    {values(kind, "past")}
                ),
                everywhere as (
                    {values(kind, "prepared")}
                ),
                touched as (
                    select value from here union select value from gone
                ),
                every as (
                    select id, value from everywhere semi join touched using (value)
                ),
                after as (
                    select value, count(*) as records from every group by value
                ),
                came as (
                    select value, count(*) as records from here group by value
                ),
                went as (
                    select value, count(*) as records from gone group by value
                ),
                moved as (
                    select value
                    from after left join came using (value) left join went using (value)
                    where (after.records <= {FEW})
                        <> (after.records - coalesce(came.records, 0) + coalesce(went.records, 0) <= {FEW})
                )
                select record from prepared where id in (select id from every semi join moved using (value))
                """
            ).fetchall()
            found.update(record for (record,) in rows)
    return pa.array(sorted(found), pa.string())
