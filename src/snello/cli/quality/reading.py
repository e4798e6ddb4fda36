"""Findings about the data as it arrived, read from the published table ``data_quality``."""

from __future__ import annotations

from dataclasses import dataclass

from snello.cli.tables import Row, Tables, manifest
from snello.errors import ConfigError, ContractError, choices
from snello.lake import Lake
from snello.settings import Settings

SEVERITIES = ("error", "warning", "note")
_TABLE = "data_quality"
_FINDINGS = f"""
select severity, rule, source, stream, findings, examples, meaning, next_step from {_TABLE}
where coalesce(source = $source, true)
order by list_position($severities::varchar[], severity) nulls last, findings desc, rule, source, stream
"""


@dataclass(frozen=True)
class Quality:
    """Findings, the worst first, a row a rule, source and stream."""

    findings: list[Row]


def read(hub: Settings, source: str | None) -> Quality:
    """What the last published run found, in ``source`` alone when given.

    Raises ``ContractError`` when it is not published, ``ConfigError`` when the hub has no such source.
    """
    lake = Lake(hub.lake)
    if _TABLE not in manifest(lake).tables:
        raise ContractError("quality", f"{_TABLE} is not published", "run `meltano run unify`")
    known = {name for name, _ in lake.raw_tables()}
    if source is not None and source not in known:
        raise ConfigError("quality --source", f"no source {source!r}", choices(source, known))
    asked = {"source": source, "severities": list(SEVERITIES)}
    return Quality(Tables.published(lake, [_TABLE]).rows(_FINDINGS, asked))
