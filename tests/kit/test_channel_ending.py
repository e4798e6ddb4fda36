"""After a run: who bounced is suppressed, and drift between channel and ledger is found."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from snello.activation import Change
from snello.activation.suppressions import address_hash
from snello.activation.tables import suppressions
from snello.errors import ConfigError
from snello.kit.channel import ActivationSink, ActivationTarget, Bounce, ChannelSettings, Held, Verdict
from snello.kit.channel.rehearsal import SALT, Rehearsal


class Rows(ActivationSink[ChannelSettings]):
    name = "rows"
    modes = frozenset({"append", "mirror"})
    back: ClassVar[list[Bounce]] = []
    listed: ClassVar[list[str] | None] = None

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        return [Verdict.delivered(change.key) for change in changes]

    remove = upsert

    def bounced(self) -> Iterable[Bounce]:
        return self.back

    def listing(self) -> Iterable[Held] | None:
        return None if self.listed is None else [Held(key) for key in self.listed]

    def canonical(self, key: str) -> str:
        return key.lower()


class TargetRows(ActivationTarget):
    """A target for the test."""

    name, sinks = "target-rows", (Rows,)


@pytest.fixture(autouse=True)
def _calm() -> None:
    Rows.back, Rows.listed = [], None


def suppressed(stage: Rehearsal) -> list[tuple[str, str, str, str]]:
    ledger = stage.ledger()
    with ledger.engine.connect() as connection:
        rows = connection.execute(suppressions.select().order_by(suppressions.c.kind)).mappings().all()
    ledger.close()
    return [(row["kind"], row["value"], row["channel"], row["reason"]) for row in rows]


def test_who_bounced_is_suppressed_by_customer_and_by_the_hash_of_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNELLO_SALT", SALT)
    terms = {"purpose": "email_marketing", "channel": "email", "mode": "append", "key": "event"}
    stage = Rehearsal(tmp_path, **terms)
    stage.publish([{"event": "e1", "customer_id": "ada", "text": "hello"}])
    Rows.back = [Bounce("e1", "hard", "Canary@Example.it")]
    stage.run(TargetRows, {})
    stage.run(TargetRows, {})
    hashed = address_hash("canary@example.it", SALT)
    assert suppressed(stage) == [("address", hashed, "email", "hard"), ("customer", "ada", "email", "hard")]
    assert b"anary" not in (tmp_path / "ledger.db").read_bytes()


def test_a_bounce_is_read_even_when_a_run_has_nothing_to_send(tmp_path: Path) -> None:
    stage = Rehearsal(tmp_path)
    stage.publish([{"customer_id": "c1"}])
    stage.run(TargetRows, {})
    Rows.back = [Bounce("c1", "complaint")]
    stage.run(TargetRows, {})
    assert suppressed(stage) == [("customer", "c1", "any", "complaint")]


def test_a_channel_that_holds_what_the_ledger_says_has_not_drifted(tmp_path: Path) -> None:
    stage = Rehearsal(tmp_path)
    stage.publish([{"customer_id": "c1"}, {"customer_id": "c2"}])
    stage.run(TargetRows, {})
    Rows.listed = ["C2", "C1"]
    target = TargetRows(config={"ledger": stage.ledger_url})
    drift = target.reconcile(stage.sync)
    target.ledger.close()
    assert not drift
    assert (drift.held, drift.listed) == (2, 2)


def test_drift_is_one_line_of_json_and_an_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from snello.kit.entry import entry

    stage = Rehearsal(tmp_path)
    stage.publish([{"customer_id": f"c{n}"} for n in range(3)])
    stage.run(TargetRows, {})
    Rows.listed = ["c1", "c2", "stranger"]
    (tmp_path / "config.json").write_text(json.dumps({"ledger": stage.ledger_url}))
    words = ["target-rows", "--reconcile", stage.sync, "--config", str(tmp_path / "config.json")]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as end:
        entry(TargetRows)()
    said = capsys.readouterr()
    assert end.value.code == 5
    wanted = {"sync": stage.sync, "held": 3, "listed": 3, "missing": 1, "foreign": 1, "keys": ["c0", "stranger"]}
    assert json.loads(said.out) == wanted
    assert "1 rows are missing there, 1 are unknown to the ledger" in said.err


def test_a_channel_that_cannot_say_what_it_holds_says_so(tmp_path: Path) -> None:
    stage = Rehearsal(tmp_path)
    stage.publish([{"customer_id": "c1"}])
    target = TargetRows(config={"ledger": stage.ledger_url})
    with pytest.raises(ConfigError, match="rows cannot say what they hold"):
        target.reconcile(stage.sync)
    target.ledger.close()


def test_rows_that_wait_are_told_in_one_sentence_with_their_codes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stage = Rehearsal(tmp_path)
    stage.publish([{"customer_id": key} for key in ("c1", "c2", "c3")])
    codes = {"c1": "busy", "c2": "busy", "c3": "slow"}
    put_off = lambda _, changes: [Verdict.retry(one.key, codes[one.key]) for one in changes]  # noqa: E731
    monkeypatch.setattr(Rows, "upsert", put_off)
    stage.run(TargetRows, {})
    monkeypatch.setattr(Rows, "waits", {"slow": "the channel is asleep"})
    stage.run(TargetRows, {})
    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [text for text in said if "wait" in text] == [
        "channel__audience: 3 rows wait (busy 2, slow 1): the channel put them off, and the next run tries again. "
        "Next: snello sync run channel__audience.",
        "channel__audience: 3 rows wait (busy 2, slow 1): the channel is asleep. "
        "Next: snello sync run channel__audience.",
    ]


def test_a_platform_that_counts_and_lists_nobody_is_asked_by_its_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Rehearsal(tmp_path)
    monkeypatch.setattr(Rows, "listing", ActivationSink.listing)
    monkeypatch.setattr(Rows, "size", lambda _: None)
    target = TargetRows(config={"ledger": stage.ledger_url})
    with pytest.raises(ConfigError, match=r"lists nobody.*ask `snello sync check channel__audience`"):
        target.reconcile(stage.sync)
    target.ledger.close()
