"""A hub in a folder, to try a target on: publish an audience, run the sync, look into the ledger.

    stage = Rehearsal(tmp_path, purpose="email_marketing", channel="email")
    stage.publish([{"customer_id": "c1", "email": "ada@example.it"}])
    stage.run(TargetAcme, {"token": "…"})

For tests of targets, ours and others'; it goes through the real tap, the real ledger and real Singer messages.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from snello.activation import Ledger
from snello.kit.activation_tap import ActivationTap
from snello.kit.channel.target import ActivationTarget
from snello.lake import Lake

SALT = "rehearsal"


class _Tap(ActivationTap):
    name = "tap-activation"


class Rehearsal:
    """A lake, a ledger and one sync; ``terms`` are the sync's settings, purpose and channel among them."""

    def __init__(self, folder: Path, sync: str = "channel__audience", **terms: Any) -> None:
        self.sync, self.terms = sync, {"target": "target", "purpose": "profiling", "channel": "any", **terms}
        self.lake = Lake(str(folder / "lake"))
        self.ledger_url = f"sqlite:///{folder / 'ledger.db'}"
        self.publications = 0

    def publish(
        self,
        rows: Sequence[Mapping[str, Any]],
        *,
        refusing: Iterable[str] = (),
        unknown: Iterable[str] = (),
        others: Iterable[str] = (),
        schema: pa.Schema | None = None,
    ) -> str:
        """Publish an audience and who consents; the name of the publication.

        Its members consent, but those ``refusing`` and ``unknown``; ``others`` consent without being members.
        """
        audience = pa.Table.from_pylist([dict(row) for row in rows], schema=schema)
        self.publications += 1
        publication = f"publication-{self.publications}"
        members = {str(row["customer_id"]) for row in rows} | set(others)
        tables = {
            f"activation/{self.sync}": audience,
            "consent_current": self._consents(members - set(unknown), set(refusing)),
        }
        self.lake.publish(tables, run_id=publication, syncs={self.sync: self.terms})
        return publication

    def _consents(self, consenting: set[str], refusing: set[str]) -> pa.Table:
        known = sorted(consenting | refusing)
        return pa.table(
            {
                "customer_id": pa.array(known, pa.string()),
                "purpose": pa.array([self.terms["purpose"]] * len(known), pa.string()),
                "channel": pa.array([self.terms["channel"]] * len(known), pa.string()),
                "state": pa.array(["no" if key in refusing else "yes" for key in known], pa.string()),
                "decided_by_source": pa.array(["crm"] * len(known), pa.string()),
                "record_key": pa.array([f"row-{key}" for key in known], pa.string()),
                "observed_at": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * len(known), pa.timestamp("us", "UTC")),
            }
        )

    @property
    def tap_config(self) -> dict[str, Any]:
        """Configuration of a tap-activation on this stage."""
        return {"sync": self.sync, "lake": self.lake.root, "ledger": self.ledger_url, "salt": SALT}

    def messages(self, allow_breaker: str | None = None) -> str:
        """What tap-activation would write now, as lines."""
        tap = _Tap(config={**self.tap_config, "allow_breaker": allow_breaker})
        kept = io.BytesIO()
        with io.TextIOWrapper(kept, encoding="utf-8") as written, redirect_stdout(written):
            try:
                tap.sync_all()
            finally:
                tap.ledger.close()
            written.flush()
            return kept.getvalue().decode()

    def feed(self, target: type[ActivationTarget], config: Mapping[str, Any], messages: str) -> str:
        """Hand messages to a target; the state that it let through."""
        one = target(config={"ledger": self.ledger_url, **config})
        written = io.StringIO()
        try:
            with redirect_stdout(written), _salted():
                one.listen(io.StringIO(messages))
        finally:
            one.ledger.close()
        return written.getvalue()

    def run(self, target: type[ActivationTarget], config: Mapping[str, Any], allow_breaker: str | None = None) -> str:
        """One run of the sync, tap and target; the state that the target let through."""
        return self.feed(target, config, self.messages(allow_breaker))

    def ledger(self) -> Ledger:
        """The ledger, to look into."""
        return Ledger(self.ledger_url)


@contextmanager
def _salted() -> Iterator[None]:
    """Let a target hash addresses under the tap's salt, whatever project the test runs in."""
    before = os.environ.get("SNELLO_SALT")
    os.environ["SNELLO_SALT"] = SALT
    try:
        yield
    finally:
        if before is None:
            del os.environ["SNELLO_SALT"]
        else:
            os.environ["SNELLO_SALT"] = before
