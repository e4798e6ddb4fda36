"""Write a personal letter to each member of an audience, once, and read back what the letters came to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import cast

from snello.kit.channel import ActivationSink, ActivationTarget, Bounce, Change, Verdict
from snello.kit.entry import entry
from snello.kit.mail.codes import bad_address
from snello.kit.mail.courier import Courier, Manner, Outcome
from snello.kit.mail.journal import Journal
from snello.kit.mail.returns import Returns
from snello.kit.mail.rounds import Job
from snello.kit.mail.templates import Unfit
from snello.kit.places import state_folder, write_private
from target_smtp.composing import WHERE, Composer
from target_smtp.settings import Settings


class Letters(ActivationSink[Settings]):
    """One letter a row; a letter that was sent cannot be changed or taken back."""

    name, modes = "letters", frozenset({"insert", "append"})
    repeatable = False
    patience = float("inf")  # a batch takes as long as the paces of its domains ask for

    @property
    def max_size(self) -> int:  # type: ignore[override]
        """As the settings say."""
        return self.settings.batch_size

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Send the letters that no earlier run has sent or begun."""
        self.composer.check(changes[0])
        fates = self.journal.fates([self.composer.refs.path(change.key) for change in changes])
        jobs: list[Job] = []
        for change in changes:
            fate = fates.get(self.composer.refs.path(change.key))
            if fate == "taken":
                yield Verdict.delivered(change.key, self.composer.message_id(change))
            elif fate == "begun" and self.settings.in_doubt == "hold":
                yield Verdict.retry(change.key, "in_doubt")
            else:
                try:
                    jobs.append(self.composer.job(change))
                except Unfit as unfit:
                    yield Verdict.refused(change.key, unfit.code)
        by_key = {change.key: change for change in changes}
        for outcome in self._carried(jobs):
            yield self._verdict(outcome, by_key[outcome.key])

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Nothing to do: no further letter goes to who has left."""
        return [Verdict.delivered(change.key) for change in changes]

    def erase(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """What is kept of a letter here goes too: its line in the journal, and its file in the outbox."""
        for change in changes:
            ref = self.composer.refs.path(change.key)
            self.journal.forget(ref)
            if self.settings.outbox:
                self._file(ref).unlink(missing_ok=True)
            yield Verdict.delivered(change.key)

    def bounced(self) -> Iterator[Bounce]:
        """Addresses that the relay refused at once, then what the box holds."""
        yield from self.nobody
        if self.settings.bounces is not None:
            # not the address that a report names: whoever got a letter could write another's there
            yield from (Bounce(key, reason) for key, reason in self.returns.read())

    def close(self) -> None:
        """What was read of the box is flagged; journal and counts are closed."""
        made = self.__dict__
        if "courier" in made:
            self.courier.pace.close()
        if "journal" in made:
            self.journal.close()
        if "returns" in made:
            self.returns.close()

    @cached_property
    def nobody(self) -> list[Bounce]:
        """Letters that the relay refused because there is nobody at the address."""
        return []

    @cached_property
    def returns(self) -> Returns:
        """The box to which reports come. Raises ``ConfigError`` or ``RetryLater`` when it cannot be opened."""
        given = self.settings
        assert given.bounces
        box = given.bounces.open(given.server)
        return Returns(box, self.composer.refs, given.soft_bounces, given.soft_days)

    @cached_property
    def composer(self) -> Composer:
        """Who makes the letters."""
        columns = {name for name in self.schema.get("properties", {}) if not name.startswith("_")}
        return Composer(self.settings, self.sync, self.title, columns)

    @cached_property
    def journal(self) -> Journal:
        """Which letters were begun."""
        return Journal(self.settings.journal or state_folder("smtp") / "journal.db")

    @cached_property
    def courier(self) -> Courier:
        """Who carries the letters."""
        given = self.settings
        manner = Manner(
            connections=given.connections,
            letters=given.letters_per_connection,
            attempts=given.retry_attempts,
            longest=given.max_wait,
            patience=given.domain_patience,
            repeat=given.in_doubt == "repeat",
        )
        return Courier(given.server, manner, given.paces, self.journal, WHERE)

    def _carried(self, jobs: Sequence[Job]) -> Iterable[Outcome]:
        if self.settings.outbox:
            return self._written(jobs)
        return self.courier.send(jobs) if jobs else ()

    def _written(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """A dry run: files that a mail program opens, by a name that says nothing."""
        cast(Path, self.settings.outbox).joinpath(self.sync).mkdir(mode=0o700, parents=True, exist_ok=True)
        for job in jobs:
            try:
                write_private(self._file(job.ref), job.compose())
                yield Outcome(job.key, "later", "outbox")
            except Unfit as unfit:  # told, not written into the ledger: the next run is the one that counts
                yield Outcome(job.key, "later", unfit.code)

    def _file(self, ref: str) -> Path:
        return cast(Path, self.settings.outbox) / self.sync / f"{ref.rpartition('.')[2]}.eml"

    def _verdict(self, outcome: Outcome, change: Change) -> Verdict:
        if outcome.kind == "taken":
            return Verdict.delivered(change.key, self.composer.message_id(change))
        if outcome.kind == "refused":
            if bad_address(outcome.code):
                self.nobody.append(Bounce(change.key, "hard", str(change.payload[self.settings.email])))
            return Verdict.refused(change.key, outcome.code)
        return Verdict.retry(change.key, outcome.code)


class TargetSmtp(ActivationTarget):
    """Singer target that writes personal letters to an audience, over SMTP."""

    name = "target-smtp"
    sinks = (Letters,)
    settings = Settings


main: Callable[[], None] = entry(TargetSmtp)
