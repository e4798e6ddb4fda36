"""What `snello sync plan` counts is what the run sends; the ledger is what the channel holds, whatever was before."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.activation.staging import alias, people

from snello.activation import Change, Planner, Verdict
from snello.activation.ledger import UNKNOWN
from snello.cli.sync.preview import CHANGED, MOVED, NEW, REMOVED, _Counts
from snello.errors import RetryLater, SnelloError
from snello.kit.channel import ActivationSink, ActivationTarget, ChannelSettings
from snello.kit.channel.rehearsal import SALT, Rehearsal

KEYS = [f"c{number}" for number in range(8)]
KEPT = ("mirror", "upsert", "replace")  # modes that keep the channel as the audience is
OPEN = ("in_doubt", "retrying")


class Contacts(ActivationSink[ChannelSettings]):
    """A channel that refuses some rows, is away at times and loses answers at others."""

    name, max_size = "contacts", 3
    modes = frozenset({"mirror", "upsert", "insert", "update", "append", "replace"})
    rows: ClassVar[dict[str, Mapping[str, Any]]] = {}
    coming: ClassVar[dict[str, Mapping[str, Any]]] = {}
    dice: ClassVar[random.Random]
    weather: ClassVar[float] = 0.0

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        self._storm()
        said = [self._taken(change) for change in changes]
        self._storm()
        return said

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        self._storm()
        for change in changes:
            self.rows.pop(change.key, None)
        self._storm()
        return [Verdict.delivered(change.key) for change in changes]

    def begin(self, rows: int) -> None:
        Contacts.coming = {}

    def commit(self) -> Iterable[Verdict]:
        self._storm()
        Contacts.rows = self.coming
        self._storm()
        return ()

    def _taken(self, change: Change) -> Verdict:
        if change.payload["email"].startswith("bad"):
            return Verdict.refused(change.key, "bad")
        if change.mode == "update" and change.key not in self.rows:
            return Verdict.refused(change.key, "not_there")
        (self.coming if change.mode == "replace" else self.rows)[change.key] = change.payload
        return Verdict.delivered(change.key)

    def _storm(self) -> None:
        if self.dice.random() < self.weather:
            raise self.dice.choice([RuntimeError(), RetryLater("contacts", "no answer", "run again later")])


class Renaming(Contacts):
    """The same, able to rename."""

    def move(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        self._storm()
        for change in changes:
            self.rows.pop(str(change.moved_from), None)
        said = [self._taken(change) for change in changes]
        self._storm()
        return said


class TargetContacts(ActivationTarget):
    """A target for the test."""

    name, sinks = "target-contacts", (Contacts,)


class TargetRenaming(ActivationTarget):
    """A target for the test."""

    name, sinks = "target-renaming", (Renaming,)


def publish(stage: Rehearsal, dice: random.Random, modes: Sequence[str]) -> tuple[dict[str, str], set[str]]:
    """An audience as dice will have it: the addresses of the members who consent, and who refuses."""
    stage.terms["mode"] = dice.choice(modes)
    drawn = {key: dice.choice(KEYS) for key in dice.sample(KEYS, dice.choice([0, 2]))}
    merged = {key: into for key, into in drawn.items() if into not in drawn}
    alive = [key for key in KEYS if key not in merged]
    members = dice.sample(alive, dice.randint(1, len(alive)))
    emails = {key: f"{dice.choice(['', '', '', 'bad'])}{key}.{dice.randint(0, 1)}@example.it" for key in members}
    refusing = {key for key in members if dice.random() < 0.2}
    rows = [{**row, "email": emails[row["customer_id"]]} for row in people(*members)]
    stage.publish(rows, refusing=refusing, others=[key for key in alive if dice.random() < 0.6])
    alias(stage, merged)
    return {key: email for key, email in emails.items() if key not in refusing}, refusing


def counted(stage: Rehearsal) -> tuple[int, ...]:
    with closing(stage.ledger()) as ledger:
        counts = _Counts(Planner(stage.lake, ledger, SALT).preview(stage.sync).connection)
    return tuple(counts.rows(kind) for kind in (NEW, CHANGED, MOVED, REMOVED))


def sent(messages: str) -> tuple[int, int, int]:
    rows = [line["record"] for line in map(json.loads, messages.splitlines()) if line["type"] == "RECORD"]
    moved = sum(row["_moved_from"] is not None for row in rows)
    removed = sum(row["_op"] == "remove" for row in rows)
    return len(rows) - moved - removed, moved, removed


def check_channel(stage: Rehearsal, consenting: Mapping[str, str], refusing: set[str]) -> None:
    with closing(stage.ledger()) as ledger:
        rows = ledger.lookup(stage.sync, KEYS)
    unsure = {key for key, row in rows.items() if row["fingerprint"] == UNKNOWN or row["status"] in OPEN}
    held = {key for key, row in rows.items() if row["fingerprint"]} - unsure
    assert held <= Contacts.rows.keys() <= held | unsure
    if stage.terms["mode"] not in KEPT:
        return
    assert not refusing & Contacts.rows.keys()
    if stage.terms["mode"] != "upsert":
        assert Contacts.rows.keys() <= consenting.keys()
    for key, email in consenting.items():
        if not email.startswith("bad"):
            assert Contacts.rows[key]["email"] == email


@pytest.mark.parametrize("modes", [KEPT, sorted(Contacts.modes)], ids=["kept", "all"])
@pytest.mark.parametrize("seed", range(6))
def test_a_plan_counts_what_its_run_sends_and_the_ledger_is_the_channels_truth(
    tmp_path: Path, seed: int, modes: Sequence[str]
) -> None:
    dice = Contacts.dice = random.Random(seed)
    target = dice.choice([TargetContacts, TargetRenaming])
    terms = {"max_removal_share": 1, "max_removals_floor": 99, "max_growth_share": 99, "min_consent_share": 0}
    stage = Rehearsal(tmp_path, **terms)
    Contacts.rows = {}
    for weather in (0, 0.25, 0, 0.25, 0.25, 0):
        consenting, refusing = publish(stage, dice, modes)
        new, changed, moved, removed = counted(stage)
        Contacts.weather = weather
        messages = stage.messages()
        assert sent(messages) == (new + changed, moved, removed)
        try:
            stage.feed(target, {}, messages)
        except (RuntimeError, SnelloError):
            continue
        check_channel(stage, consenting, refusing)
