"""target-file tried on a folder: what whoever applies its files in their order comes to hold."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from snello.kit.conformance.targets import Subject, starts

LACKS: dict[Any, str] = {
    "http": "a folder does not speak HTTP; SFTP, S3, full disks and deaths are in tests/connectors/test_target_file_*",
    "lost": "what became of a file once it was fetched is not ours to see",
    "answers_by_row": "a folder does not answer",
    "says_json": "a folder does not answer",
    "own_purpose": "a file serves any purpose",
    "authenticates": "a folder asks for no password",
}


@starts(LACKS)
def folder() -> Iterator[Subject]:
    """Changes as CSV files in latin-1, of two rows each."""
    with TemporaryDirectory() as name:
        place = Path(name) / "drop"

        def rows() -> list[tuple[str, str, str, str]]:
            found: list[tuple[str, str, str, str]] = []
            for file in sorted(place.glob("channel__*.csv")):
                with file.open(encoding="latin-1", newline="") as lines:
                    found += [
                        (each["op"], each["customer_id"], each["name"], each["visits"])
                        for each in csv.DictReader(lines)
                    ]
            return found

        def effects() -> list[tuple[str, int]]:
            """Each change by customer and number; one that comes twice in a row has the number of the first."""
            last: dict[str, tuple[int, Any]] = {}
            found = []
            for row in rows():
                number, before = last.get(row[1], (0, None))
                last[row[1]] = (number if row == before else number + 1, row)
                found.append((row[1], last[row[1]][0]))
            return found

        def held() -> list[tuple[str, Any]]:
            now: dict[str, Any] = {}
            for op, key, what, visits in rows():
                if op == "upsert":
                    now[key] = {"name": what, "visits": visits}
                else:
                    now.pop(key, None)
            return list(now.items())

        def seed() -> None:
            place.mkdir(exist_ok=True)
            (place / "theirs.csv").write_text("id\n1\n")

        yield Subject(
            command="target_file:main",
            url="",
            config=lambda _: {"path": str(place), "part_rows": 2, "dialect": {"encoding": "latin-1"}},
            terms={"purpose": "profiling", "channel": "any"},
            columns=lambda number, version: {"name": f"canary {number}.", "visits": version},
            held=held,
            shown=lambda row: {"name": row["name"], "visits": str(row["visits"])},
            effects=effects,
            seed=seed,
            foreign=lambda: sorted((file.name, file.read_bytes()) for file in place.glob("theirs*")),
            bad=(
                ({"name": "canary ☃", "visits": 1}, "encoding"),
                ({"name": "canary Ω", "visits": 2}, "encoding"),
            ),
        )
