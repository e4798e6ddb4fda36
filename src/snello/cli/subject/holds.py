"""What an erasure leaves in its raw table, by law or for one case, and until when."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from snello.errors import ConfigError

FILE = Path("transform/seeds/erasure_holds.csv")
_COLUMNS = ["source", "stream", "basis", "days"]


@dataclass(frozen=True)
class Hold:
    """A stream whose rows stay, for which reason; ``days`` from the erasure, None without an end."""

    source: str
    stream: str
    basis: str
    days: int | None = None

    @property
    def name(self) -> str:
        """The stream as people name it."""
        return f"{self.source}/{self.stream}"


def holds(root: Path, asked: Sequence[str]) -> list[Hold]:
    """The holds of the policy in ``seeds/erasure_holds.csv`` and those asked for, as ``SOURCE/STREAM=basis``."""
    declared = [_declared(number, row) for number, row in enumerate(_rows(root / FILE), 2)]
    return [*declared, *map(_asked, asked)]


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != _COLUMNS:
            raise ConfigError(str(FILE), "its columns are others", f"name them {', '.join(_COLUMNS)}")
        return list(reader)


def _declared(number: int, row: dict[str, str]) -> Hold:
    days = row["days"] or None
    if not all(row[name] for name in ("source", "stream", "basis")) or (days and not days.isdigit()):
        what = f"line {number} needs a source, a stream, a legal basis, and days as a number or nothing"
        raise ConfigError(str(FILE), what, "mend the line")
    return Hold(row["source"], row["stream"], row["basis"], int(days) if days else None)


def _asked(text: str) -> Hold:
    name, _, basis = text.partition("=")
    source, _, stream = name.partition("/")
    if not (source and stream and basis.strip()):
        raise ConfigError("subject --hold", f"{name!r} is no SOURCE/STREAM=BASIS", "name the stream and why it is kept")
    return Hold(source, stream, basis.strip())
