"""target-file tried on a folder: what whoever applies its files in their order comes to hold."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from snello.kit.conformance.targets import Subject, starts

LACKS: dict[Any, str] = {
    "http": "a folder does not speak HTTP; SFTP, S3, full disks and deaths are in tests/connectors/test_target_file_*",
    "lost": "what became of a file once it was fetched is not ours to see",
    "answers_by_row": "a folder does not answer",
    "says_json": "a folder does not answer",
    "own_purpose": "a file serves any purpose",
    "authenticates": "a folder asks for no password",
}


class Row(NamedTuple):
    """A row of a file; ``whole``: the file's name, where it holds rows of a whole audience."""

    op: str
    key: str
    name: str | None
    visits: str | None
    whole: str


@starts(LACKS)
def folder() -> Iterator[Subject]:
    """Changes as CSV files in latin-1, of two rows each."""
    with TemporaryDirectory() as name:
        place = Path(name) / "drop"

        def rows() -> list[Row]:
            """Every row in the order of the files; of those without the column, the file's name says the operation."""
            found: list[Row] = []
            for file in sorted(place.glob("channel__*.csv")):
                with file.open(encoding="latin-1", newline="") as lines:
                    for each in csv.DictReader(lines):
                        op = each.get("op") or ("remove" if "_remove_" in file.name else "upsert")
                        whole = file.name if "op" not in each else ""
                        found.append(Row(op, each["customer_id"], each.get("name"), each.get("visits"), whole))
            return found

        def wholes() -> dict[str, str]:
            """The files of audiences that came whole, once their manifest is there, with its name."""
            manifests = {file.name: json.loads(file.read_text()) for file in place.glob("*.manifest.json")}
            return {each["name"]: name for name, told in manifests.items() if told["whole"] for each in told["files"]}

        def effects() -> list[tuple[str, Any]]:
            """Each change by customer and number; one that comes twice in a row has the number of the first."""
            last: dict[str, tuple[int, Any]] = {}
            found: list[tuple[str, Any]] = []
            for row in rows():
                number, before = last.get(row.key, (0, None))
                last[row.key] = (number if row == before else number + 1, row)
                found.append((row.key, row.whole or last[row.key][0]))
            return found

        def held() -> list[tuple[str, Any]]:
            now: dict[str, Any] = {}
            there, begun = wholes(), ""
            for row in rows():
                if row.whole and row.whole not in there:
                    continue  # no manifest speaks of it: nobody reads it
                if row.whole and there[row.whole] != begun:
                    now, begun = {}, there[row.whole]
                if row.op == "upsert":
                    now[row.key] = {"name": row.name, "visits": row.visits}
                else:
                    now.pop(row.key, None)
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
