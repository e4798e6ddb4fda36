"""Rows that a channel did not have when it was asked to update them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import pytest
from tests.activation.staging import people

from snello.activation import Change, Verdict
from snello.kit.channel import ActivationSink, ActivationTarget, ChannelSettings
from snello.kit.channel.rehearsal import Rehearsal


class Contacts(ActivationSink[ChannelSettings]):
    """Adds nobody in mode update."""

    name = "contacts"
    modes = frozenset({"mirror", "update"})
    rows: ClassVar[dict[str, str]] = {}
    calls: ClassVar[int] = 0

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        Contacts.calls += 1
        for change in changes:
            if change.mode == "update" and change.key not in self.rows:
                yield Verdict.refused(change.key, "not_there")
            else:
                self.rows[change.key] = change.payload["email"]
                yield Verdict.delivered(change.key)

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        return ()


class TargetContacts(ActivationTarget):
    """A target for the test."""

    name, sinks = "target-contacts", (Contacts,)


@pytest.fixture
def stage(tmp_path: Path) -> Rehearsal:
    """A row that the channel does not have."""
    Contacts.rows, Contacts.calls = {}, 0
    stage = Rehearsal(tmp_path, mode="update")
    stage.publish(people("c1"))
    messages = stage.messages()
    for _ in range(2):  # the second is a replay
        stage.feed(TargetContacts, {}, messages)
    assert Contacts.calls == 1
    stage.run(TargetContacts, {})
    assert Contacts.calls == 1
    return stage


def a_day_later(stage: Rehearsal) -> None:
    with closing(stage.ledger()) as ledger, ledger.engine.begin() as connection:
        before = "strftime('%Y-%m-%d %H:%M:%f000', updated_at, '-1 days')"
        connection.exec_driver_sql(f"update deliveries set updated_at = {before}")


def test_the_channel_is_asked_again_after_a_day_and_has_the_row_now(stage: Rehearsal) -> None:
    Contacts.rows["c1"] = "old@example.it"
    a_day_later(stage)
    stage.run(TargetContacts, {})
    assert Contacts.rows == {"c1": "c1@example.it"}


def test_the_row_is_added_at_once_when_the_mode_is_one_that_adds(stage: Rehearsal) -> None:
    stage.terms["mode"] = "mirror"
    stage.publish(people("c1"))
    stage.run(TargetContacts, {})
    assert Contacts.rows == {"c1": "c1@example.it"}
