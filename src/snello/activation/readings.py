"""What the breaker looks at: figures of a run, kept in the ledger, and what was usual in the runs before.

- ``removals`` and ``growth``: rows removed and added, as shares of those that the channel holds; who was erased is no
  removal here, for nobody may stop that
- ``consent``: the share of the members who consent
- ``empty <column>``: the share of the members of whom a column says nothing
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from sqlalchemy import Column, Float, Integer, String, Table, select

from snello.activation.audience import quoted
from snello.activation.engine import told
from snello.activation.ledger import Ledger
from snello.activation.plan import Plan
from snello.activation.tables import metadata, runs

FEWEST, MOST = 5, 20  # publications that something is learned from
STRAY = 6 * 1.4826  # median deviations that an honest figure may be away from the median; 1.4826 make a standard one
SLACK = {"removals": 0.05, "growth": 0.25, "consent": -0.1}
SLACK_EMPTY = 0.1

# who left and comes back is added; who was put off or refused by earlier runs was added then
ADDED = """
select count(*) from upserts
anti join settled using (key)
anti join (select key from unsettled where op = 'upsert' or fingerprint is not null) using (key)
where moved_from is null
"""

run_figures = Table(
    "run_figures",
    metadata,
    Column("sync", String, primary_key=True),
    Column("run_id", String, primary_key=True),
    Column("metric", String, primary_key=True),
    Column("value", Float, nullable=False),
    Column("rows", Integer, nullable=False, comment="how many rows the share stands for"),
    sqlite_with_rowid=False,
)


@dataclass(frozen=True)
class Reading:
    """A figure of one run: a share, and of how many rows."""

    metric: str
    value: float
    rows: int


def read(plan: Plan, ledger: Ledger) -> list[Reading]:
    """The figures of a plan; those of the audience alone only where its publication was not judged before."""
    figures = plan.figures
    found = []
    if figures.held:
        adds = plan.connection.execute(ADDED).fetchall()[0][0]
        left = "select count(*) from removals where reason <> 'erased'"
        gone = plan.connection.execute(left).fetchall()[0][0]
        found.append(Reading("removals", gone / figures.held, gone))
        found.append(Reading("growth", adds / figures.held, adds))
    if figures.published and not _judged(ledger, plan):
        without = figures.codes.get("no_consent", 0)
        found.append(Reading("consent", 1 - without / figures.published, without))
        found.extend(_empty(plan))
    return found


def _empty(plan: Plan) -> list[Reading]:
    names = [field.name for field in plan.schema if field.name not in (plan.sync.key, plan.sync.customer)]
    if not names:
        return []
    kinds = dict(plan.connection.execute("select column_name, column_type from (describe published)").fetchall())
    filled = [f"nullif({quoted(name)}, '')" if kinds[name] == "VARCHAR" else quoted(name) for name in names]
    counts = ", ".join(f"count(*) - count({one})" for one in filled)
    row = plan.connection.execute(f"select {counts} from published").fetchall()[0]
    return [
        Reading(f"empty {name}", rows / plan.figures.published, rows) for name, rows in zip(names, row, strict=True)
    ]


def keep(plan: Plan, ledger: Ledger, lessons: Iterable[Reading]) -> None:
    """Write the figures of a run that begins: they teach once it has ended."""
    rows = [
        {"sync": plan.sync.name, "run_id": plan.run_id, "metric": one.metric, "value": one.value, "rows": one.rows}
        for one in lessons
    ]
    if rows and not _judged(ledger, plan):
        with told(), ledger.engine.begin() as connection:
            connection.execute(run_figures.insert(), rows)


def learned(ledger: Ledger, sync: str) -> dict[str, tuple[float, float]]:
    """Of each figure what is usual and its bound, from the first run of each of the last publications.

    Nothing before there were five of them.
    """
    same = (runs.c.run_id == run_figures.c.run_id) & (runs.c.sync == run_figures.c.sync)
    query = select(run_figures.c.run_id, run_figures.c.metric, run_figures.c.value).join(runs, same)
    query = query.where(run_figures.c.sync == sync, runs.c.finished_at.is_not(None))
    with told(), ledger.engine.connect() as connection:
        rows = connection.execute(query.order_by(run_figures.c.run_id.desc())).fetchall()
    values: dict[str, list[float]] = defaultdict(list)
    for _, metric, value in rows:
        values[metric].append(value)
    return {metric: _bound(metric, some[:MOST]) for metric, some in values.items() if len(some) >= FEWEST}


def _bound(metric: str, values: list[float]) -> tuple[float, float]:
    middle = median(values)
    stray = STRAY * median(abs(value - middle) for value in values)
    slack = SLACK.get(metric, SLACK_EMPTY)
    return middle, middle + max(stray, slack) if slack > 0 else middle - max(stray, -slack)


def _judged(ledger: Ledger, plan: Plan) -> bool:
    same = (runs.c.run_id == run_figures.c.run_id) & (runs.c.sync == run_figures.c.sync)
    query = select(run_figures.c.run_id).join(runs, same).where(run_figures.c.sync == plan.sync.name)
    query = query.where(runs.c.publication == plan.publication, runs.c.run_id != plan.run_id).limit(1)
    with told(), ledger.engine.connect() as connection:
        return connection.execute(query).first() is not None
