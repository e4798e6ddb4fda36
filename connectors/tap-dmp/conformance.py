"""tap-dmp tried on a folder of drops: full files, files of changes, checksums beside them."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from snello.kit.conformance.taps import Key, Subject, starts

CANARY = "canary-cookie-7f3a"
ROWS = 60
HEADER = "id_type,id,segment_id,op,valid_until"


def _drop(folder: Path, name: str, lines: list[str]) -> None:
    content = gzip.compress("\n".join(lines).encode() + b"\n", mtime=0)
    (folder / name).write_bytes(content)
    (folder / f"{name}.sha256").write_text(f"{hashlib.sha256(content).hexdigest()}  {name}\n")


def _members(rows: int) -> list[str]:
    return [HEADER, *(f"cookie,{CANARY}-{row},s{row % 7},add,2027-01-01T00:00:00Z" for row in range(rows))]


def _settings(folder: Path) -> dict[str, Any]:
    shared = {"format": "csv", "checksum": "beside"}
    return {
        "provider": "acme",
        "memory": f"{folder}/memory",
        "memberships": {"path": f"{folder}/members_*.csv.gz", **shared},
        "taxonomy": {"path": f"{folder}/taxonomy_*.csv.gz", **shared},
        "id_links": {"path": f"{folder}/links_*.csv.gz", "constants": {"key_type": "card"}, **shared},
    }


@starts(
    {
        "http": "a folder does not speak HTTP",
        "authenticates": "a folder asks for no password",
        "renews": "a folder asks for no password",
        "grows": "the keys of a full file are held while it is compared: the README's limits say what it takes",
        "ties": "files are put in order, rows are not: all that is new in the folder is read",
    }
)
def folder() -> Iterator[Subject]:
    """Full files and changes, each with its checksum beside it."""
    with TemporaryDirectory() as name:
        place = Path(name)
        _drop(place, "members_full_20260101.csv.gz", _members(ROWS))
        _drop(place, "taxonomy_full_20260101.csv.gz", ["segment_id,name", *(f"s{n},Segment {n}" for n in range(7))])
        links = [f"cookie,{CANARY}-{row},28000000{row:02},1" for row in range(20)]
        _drop(place, "links_full_20260101.csv.gz", ["id_type,id,key,consent", *links])

        def change() -> tuple[str, Key]:
            _drop(place, "members_delta_20260102.csv.gz", [HEADER, f"cookie,{CANARY}-3,s3,remove,"])
            return "memberships", ("acme", "cookie", f"{CANARY}-3", "s3")

        def remove() -> tuple[str, Key]:
            _drop(place, "members_full_20260103.csv.gz", _members(ROWS - 1))
            return "memberships", ("acme", "cookie", f"{CANARY}-{ROWS - 1}", f"s{(ROWS - 1) % 7}")

        yield Subject(
            command="tap_dmp:main",
            plugin="tap_dmp:TapDmp",
            config=lambda _: _settings(place),
            rows={"memberships": ROWS, "taxonomy": 7, "id_links": 20},
            canaries=(CANARY,),
            change=change,
            remove=remove,
        )
