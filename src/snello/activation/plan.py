"""A plan: everything that one run of a sync will send, computed before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from snello.activation import gates
from snello.activation.audience import quoted
from snello.activation.diff import Figures
from snello.activation.sync import Sync
from snello.errors import BreakerOpen

BIGINT_DIGITS = 18

ROWS = """
select
    c.op as _op, c.key as _key, c.fingerprint as _fingerprint, $purpose as _purpose, $channel as _channel,
    case when e.key is not null then {{
        'state': e.state, 'source': e.source, 'observed_at': e.observed_at, 'record_key': e.record_key
    }} end as _consent,
    c.reason as _reason, c.batch as _batch, $run_id as _run_id,
    $mode as _mode, c.customer as _customer, $contact as _contact,
    c.moved_from as _moved_from,
    {payload}
from changes as c
left join published as a on c.op = 'upsert' and a.{key}::varchar = c.key
left join (
    select
        customer_id::varchar as key, state, decided_by_source as source, observed_at::varchar as observed_at, record_key
    from consents semi join changes as wanted on wanted.customer = consents.customer_id::varchar
    where purpose = $purpose and channel in ($channel, 'any')
    qualify row_number() over (partition by customer_id order by state <> 'yes' desc, channel = 'any') = 1
) as e on e.key = c.customer
order by c.batch is null, c.batch, c.rank, c.key
"""


@dataclass(frozen=True)
class Plan:
    """What one run sends; ``figures`` says in numbers what differs, ``tables`` row by row what travels.

    - ``upserts`` and ``removals``: how many rows travel; fewer than differ when ``limit`` is set, more in a replacement
    - ``notes``: how the columns differ from those of the run before, which makes every row count as changed
    - ``stopped``: why nothing travels but removals of people who were erased; raised when they have gone out
    """

    sync: Sync
    run_id: str
    publication: str
    version: int
    figures: Figures
    schema: pa.Schema
    connection: duckdb.DuckDBPyConnection
    upserts: int
    removals: int
    limit: int | None = None
    notes: tuple[str, ...] = ()
    stopped: BreakerOpen | None = None

    def tables(self, chunk: int = 10_000) -> Iterator[pa.Table]:
        """The changes, flat, in the order in which they must take effect.

        What earlier runs left open, removals, moves, changes of rows that the channel holds, new rows; each by key. A
        change may free an address for a new row, as that of a customer of whom a part became somebody else.
        """
        if not self.figures.changes:
            return
        key = quoted(self.sync.key)
        payload = ", ".join(self._column(field) for field in self.schema)
        sync = self.sync
        given: dict[str, str | bool] = {
            "purpose": sync.purpose,
            "channel": sync.channel,
            "mode": sync.mode,
            "contact": sync.contact,
        }
        given["run_id"] = self.run_id
        relation = self.connection.sql(ROWS.format(payload=payload, key=key), params=given)
        for batch in relation.to_arrow_reader(chunk):
            yield pa.Table.from_batches([batch])

    def _column(self, field: pa.Field) -> str:
        if field.name == self.sync.key:
            return f"c.key as {quoted(field.name)}"
        whole = pa.types.is_decimal(field.type) and field.type.scale == 0 and field.type.precision <= BIGINT_DIGITS
        cast = "bigint" if whole else "double" if pa.types.is_decimal(field.type) else ""
        return f"a.{quoted(field.name)}::{cast} as {quoted(field.name)}" if cast else f"a.{quoted(field.name)}"

    def sentence(self) -> str:
        """The plan in one line."""
        figures = self.figures
        words = [f"{self.sync.name}: {figures.members:,} members, "]
        if figures.changes == 0:
            words.append("0 changes: nothing to deliver")
        else:
            words.append(
                f"{figures.upserts:,} to upsert, {figures.removals:,} to remove, {figures.unchanged:,} unchanged"
            )
        if figures.moves:
            words.append(f", {figures.moves:,} of them moved")
        if self.stopped:
            words.append(f", of which {self.removals:,} now, whom the breaker does not hold up: they were erased")
        elif self.limit is not None and figures.changes:
            words.append(f", of which {self.upserts + self.removals:,} now (limit {self.limit:,})")
        if figures.waiting:
            words.append(f", {figures.waiting:,} refused before and unchanged")
        words.extend(f", {many:,} {gates.word_of(code)}" for code, many in figures.codes.items())
        return "".join(words)
