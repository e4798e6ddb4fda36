"""From a row to a letter: what is checked for all of them, and the bytes of each."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import cached_property, partial
from urllib.parse import quote

from snello.kit.channel import Change, ConfigError
from snello.kit.mail.courier import HOPELESS
from snello.kit.mail.headers import Envelope, Mailbox, mailbox, message, recipient
from snello.kit.mail.hours import Hours, sending_day, zone
from snello.kit.mail.phrases import Phrases, phrases_in
from snello.kit.mail.refs import MOST_LOCAL, Refs
from snello.kit.mail.rounds import Job
from snello.kit.mail.templates import Letter, Unfit
from target_smtp.settings import Settings

WHERE = "target-smtp"
MARKETING = "email_marketing"
log = logging.getLogger(WHERE)


class Composer:
    """Makes the letters of one sync; ``title`` is its list's name, ``columns`` those of its audience."""

    def __init__(self, settings: Settings, sync: str, title: str, columns: Collection[str]) -> None:
        self.settings, self.sync, self.title, self.columns = settings, sync, title, columns
        self.refs = Refs(settings.secret.get_secret_value().encode(), sync)
        self.sender = mailbox(settings.sender)
        self._composed = self._faulty = 0
        self._told: set[str] = set()

    @property
    def now(self) -> datetime:
        """The moment, where the letters' hours are meant."""
        return datetime.now(zone(self.settings.time_zone))

    def check(self, change: Change) -> None:
        """What would be wrong with all letters. Raises ``ConfigError``, and ``RetryLater`` outside of the hours."""
        given = self.settings
        self._check_hours()
        if change.purpose == MARKETING and not (given.unsubscribe_url or given.unsubscribe_mail):
            what = "its purpose is email_marketing, and its letters have no way to unsubscribe"
            raise ConfigError(f"sync {self.sync}", what, "set unsubscribe_url, unsubscribe_mail or both")
        if change.channel not in ("email", "any"):
            what = f"its channel is {change.channel or 'not declared'}"
            raise ConfigError(f"sync {self.sync}", what, "set the sync's channel to email")
        if given.email not in self.columns:
            raise ConfigError(f"sync {self.sync}", f"the audience has no column {given.email}", "set email to its name")
        _ = self._letter, self._phrases

    def job(self, change: Change) -> Job:
        """A letter that is composed when its turn comes. Raises ``Unfit`` when the row has no address."""
        given, payload = self.settings, change.payload
        to = recipient(payload.get(given.email), payload.get(given.name) if given.name else "")
        return Job(
            key=change.key,
            ref=self.refs.path(change.key),
            domain=to.domain,
            recipient=to.address,
            compose=partial(self._compose, change, to),
            sender=self._return_path(change.key),
            wide=to.wide,
        )

    def message_id(self, change: Change) -> str:
        """The Message-ID of a row's letter."""
        return f"<{self.refs.message(change.key, change.fingerprint)}@{self.sender.domain}>"

    @cached_property
    def _letter(self) -> Letter:
        given = self.settings
        letter = Letter(given.templates, given.template or self.title, given.languages, given.fallback)
        letter.check(self.columns)
        return letter

    @cached_property
    def _phrases(self) -> dict[str, Phrases]:
        return phrases_in(self.settings.templates)

    def _check_hours(self) -> None:
        if self.settings.send_between and not self.settings.outbox:
            Hours.parse(self.settings.send_between).check(self.now, WHERE)

    def _compose(self, change: Change, to: Mailbox) -> bytes:
        """The letter's bytes. Raises ``Unfit``, and ``RetryLater`` when the hours are over."""
        self._check_hours()
        given, payload, moment = self.settings, change.payload, self.now
        language, leave = self._letter.language(payload.get(given.language)), self._leave(change)
        phrases, day = self._phrases.get(language, Phrases()), sending_day(moment)
        values = {
            **payload,
            "language": language,
            "today": day,
            "weekday_phrase": phrases.on(day),
            "phrase": phrases.words,
            "unsubscribe_url": next(iter(leave), None),
        }
        try:
            text = self._letter.render(language, payload.get(given.stage), values)
        except Unfit as unfit:
            self._tell(unfit)
            raise
        self._composed += 1
        reply_to = mailbox(given.reply_to) if given.reply_to else None
        ref = self.refs.message(change.key, change.fingerprint)
        made = message(Envelope(self.sender, to, ref, moment, reply_to, self._headers(change, leave)), text)
        return given.signer(made) if given.signer else made

    def _headers(self, change: Change, leave: Sequence[str]) -> dict[str, str]:
        domain = self.sender.domain
        extra = {
            "List-Id": f"<{self.sync.replace('_', '-')}.{domain}>",
            "Auto-Submitted": "auto-generated",
            "Feedback-ID": f"{self.sync}:{change.purpose}:{self._letter.name.replace(':', '-')}:{domain}",
        }
        if leave:
            extra["List-Unsubscribe"] = ", ".join(f"<{address}>" for address in leave)
        if self.settings.unsubscribe_url:
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

    def _tell(self, unfit: Unfit) -> None:
        """Name template and variable once; a template that fails for all is mended, not paid for with every row."""
        if unfit.told and unfit.told not in self._told:
            self._told.add(unfit.told)
            log.warning("%s", unfit.told)
        self._faulty += unfit.code == "template_fault"
        if self._faulty >= HOPELESS and not self._composed:
            raise ConfigError(WHERE, f"{unfit.told}, for each of {self._faulty} rows", "mend the template")
