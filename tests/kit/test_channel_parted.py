"""Customers who are parted again after a move of which nobody knows whether it was made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import pytest
from tests.activation.staging import alias, held, people, planned, told

from snello.activation import Change, Verdict
from snello.kit.channel import ActivationSink, ActivationTarget, ChannelSettings
from snello.kit.channel.rehearsal import Rehearsal


class Contacts(ActivationSink[ChannelSettings]):
    """Can rename; the answer is lost when ``breaks``, before the deed or after it."""

    name = "contacts"
    rows: ClassVar[set[str]] = set()
    breaks: ClassVar[str] = ""

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        for change in changes:
            self.rows.add(change.key)
            yield Verdict.delivered(change.key)

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        for change in changes:
            self.rows.discard(change.key)
            yield Verdict.delivered(change.key)

    def move(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        if self.breaks == "before":
            raise RuntimeError
        for change in changes:
            self.rows.discard(str(change.moved_from))
            self.rows.add(change.key)
        if self.breaks == "after":
            raise RuntimeError
        return [Verdict.delivered(change.key) for change in changes]


class TargetContacts(ActivationTarget):
    """A target for the test."""

    name, sinks = "target-contacts", (Contacts,)


@pytest.fixture(params=["before", "after"])
def stage(tmp_path: Path, request: pytest.FixtureRequest) -> Rehearsal:
    """A channel that holds the younger's row, and a move that broke."""
    Contacts.rows, Contacts.breaks = set(), request.param
    stage = Rehearsal(tmp_path, max_removal_share=1)
    stage.publish(people("young"), others=["elder"])
    stage.run(TargetContacts, {})
    stage.publish(people("elder"))
    alias(stage, {"young": "elder"})
    with pytest.raises(RuntimeError):
        stage.run(TargetContacts, {})
    Contacts.breaks = ""
    return stage


def test_a_move_without_an_outcome_is_made_again(stage: Rehearsal) -> None:
    assert told(planned(stage)) == [("upsert", "elder", "young")]
    stage.run(TargetContacts, {})
    with closing(stage.ledger()) as ledger:
        assert ledger.lookup(stage.sync, ["young", "elder"]).keys() == {"elder"}
    assert Contacts.rows == held(stage) == {"elder"}


def test_customers_parted_before_the_move_is_known_are_in_the_channel_as_the_audience_says(stage: Rehearsal) -> None:
    stage.publish(people("young"), others=["elder"])
    alias(stage, {})
    stage.run(TargetContacts, {})
    assert Contacts.rows == held(stage) == {"young"}
    assert told(planned(stage)) == []


def test_both_rows_go_when_the_merged_customer_withdraws(stage: Rehearsal) -> None:
    stage.publish(people("elder"), refusing=["elder"], others=["somebody"])
    stage.run(TargetContacts, {})
    assert Contacts.rows == held(stage) == set()
