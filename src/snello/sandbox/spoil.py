"""Break a known number of rows in the files, as exports do, and say which, so that every refusal can be checked."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snello.sandbox.draw import Draw
from snello.sandbox.files import zipped

ROWS_A_PERSON = 0.0004
FEWEST = 3


@dataclass(frozen=True)
class Fault:
    """A way to break a good row into one that cannot be read; the good row stays in the file."""

    reason: str
    breaks: Callable[[str], str]


def _field(number: int, value: str) -> Callable[[str], str]:
    def breaks(row: str) -> str:
        fields = row.split(";")
        fields[number] = value
        return ";".join(fields)

    return breaks


CARDS = (
    Fault("too few fields", lambda row: ";".join(row.split(";")[:9])),
    Fault("too many fields", lambda row: row + ";;S"),
    Fault("no such date", _field(3, "31/02/1980")),
    Fault("not a number", _field(17, "12,3O")),
)
MOVEMENTS = (
    Fault("line too short", lambda row: row[:31]),
    Fault("points not a number", lambda row: row[:43] + "00X0120" + row[50:]),
    Fault("no such date", lambda row: row[:25] + "32132020" + row[33:]),
)
CALLS = (Fault("too few fields", lambda row: ",".join(row.split(",")[:5])),)
NEWSLETTER = (Fault("cut JSON", lambda row: row[: len(row) // 2]),)


def spoil(company: Path, people: int, draw: Draw) -> dict[str, Any]:
    """Insert broken rows after good ones; returns, by ``source.stream``, each with file, line and reason.

    Truth and counts stay as they are: only rows that nobody can read are added.
    """
    count = max(FEWEST, round(people * ROWS_A_PERSON))
    plan = {
        "loyalty.cards": ("loyalty/cards_*.csv", "latin-1", CARDS, 1),
        "loyalty.movements": ("loyalty/movements_*.txt", "ascii", MOVEMENTS, 0),
        "contact_centre.calls": ("contact_centre/cdr_*.csv.gz", "utf-8", CALLS, 0),
        "marketing.newsletter": ("marketing/newsletter_*.jsonl", "utf-8", NEWSLETTER, 0),
    }
    return {
        stream: _spoil_file(company, sorted(company.glob(glob))[-1], encoding, faults, (first, count), draw)
        for stream, (glob, encoding, faults, first) in plan.items()
    }


def _spoil_file(
    company: Path, path: Path, encoding: str, faults: tuple[Fault, ...], where: tuple[int, int], draw: Draw
) -> list[dict[str, Any]]:
    first, count = where
    packed = path.suffix == ".gz"
    content = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
    end = "\r\n" if b"\r\n" in content[:2000] else "\n"
    rows = content.decode(encoding).split(end)[:-1]
    good = len(rows) - first
    chosen = sorted(first + int(n) for n in draw.rng.choice(good, min(count, good), replace=False))
    broken = []
    for n, row in enumerate(chosen):
        at, fault = row + 1 + n, faults[n % len(faults)]
        rows.insert(at, fault.breaks(rows[row + n]))
        broken.append({"file": str(path.relative_to(company)), "line": at + 1, "reason": fault.reason})
    content = (end.join(rows) + end).encode(encoding)
    if packed:
        zipped(path, content)
    else:
        path.write_bytes(content)
    return broken
