"""Write a personal letter to each member of an audience, once, and read back what the letters came to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import cast
from urllib.parse import quote

from snello.kit.channel import ActivationSink, ActivationTarget, Bounce, Change, ConfigError, Verdict
from snello.kit.entry import entry
from snello.kit.mail.codes import bad_address
from snello.kit.mail.courier import HOPELESS, Courier, Manner, Outcome
from snello.kit.mail.headers import Envelope, Mailbox, mailbox, message, recipient
from snello.kit.mail.hours import Hours, sending_day, zone
from snello.kit.mail.journal import Journal
from snello.kit.mail.phrases import Phrases, phrases_in
from snello.kit.mail.refs import MOST_LOCAL, Refs
from snello.kit.mail.returns import Returns
from snello.kit.mail.rounds import Job
from snello.kit.mail.templates import Letter, Unfit
from snello.kit.places import state_folder, write_private
from target_smtp.settings import Settings

WHERE = "target-smtp"
MARKETING = "email_marketing"
log = logging.getLogger(WHERE)


class Letters(ActivationSink[Settings]):
    """One letter a row; a letter that was sent cannot be changed or taken back."""

    name, modes = "letters", frozenset({"insert", "append"})
    patience = float("inf")  # a batch takes as long as the paces of its domains ask for
    _composed = _faulty = 0

    @property
    def max_size(self) -> int:  # type: ignore[override]
        """As the settings say."""
        return self.settings.batch_size

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Send the letters that no earlier run has sent or begun."""
        self._check(changes[0])
        fates = self.journal.fates([self.refs.path(change.key) for change in changes])
        jobs: list[Job] = []
        for change in changes:
            fate = fates.get(self.refs.path(change.key))
            if fate == "taken":
                yield Verdict.delivered(change.key, self._message_id(change))
            elif fate == "begun" and self.settings.in_doubt == "hold":
                yield Verdict.retry(change.key, "in_doubt")
            else:
                try:
                    jobs.append(self._job(change))
                except Unfit as unfit:
                    yield Verdict.refused(change.key, unfit.code)
        by_key = {change.key: change for change in changes}
        for outcome in self._written(jobs) if self.settings.outbox else self.courier.send(jobs) if jobs else ():
            yield self._verdict(outcome, by_key[outcome.key])

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """Nothing to do: no further letter goes to who has left."""
        return [Verdict.delivered(change.key) for change in changes]

    def bounced(self) -> Iterator[Bounce]:
        """Addresses that the relay refused at once, then what the box holds."""
        yield from (Bounce(key, "hard") for key in self.nobody)
        if self.settings.bounces is not None:
            box = self.settings.bounces.open(self.settings.server)
            try:
                for key, reason in Returns(box, self.refs, self.settings.soft_bounces, self.settings.soft_days).read():
                    yield Bounce(key, reason)
            finally:
                box.close()

    def close(self) -> None:
        """Close the journal."""
        if "journal" in self.__dict__:
            self.journal.close()

    @cached_property
    def nobody(self) -> list[str]:
        """Keys of letters that the relay refused because there is nobody at the address."""
        return []

    @cached_property
    def refs(self) -> Refs:
        """Signed references of this sync."""
        return Refs(self.settings.secret.get_secret_value().encode(), self.sync)

    @cached_property
    def journal(self) -> Journal:
        """Which letters were begun."""
        return Journal(self.settings.journal or state_folder("smtp") / "journal.db")

    @cached_property
    def courier(self) -> Courier:
        """Who carries the letters."""
        given = self.settings
        manner = Manner(
            given.connections,
            given.letters_per_connection,
            given.retry_attempts,
            given.max_wait,
            given.domain_patience,
            given.in_doubt == "repeat",
        )
        return Courier(given.server, manner, given.paces, self.journal, WHERE)

    @cached_property
    def letter(self) -> Letter:
        """The templates, checked against the audience's columns."""
        given = self.settings
        letter = Letter(given.templates, given.template or self.title, given.languages, given.fallback)
        columns = {name for name in self.schema.get("properties", {}) if not name.startswith("_")}
        if given.email not in columns:
            raise ConfigError(f"sync {self.sync}", f"the audience has no column {given.email}", "set email to its name")
        letter.check(columns)
        return letter

    @cached_property
    def phrases(self) -> dict[str, Phrases]:
        """What is said by day and language."""
        return phrases_in(self.settings.templates)

    @cached_property
    def sender(self) -> Mailbox:
        """From whom."""
        return mailbox(self.settings.sender)

    @property
    def now(self) -> datetime:
        """The moment, where the letters' hours are meant."""
        return datetime.now(zone(self.settings.time_zone))

    def _check(self, change: Change) -> None:
        """Before a batch: what would be wrong with all of it."""
        given = self.settings
        if given.send_between and not given.outbox:
            Hours.parse(given.send_between).check(self.now, WHERE)
        if change.purpose == MARKETING and not (given.unsubscribe_url or given.unsubscribe_mail):
            what = "its purpose is email_marketing, and its letters have no way to unsubscribe"
            raise ConfigError(f"sync {self.sync}", what, "set unsubscribe_url, unsubscribe_mail or both")
        if change.channel not in ("email", "any"):
            raise ConfigError(
                f"sync {self.sync}", f"its channel is {change.channel}", "set the sync's channel to email"
            )
        _ = self.letter, self.phrases

    def _job(self, change: Change) -> Job:
        """Raises ``Unfit`` when the row has no address that can be one."""
        given, payload = self.settings, change.payload
        to = recipient(payload.get(given.email), payload.get(given.name) if given.name else "")
        return Job(
            change.key, self.refs.path(change.key), to.domain, to.address, partial(self._compose, change, to),
            self._return_path(change.key), to.wide,
        )  # fmt: skip

    def _compose(self, change: Change, to: Mailbox) -> bytes:
        """The letter's bytes, made when its turn comes. Raises ``Unfit``."""
        given, payload, moment = self.settings, change.payload, self.now
        language = self.letter.language(payload.get(given.language))
        phrases, day = self.phrases.get(language, Phrases()), sending_day(moment)
        leave = self._leave(change)
        values = {
            **payload,
            "language": language,
            "today": day,
            "weekday_phrase": phrases.on(day),
            "phrase": phrases.words,
            "unsubscribe_url": next(iter(leave), None),
        }
        try:
            text = self.letter.render(language, payload.get(given.stage), values)
        except Unfit as unfit:
            self._tell(unfit)
            raise
        self._composed += 1
        reply_to = mailbox(given.reply_to) if given.reply_to else None
        ref = self.refs.message(change.key, change.fingerprint)
        envelope = Envelope(self.sender, to, ref, moment, reply_to, self._headers(change, leave))
        made = message(envelope, text)
        return given.signer(made) if given.signer else made

    def _headers(self, change: Change, leave: Sequence[str]) -> dict[str, str]:
        given, domain = self.settings, self.sender.domain
        extra = {
            "List-Id": f"<{self.sync.replace('_', '-')}.{domain}>",
            "Auto-Submitted": "auto-generated",
            "Feedback-ID": f"{self.sync}:{change.purpose}:{self.letter.name.replace(':', '-')}:{domain}",
        }
        if leave:
            extra["List-Unsubscribe"] = ", ".join(f"<{address}>" for address in leave)
        if given.unsubscribe_url:
            extra["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        return extra

    def _leave(self, change: Change) -> list[str]:
        """Addresses that unsubscribe, the one of one click first."""
        given, token = self.settings, self.refs.leave(change.key, change.customer or change.key)
        found = [given.unsubscribe_url.replace("{token}", token)] if given.unsubscribe_url else []
        if given.unsubscribe_mail:
            found.append(f"mailto:{quote(mailbox(given.unsubscribe_mail).address, safe='@')}?subject={token}")
        return found

    def _return_path(self, key: str) -> str:
        path = mailbox(self.settings.return_path or self.settings.sender).address
        if not self.settings.verp:
            return path
        local, _, domain = path.rpartition("@")
        own = f"{local}+{self.refs.path(key)}"
        return f"{own}@{domain}" if len(own) <= MOST_LOCAL else path

    def _message_id(self, change: Change) -> str:
        return f"<{self.refs.message(change.key, change.fingerprint)}@{self.sender.domain}>"

    def _written(self, jobs: Sequence[Job]) -> Iterator[Outcome]:
        """A dry run: files that a mail program opens, by a name that says nothing."""
        folder = cast(Path, self.settings.outbox) / self.sync
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for job in jobs:
            try:
                write_private(folder / f"{job.ref.rpartition('.')[2]}.eml", job.compose())
                yield Outcome(job.key, "later", "outbox")
            except Unfit as unfit:  # told, not written into the ledger: the next run is the one that counts
                yield Outcome(job.key, "later", unfit.code)

    def _verdict(self, outcome: Outcome, change: Change) -> Verdict:
        if outcome.kind == "taken":
            return Verdict.delivered(change.key, self._message_id(change))
        if outcome.kind == "refused":
            if bad_address(outcome.code):
                self.nobody.append(change.key)
            return Verdict.refused(change.key, outcome.code)
        return Verdict.retry(change.key, outcome.code)

    def _tell(self, unfit: Unfit) -> None:
        """Name template and variable once; a template that fails for all is mended, not paid for with every row."""
        if unfit.told and unfit.told not in self._said:
            self._said.add(unfit.told)
            log.warning("%s", unfit.told)
        self._faulty += unfit.code == "template_fault"
        if self._faulty >= HOPELESS and not self._composed:
            raise ConfigError(WHERE, f"{unfit.told}, for each of {self._faulty} rows", "mend the template")

    @cached_property
    def _said(self) -> set[str]:
        return set()


class TargetSmtp(ActivationTarget):
    """Singer target that writes personal letters to an audience, over SMTP."""

    name = "target-smtp"
    sinks = (Letters,)
    settings = Settings


main: Callable[[], None] = entry(TargetSmtp)
