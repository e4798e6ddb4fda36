"""tap-files tried on a folder of CSV files that grow and change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from snello.kit.conformance.taps import Key, Subject, starts

CANARY = "canary.person@aurora.example"
FILES, ROWS = 4, 20
COLUMNS = [{"name": "id"}, {"name": "email"}, {"name": "n", "type": "integer"}, {"name": "day", "type": "date"}]


def _write(folder: Path, number: int, day: str, count: int = ROWS) -> None:
    rows = [f"{number}-{n},{CANARY},{n},{day}" for n in range(count)]
    (folder / f"members-{number}.csv").write_text("\n".join(["id,email,n,day", *rows]) + "\n")


@starts(
    {
        "http": "a folder does not speak HTTP",
        "authenticates": "a folder asks for no password",
        "renews": "a folder asks for no password",
        "ties": "files carry no order: all that is new in the folder is read",
        "removes": "a file that is gone says nothing of its rows",
    }
)
def folder() -> Iterator[Subject]:
    """Whole files are read again when they changed."""
    with TemporaryDirectory() as name:
        place = Path(name)
        for number in range(FILES):
            _write(place, number, "2026-01-02")

        def change() -> tuple[str, Key]:
            _write(place, 1, "2026-02-03")
            return "members", ("1-3",)

        layout = {"stream": "members", "path": f"{place}/*.csv", "format": "csv", "keys": ["id"], "columns": COLUMNS}
        yield Subject(
            command="tap_files:main",
            plugin="tap_files:TapFiles",
            config=lambda _: {"files": [layout]},
            rows={"members": FILES * ROWS},
            canaries=(CANARY,),
            change=change,
            grow=lambda rows: _write(place, 9, "2026-01-02", rows),
            overlap=ROWS - 1,
            full=10_000,
        )
