from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from snello.activation import Ledger
from snello.lake import Lake

SYNC = "brevo__long_absent"
TERMS = {"target": "target-brevo", "purpose": "email_marketing", "channel": "email"}
Runs = Callable[..., None]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(str(tmp_path / "lake"))
    lake.publish({"customers": pa.table({"customer_id": ["c1"]})}, run_id="p1", syncs={SYNC: TERMS})
    return lake


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield opened
    opened.close()


@pytest.fixture
def runs(ledger: Ledger) -> Runs:
    """Write a run: its outcome, and the status of each key."""

    def write(
        run_id: str, outcome: str, message: str = "", sync: str = SYNC, mode: str = "mirror", **statuses: str
    ) -> None:
        ledger.start({"run_id": run_id, "sync": sync, "publication": "p1", "mode": mode})
        rows: list[dict[str, Any]] = [
            {"sync": sync, "key": key, "op": "upsert", "status": status, "code": "", "run_id": run_id}
            for key, status in statuses.items()
        ]
        ledger.record([{**row, "fingerprint": "f" if row["status"] == "delivered" else None} for row in rows], rows)
        if outcome != "running":
            ledger.finish(run_id, sync, outcome, message=message)

    return write


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)
