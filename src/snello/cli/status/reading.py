"""The state of the hub, read from the lake's own tables and the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from snello.cli import said
from snello.cli.ledger import Receipts
from snello.cli.tables import Row, Tables
from snello.errors import RowsRefused
from snello.lake import Lake
from snello.settings import Settings

_LAST_LOADS = """
with loads as (
    select source, run_id, stream, started_at, finished_at, rows, refused from ({loads})
),

latest as (
    select source, max_by(run_id, finished_at) as run_id from loads group by source
)

select
    loads.source,
    loads.run_id,
    min(started_at) as started_at,
    max(finished_at) as finished_at,
    count(distinct stream) filter (where stream <> '_quarantine') as streams,
    coalesce(sum(rows) filter (where stream <> '_quarantine'), 0)::bigint as rows,
    -- by the loader, or by the tap, which sends what it refused as a stream
    (sum(refused) + coalesce(sum(rows) filter (where stream = '_quarantine'), 0))::bigint as refused
from loads
inner join latest on loads.source = latest.source and loads.run_id = latest.run_id
group by all
order by loads.source
"""
_QUARANTINE = """
select
    $source as source, stream, regexp_replace(reason, 'of line [0-9]+$', 'of an earlier line') as reason,
    count(*) as rows, max(refused_at) as last_refused_at
from ({quarantine})
group by all order by rows desc, stream, reason
"""
_CONSENTS = """
select
    purpose,
    channel,
    coalesce(sum(customers) filter (where state = 'yes'), 0)::bigint as yes,
    coalesce(sum(customers) filter (where state = 'no'), 0)::bigint as no,
    coalesce(sum(customers) filter (where state = 'unknown'), 0)::bigint as unknown,
    round(100 * coalesce(sum(share) filter (where state = 'yes'), 0), 1) as yes_percent
from consent_coverage
group by purpose, channel
order by purpose, channel
"""
_QUALITY = """
select severity, sum(findings)::bigint as findings from data_quality
group by severity order by list_position(['error', 'warning', 'note'], severity) nulls last
"""


@dataclass(frozen=True)
class Status:
    """Last run of each source and sync, what is published, whom consent lets reach, what is in quarantine.

    ``said``: what platforms said last of their audiences, beside what was expected of them.

    ``quality`` counts what was found wrong with the data by severity, the worst first; none where it is not published.

    ``refused_share`` is the largest share of refused rows among those runs; ``refused_where`` says whose it is.
    """

    sources: list[Row]
    published: Row | None
    syncs: list[Row]
    consents: list[Row]
    quarantine: list[Row]
    quality: list[Row] | None
    said: list[Row]
    refused_share: float
    refused_where: str
    refused_tolerance: float

    def judge(self) -> None:
        """Raise ``RowsRefused`` when a run refused more than is tolerated."""
        if self.refused_share > self.refused_tolerance:
            what = f"{self.refused_share:.1%} of the rows of the last run were refused"
            cure = f"run `snello receipts {self.refused_where}`"
            if self.refused_where in {row["source"] for row in self.sources}:
                cure = (
                    f"mend the source by the reasons listed under quarantine, in raw/{self.refused_where}/_quarantine"
                )
            raise RowsRefused(self.refused_where, f"{what}, tolerated are {self.refused_tolerance:.1%}", cure)


def read(hub: Settings, now: datetime | None = None) -> Status:
    """The state of the hub that ``hub`` points at; nothing yet is an empty state, not a fault."""
    lake = Lake(hub.lake)
    sources = last_loads(lake)
    moment = now or datetime.now(UTC)
    receipts = Receipts(hub.ledger)
    syncs = [{**row, "dead": receipts.dead(row["sync"])} for row in receipts.last_runs()]
    for row in (*sources, *syncs):
        ended = row["finished_at"]
        row["age_minutes"] = int((moment - ended).total_seconds() // 60) if ended else None
    shares = {row["source"]: _share(row["refused"], row["rows"] + row["refused"]) for row in sources}
    shares |= {row["sync"]: _share(row["refused"], row["upserts"] + row["removals"]) for row in syncs}
    worst = max(shares, key=lambda name: shares[name], default="")
    return Status(
        sources=sources,
        published=_published(lake),
        syncs=syncs,
        consents=consents(lake),
        quarantine=quarantine(lake),
        quality=quality(lake),
        said=said.rows(said.last(receipts.measured(receipts.syncs()))),
        refused_share=shares.get(worst, 0.0),
        refused_where=worst,
        refused_tolerance=hub.refused_tolerance,
    )


def last_loads(lake: Lake) -> list[Row]:
    """The last run of the loader for each source: rows in, rows refused, when."""
    loads = [lake.scan_sql(uri) for (_, stream), uri in sorted(lake.raw_tables().items()) if stream == "_loads"]
    return Tables(lake).rows(_LAST_LOADS.format(loads=" union all by name ".join(loads))) if loads else []


def quarantine(lake: Lake) -> list[Row]:
    """Rows in quarantine by source, stream and reason."""
    tables = Tables(lake)
    return [
        row
        for (source, stream), uri in sorted(lake.raw_tables().items())
        if stream == "_quarantine"
        for row in tables.rows(_QUARANTINE.format(quarantine=lake.scan_sql(uri)), {"source": source})
    ]


def consents(lake: Lake) -> list[Row]:
    """Customers by what consent says of them, a row a purpose and channel; unknown counts as no."""
    current = lake.manifest()
    if current is None or "consent_coverage" not in current.tables:
        return []
    return Tables.published(lake, ["consent_coverage"]).rows(_CONSENTS)


def quality(lake: Lake) -> list[Row] | None:
    """Findings about the data as it arrived, a row a severity; none where the report is not published."""
    current = lake.manifest()
    if current is None or "data_quality" not in current.tables:
        return None
    return Tables.published(lake, ["data_quality"]).rows(_QUALITY)


def _share(refused: int, of: int) -> float:
    return refused / of if of else 0.0


def _published(lake: Lake) -> Row | None:
    current = lake.manifest()
    if current is None:
        return None
    tables = [{"table": name, "rows": ref.rows, "version": ref.version} for name, ref in sorted(current.tables.items())]
    return {"run_id": current.run_id, "published_at": current.published_at, "tables": tables}
