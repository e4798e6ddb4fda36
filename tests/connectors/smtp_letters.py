"""What the tests of target-smtp share: its settings, a sink, and rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from snello.kit.channel import Change, Verdict
from target_smtp import Letters
from target_smtp.settings import Settings

SECRET = "a secret that signs references"
SHIPPED = Path(__file__).parents[2] / "connectors" / "target-smtp" / "templates"
COLUMNS = ("customer_id", "email", "first_name", "salutation", "language", "lifecycle_stage", "last_order_on")


def settings(folder: Path, port: int = 25, **more: Any) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "Bottega Aurora <news@aurora.example>",
        "secret": SECRET,
        "templates": str(SHIPPED),
        "template": "win-back",
        "languages": ["it", "en"],
        "fallback": "it",
        "unsubscribe_url": "https://aurora.example/leave/{token}",
        "journal": str(folder / "journal.db"),
        "pace": {"default": "1000/s"},
        "max_wait": 0.05,
        "retry_attempts": 3,
        "timeout": 20,
        **more,
    }


def change(
    number: int, email: str | None = None, purpose: str = "email_marketing", channel: str = "email", **payload: Any
) -> Change:
    row = {
        **dict.fromkeys(COLUMNS),
        "customer_id": f"c{number:03}",
        "email": email if email is not None else f"person{number}@example.it",
        "first_name": "Ada",
        "language": "it",
        **payload,
    }
    return Change(
        op="upsert",
        key=str(row["customer_id"]),
        fingerprint=f"{number:032x}",
        payload=row,
        consent="yes",
        purpose=purpose,
        channel=channel,
        mode="insert",
        customer=str(row["customer_id"]),
    )


@contextmanager
def sink(folder: Path, port: int = 25, sync: str = "smtp__win_back", **more: Any) -> Iterator[Letters]:
    made = Letters(Settings.model_validate(settings(folder, port, **more)), sync, "Win back")
    made.schema = {"properties": {name: {} for name in (*COLUMNS, "_op", "_key")}}
    try:
        yield made
    finally:
        made.close()


def said(verdicts: Iterable[Verdict]) -> dict[str, tuple[str, str]]:
    return {verdict.key: (verdict.status, verdict.code) for verdict in verdicts}


def sent(folder: Path, port: int, changes: Sequence[Change], **more: Any) -> dict[str, tuple[str, str]]:
    """What one run makes of these rows, as status and code by key."""
    with sink(folder, port, **more) as letters:
        return said(letters.upsert(changes))
