"""A sink on a folder, and what lies there afterwards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from snello.activation import Change, Verdict
from target_file import Files, Settings

RUN = "20260301T101500000000-abc123"
SCHEMA = {
    "customer_id": {"type": ["string", "null"]},
    "email": {"type": ["string", "null"]},
    "phone": {"type": ["string", "null"]},
    "name": {"type": ["string", "null"]},
    "visits": {"type": ["integer", "null"]},
    "revenue": {"type": ["number", "null"]},
    "loyal": {"type": ["boolean", "null"]},
    "born": {"type": ["string", "null"], "format": "date"},
    "seen_at": {"type": ["string", "null"], "format": "date-time"},
    "shops": {"type": ["array", "null"]},
}


def sink(path: Path | str, *columns: str, **settings: Any) -> Files:
    """A sink as the target would make it, for an audience of these columns."""
    given = {"path": str(path), "retry_attempts": 1, **settings}
    made = Files(Settings.model_validate(given), "dmp__loyal", "Loyal customers")
    made.schema = {"properties": {name: SCHEMA[name] for name in ("customer_id", *columns)}}
    return made


def put(
    files: Files, *rows: Mapping[str, Any], batch: str = "b1", mode: str = "mirror", run: str = RUN
) -> dict[str, str]:
    """Upsert rows; the code of each, empty when it was delivered."""
    files.batch_id = batch
    changes = [Change("upsert", str(row["customer_id"]), "f", row, run_id=run, mode=mode, batch=batch) for row in rows]
    return codes(files.upsert(changes))


def take(files: Files, *keys: str, batch: str = "r1", run: str = RUN) -> dict[str, str]:
    """Remove rows; the code of each, empty when it was delivered."""
    files.batch_id = batch
    return codes(files.remove([Change("remove", key, run_id=run) for key in keys]))


def codes(verdicts: Any) -> dict[str, str]:
    found: Sequence[Verdict] = list(verdicts)
    assert all((verdict.code == "") == (verdict.status == "delivered") for verdict in found)
    return {verdict.key: verdict.code for verdict in found}


def member(number: int, **values: Any) -> dict[str, Any]:
    """A row by number."""
    return {"customer_id": f"c{number}", "name": f"canary {number}", **values}


def sound(files: Mapping[str, bytes]) -> dict[str, Any]:
    """The one manifest among these files, held to what it says of them."""
    (name,) = [name for name in files if name.endswith(".manifest.json")]
    told: dict[str, Any] = json.loads(files[name])
    named = {each["name"] for each in told["files"]}
    assert named == {other for other in files if other != name and not other.endswith(".sha256")}
    for each in told["files"]:
        assert each["bytes"] == len(files[each["name"]])
        assert each["sha256"] == hashlib.sha256(files[each["name"]]).hexdigest()
    assert told["rows"] == sum(each["rows"] for each in told["files"])
    return told


def there(folder: Path) -> dict[str, bytes]:
    """All files of a folder, hidden ones too."""
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}
