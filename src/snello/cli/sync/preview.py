"""What a sync would send now, in numbers and in masked examples; nothing is sent, and nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from snello.activation import Ledger, Plan, Planner
from snello.activation.audience import quoted
from snello.activation.breaker import Comparison, check, compare
from snello.cli.checks.ground import Ground
from snello.cli.connector.found import Connector
from snello.cli.connector.masks import masked
from snello.cli.ledger import Receipts
from snello.cli.sync.carriers import carriers, published
from snello.cli.sync.legible import Members
from snello.cli.sync.reach import Reach, matching, reach
from snello.cli.tables import Row
from snello.errors import BreakerOpen
from snello.kit.channel import ActivationTarget
from snello.kit.channel.forecast import Forecast, Recognition, forecast, recognition
from snello.kit.channel.sink import check_mode
from snello.kit.records import records_of
from snello.lake import Lake
from snello.settings import Settings, project_root

HELD = "c.key in (select key from held)"
NEW = f"where c.op = 'upsert' and c.moved_from is null and not {HELD}"
CHANGED = f"where c.op = 'upsert' and c.moved_from is null and {HELD}"
MOVED = "where c.op = 'upsert' and c.moved_from is not null"
REMOVED = "where c.op = 'remove'"
KINDS = {"add": NEW, "change": CHANGED, "move": MOVED, "remove": REMOVED}


@dataclass(frozen=True)
class Preview:
    """What one run of ``sync`` would do.

    - ``members``: those whom every gate lets through; ``held``: rows that the channel holds or may hold
    - ``excluded``: members kept back, by gate and word; ``removed``: removals by reason
    - ``fields``: columns and how many held rows have another value there than when the sync last ran; None: not known
    - ``matching``: columns by which the platform finds people, and how many members have them, normalised
    - ``reach``: how many members the platform can find and probably will, and what it said last
    - ``forecast``: what a target of ours takes for it; None: it is somebody else's
    - ``moves``: rows that the channel holds under the key of a customer who is now another
    - ``bounds``: the figures that the breaker looks at, beside what is usual and agreed
    - ``breaker``: why the run would be stopped; empty when it would not
    """

    sync: str
    target: str
    mode: str
    publication: str
    members: int
    held: int
    adds: int
    changes: int
    moves: int
    removals: int
    unchanged: int
    waiting: int
    excluded: list[Row]
    removed: list[Row]
    fields: list[Row] | None
    matching: list[Row]
    reach: Reach
    forecast: Forecast | None
    bounds: list[Comparison]
    breaker: str = ""
    samples: list[Row] = field(default_factory=list)


def preview(hub: Settings, name: str, samples: int) -> Preview:
    """What a run of the sync ``name`` would send, with so many masked examples of each kind of change.

    Raises ``ConfigError`` when there is no such sync, no plugin for it, or its target cannot do its mode.
    """
    ground = Ground(project_root())
    found = carriers(ground, name)
    if kind := _ours(found.target):
        check_mode(kind.sinks[0], name, published(ground)[name].mode)
    lake = Lake(hub.lake)
    with _ledger(hub.ledger) as ledger:
        plan = Planner(lake, ledger, hub.salt.get_secret_value()).preview(name)
        bounds, breaker = compare(plan, ledger), _breaker(plan, ledger)
        alike = [one.name for one in published(ground).values() if one.target == plan.sync.target and one.name != name]
        known = _recognition(found.target, plan)
        members = Members(plan, known)
        found_by = reach(plan, ledger, known, alike, members)
    counts, figures = _Counts(plan.connection), plan.figures
    changes = counts.rows(CHANGED)
    return Preview(
        sync=name,
        target=found.target.name,
        mode=plan.sync.mode,
        publication=plan.publication,
        members=figures.members,
        held=figures.held,
        adds=counts.rows(NEW),
        changes=changes,
        moves=counts.rows(MOVED),
        removals=figures.removals,
        unchanged=figures.unchanged,
        waiting=figures.waiting,
        excluded=counts.excluded(),
        removed=counts.removed(),
        fields=_fields(plan, lake, Receipts(hub.ledger).last_version(name)) if changes else [],
        matching=matching(plan, members),
        reach=found_by,
        forecast=_forecast(found.target, plan),
        bounds=bounds,
        breaker=breaker,
        samples=[row for kind, rest in KINDS.items() for row in _samples(plan, kind, rest, samples)],
    )


@contextmanager
def _ledger(url: str) -> Iterator[Ledger]:
    """The hub's ledger; where there is none yet, an empty one that is gone afterwards."""
    file = url.removeprefix("sqlite:///")
    with TemporaryDirectory(prefix="snello-") as folder:
        absent = file != url and not Path(file).is_file()
        ledger = Ledger(f"sqlite:///{folder}/ledger.db" if absent else url)
        try:
            yield ledger
        finally:
            ledger.close()


class _Counts:
    """Questions to a plan's relations."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rows(self, rest: str) -> int:
        return int(self._ask(f"select count(*) as rows from changes as c {rest}")[0]["rows"])

    def excluded(self) -> list[Row]:
        return self._ask("select gate, code, count(*) as members from excluded group by all order by 3 desc, 1, 2")

    def removed(self) -> list[Row]:
        return self._ask(f"select reason, count(*) as rows from changes as c {REMOVED} group by all order by 2 desc, 1")

    def _ask(self, sql: str) -> list[Row]:
        answer = self._connection.execute(sql)
        names = [column[0] for column in answer.description or []]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


def _ours(target: Connector) -> type[ActivationTarget] | None:
    kind = target.package.plugin(target.name) if target.package else None
    return kind if kind is not None and issubclass(kind, ActivationTarget) else None


def _forecast(target: Connector, plan: Plan) -> Forecast | None:
    kind = _ours(target)
    return forecast(kind, target.settings, plan.sync, plan.upserts, plan.removals) if kind else None


def _recognition(target: Connector, plan: Plan) -> Recognition:
    kind = _ours(target)
    return recognition(kind, target.settings, plan.sync, plan.schema.names) if kind else Recognition()


def _fields(plan: Plan, lake: Lake, version: int | None) -> list[Row] | None:
    """By column, the held rows that differ from the audience as it was when the sync last ran."""
    if version is None:
        return None
    reference = lake.published_uri(plan.sync.table)
    connection = plan.connection
    try:
        connection.execute(f"create or replace temp view before as {lake.scan_sql(reference, version)}")
        had = {row[0] for row in connection.execute("describe before").fetchall()}
    except (duckdb.Error, OSError, ValueError):  # the version is not kept any more
        return None
    names = [name for name in plan.schema.names if name in had and name != plan.sync.key]
    key = quoted(plan.sync.key)
    differ = ", ".join(
        f"count(*) filter (where b.{quoted(name)} is distinct from a.{quoted(name)}) as {quoted(name)}"
        for name in names
    )
    [counts] = connection.execute(
        f"select {differ or '0'} from changes as c inner join published as a on a.{key}::varchar = c.key "
        f"inner join before as b on b.{key}::varchar = c.key {CHANGED}"
    ).fetchall()
    found = [{"column": name, "rows": rows} for name, rows in zip(names, counts, strict=False) if rows]
    return sorted(found, key=lambda row: (-row["rows"], row["column"]))


def _samples(plan: Plan, kind: str, rest: str, many: int) -> list[Row]:
    """Some rows of one kind, the first by key, values masked."""
    if not many:
        return []
    key = quoted(plan.sync.key)
    relation = plan.connection.sql(
        f"select c.key as _key, c.reason as _reason, a.* from changes as c left join published as a "
        f"on c.op = 'upsert' and a.{key}::varchar = c.key {rest} order by c.key limit {many}"
    )
    rows: list[dict[str, Any]] = list(records_of(relation.to_arrow_table()))
    return [
        {
            "change": kind,
            "key": row["_key"],
            "reason": row["_reason"] or None,
            "row": masked({n: v for n, v in row.items() if n in plan.schema.names and n != plan.sync.key}, {}, ()),
        }
        for row in rows
    ]


def _breaker(plan: Plan, ledger: Ledger) -> str:
    try:
        check(plan, ledger, None)
    except BreakerOpen as fault:
        return str(fault)
    return ""
