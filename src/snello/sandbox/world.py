"""Generate the company: its people, their traces in every source, and the truth about both."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import polars as pl

from snello.errors import ConfigError
from snello.sandbox import files
from snello.sandbox.draw import Draw
from snello.sandbox.people import People, make_people
from snello.sandbox.spoil import spoil
from snello.sandbox.traces import (
    Traces,
    aftersales,
    bluesky,
    contact_centre,
    crm,
    dmp,
    loyalty,
    marketing,
    odoo,
    shop,
    shopify,
    suitecrm,
)

SOURCES: dict[str, ModuleType] = {
    "crm": crm,
    "aftersales": aftersales,
    "loyalty": loyalty,
    "contact_centre": contact_centre,
    "shop": shop,
    "marketing": marketing,
    "suitecrm": suitecrm,
    "odoo": odoo,
    "shopify": shopify,
    "bluesky": bluesky,
    "dmp": dmp,
}
MOST_PEOPLE = 20_000_000


@dataclass(frozen=True)
class World:
    """A generated company.

    - ``company``: a folder a source, ``people.parquet``, ``truth.parquet``, ``faults.json``, ``world.json``
    - ``rows``: rows by ``source.stream``
    """

    company: Path
    people: int
    seed: int
    as_of: datetime
    rows: dict[str, int]


def generate(
    home: Path, people: int, seed: int, as_of: datetime | None = None, told: Callable[[str, int], None] | None = None
) -> World:
    """Write the company of ``people`` persons under ``home``; the same seed and ``as_of`` give the same bytes.

    - ``as_of``: the company's present, by default today's midnight in UTC
    - ``told``: called with each stream and its rows once it is written
    """
    if not 10 <= people <= MOST_PEOPLE:
        raise ConfigError("sandbox", f"{people} people", f"ask for 10 to {MOST_PEOPLE}")
    as_of = (as_of or datetime.now(UTC)).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    company = home / "company"
    _clear(company)
    everybody = make_people(people, seed, as_of)
    files.parquet(everybody.frame, company / "people.parquet")
    rows: dict[str, int] = {}
    truths: list[pl.DataFrame] = []
    for name, module in SOURCES.items():
        traces: Traces = module.trace(everybody, Draw(seed, name, as_of))
        files.save(traces, company)
        truths += traces.truth
        for stream, frame in traces.tables.items():
            rows[f"{name}.{stream}"] = frame.height
            if told:
                told(f"{name}.{stream}", frame.height)
    files.parquet(truth(truths, everybody), company / "truth.parquet")
    faults = spoil(company, people, Draw(seed, "faults", as_of))
    (company / "faults.json").write_text(json.dumps(faults, indent=1) + "\n")
    world = World(company, people, seed, as_of, rows)
    about = {"people": people, "seed": seed, "as_of": as_of.isoformat(), "rows": rows}
    (company / "world.json").write_text(json.dumps(about, indent=1) + "\n")
    return world


def _clear(company: Path) -> None:
    """Take away what an earlier generation wrote; what says that the company is whole goes first, and comes last."""
    company.mkdir(parents=True, exist_ok=True)
    (company / "world.json").unlink(missing_ok=True)
    for name in SOURCES:
        shutil.rmtree(company / name, ignore_errors=True)


def truth(parts: list[pl.DataFrame], people: People) -> pl.DataFrame:
    """Which person and household every record speaks of; null for a stranger."""
    frame = pl.concat(parts)
    return frame.with_columns(household_id=people.frame["household_id"].gather(frame["person_id"]))


def read_world(home: Path) -> World:
    """The company that stands under ``home``; raises ``ConfigError`` when there is none."""
    path = home / "company" / "world.json"
    if not path.exists():
        raise ConfigError("sandbox", f"no company in {home}", "make one with `snello demo up`")
    about = json.loads(path.read_text())
    return World(path.parent, about["people"], about["seed"], datetime.fromisoformat(about["as_of"]), about["rows"])
