"""PostgreSQL as RECORD lines, through tap-sql and through MeltanoLabs' tap-postgres, each writing to nowhere.

.venv/bin/python bench/sql_records.py [ROWS]        default: 1,000,000 rows of 15 columns

Each figure is a process of its own, start-up and discovery included, over a loopback connection to one server. The
peer gets a tenth of the rows, as it is slow: the rate counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from peers import programs
from sql_to_lake import Took, finished, server

TITLE = "MeltanoLabs tap-postgres 0.10"


def read(name: str, words: list[str], config: dict[str, Any], rows: int) -> Took:
    """One tap, reading the table ``contacts``; the lines are counted."""
    with tempfile.TemporaryDirectory(prefix="snello-bench-") as held:
        folder = Path(held)
        (folder / "tap.json").write_text(json.dumps(config))
        words = [*words, "--config", str(folder / "tap.json")]
        if "filter_schemas" in config:  # the peer reads nothing that a catalog does not select
            (folder / "catalog.json").write_text(json.dumps(selected(words)))
            words += ["--catalog", str(folder / "catalog.json")]
        with (folder / "lines").open("wb") as out:
            began = perf_counter()
            took = finished(name, began, [subprocess.Popen(words, stdout=out, stderr=subprocess.DEVNULL)])
        with (folder / "lines").open("rb") as lines:
            count = sum(1 for line in lines if b'"RECORD"' in line[:4000])
    if count != rows:
        sys.exit(f"{name} wrote {count} records instead of {rows}")
    return took


def selected(words: list[str]) -> dict[str, Any]:
    """What the tap discovers, all of it selected."""
    found = subprocess.run([*words, "--discover"], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    catalog: dict[str, Any] = json.loads(found.stdout)
    for stream in catalog["streams"]:
        for each in stream["metadata"]:
            each["metadata"]["selected"] = True
    return catalog


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    peer = str(programs() / "tap-postgres")
    own = str(Path(sys.executable).with_name("tap-sql"))
    rates = []
    for name, count, program in ((TITLE, rows // 10, peer), ("tap-sql", rows, own)):
        with server(count) as url:
            theirs = {"sqlalchemy_url": url.replace("postgresql://", "postgresql+psycopg://")}
            config = {"url": url, "tables": ["contacts"]} if program == own else theirs | {"filter_schemas": ["public"]}
            took = read(name, [program], config, count)
        rates.append(count / took.seconds)
        rate, cpu = count / took.seconds, count / took.cpu
        print(
            f"{name:<32}{rate:>10,.0f} records/s {cpu:>10,.0f} a CPU second  ({count:,}, peak {took.peak_mb:,.0f} MB)"
        )
    print(f"{rates[1] / rates[0]:.1f} times as many")


if __name__ == "__main__":
    main()
