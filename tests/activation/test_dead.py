"""Dead letters: listed, tried again and dropped, in either ledger."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from tests.activation.staging import end, people, planned, run, told

from snello.activation import dead
from snello.activation.dead import Choice
from snello.errors import ConfigError, RetryLater
from snello.kit.channel.rehearsal import Rehearsal

pytestmark = pytest.mark.usefixtures("on_both")


@pytest.fixture
def stage(tmp_path: Path) -> Rehearsal:
    """A sync of which one row was taken, and two were refused."""
    stage = Rehearsal(tmp_path, purpose="email_marketing", channel="email")
    stage.publish(people("c1"))
    run(stage)
    stage.publish(people("c1", "c2", "c3"))
    end(stage, planned(stage), status="refused", code="invalid_email")
    return stage


def test_refused_rows_wait_until_somebody_has_them_tried_again(stage: Rehearsal) -> None:
    assert told(planned(stage)) == []
    with closing(stage.ledger()) as ledger:
        found = dead.letters(ledger, stage.sync)
        assert [(one.key, one.status, one.code) for one in found] == [
            ("c2", "refused", "invalid_email"),
            ("c3", "refused", "invalid_email"),
        ]
        assert dead.retry(ledger, Choice(stage.sync, keys=("c2",)), "ada", "mended") == 1
        assert ledger.receipts(stage.sync, key="c2")[0]["reason"] == "ada: mended"
    assert run(stage) == [("upsert", "c2", "")]


def test_a_dropped_row_is_sent_when_its_payload_changes(stage: Rehearsal) -> None:
    with closing(stage.ledger()) as ledger:
        assert dead.drop(ledger, Choice(stage.sync, code="invalid_email"), "ada", "left") == 2
    assert told(planned(stage)) == []
    stage.publish(people("c1", "c2", "c3", city="Bari"))
    assert {key for _, key, _ in run(stage)} == {"c1", "c2", "c3"}


def test_a_row_put_off_for_longer_than_agreed_is_given_up(stage: Rehearsal) -> None:
    stage.terms["expire_days"] = 1
    stage.publish(people("c1", "c4"))
    end(stage, planned(stage), status="retrying", code="timeout")
    with closing(stage.ledger()) as ledger, ledger.engine.begin() as connection:
        connection.exec_driver_sql("update receipts set at = '2020-01-01 00:00:00.000000' where key = 'c4'")
        connection.exec_driver_sql("update runs set started_at = '2020-01-01 00:00:00.000000'")
    assert told(planned(stage)) == []
    with closing(stage.ledger()) as ledger:
        assert [(one.key, one.status, one.code) for one in dead.letters(ledger, code="expired")] == [
            ("c4", "dead", "expired")
        ]


def test_letters_of_a_sync_that_is_running_are_left_alone(stage: Rehearsal) -> None:
    with closing(stage.ledger()) as busy, closing(stage.ledger()) as ledger:
        busy.locks.take(stage.sync, "target")
        with pytest.raises(RetryLater, match="another run of it is under way"):
            dead.retry(ledger, Choice(stage.sync, every=True), "ada", "now")
        with pytest.raises(ConfigError, match="'c9' is none of them"):
            dead.drop(ledger, Choice(stage.sync, keys=("c9",)), "ada", "now")
