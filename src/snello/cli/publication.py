"""Publishing from the command line: what dbt passed goes into the lake, and what that changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from snello.cli.screen import Block, Grid, Line
from snello.cli.tables import Row
from snello.dbt.publish import publish
from snello.lake import Lake
from snello.settings import Settings


@dataclass(frozen=True)
class Publication:
    """What readers of the lake now see; a table is new, changed or unchanged."""

    run_id: str
    published_at: datetime
    tables: list[Row]


def commit(hub: Settings, target_dir: Path) -> Publication:
    """Publish what the last dbt command built and passed; raises ``ContractError`` when something did not pass."""
    lake = Lake(hub.lake)
    before = lake.manifest()
    known = {name: ref.version for name, ref in before.tables.items()} if before else {}
    now = publish(hub.warehouse, target_dir, lake)
    tables: list[Row] = [
        {
            "table": name,
            "rows": ref.rows,
            "version": ref.version,
            "change": "new" if name not in known else "unchanged" if known[name] == ref.version else "changed",
        }
        for name, ref in sorted(now.tables.items())
    ]
    return Publication(now.run_id, now.published_at, tables)


def page(publication: Publication) -> Iterator[Block]:
    """A line a table, then how many changed."""
    columns = ("table", "rows", "version", "change")
    yield Grid("", columns, [[row[name] for name in columns] for row in publication.tables])
    changed = sum(row["change"] != "unchanged" for row in publication.tables)
    yield Line(f"published {len(publication.tables)} tables, {changed} changed: run {publication.run_id}", "ok")
