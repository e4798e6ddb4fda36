"""A small target that keeps its promises, and some that each break one: what the suite must find out."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, ClassVar

from pydantic import Field

from snello.errors import RetryLater
from snello.kit.channel import ActivationSink, ActivationTarget, Change, ChannelSettings, Http, Verdict
from snello.kit.channel.delivery import Delivery
from snello.kit.channel.feed import Feed
from snello.kit.entry import entry


class Settings(ChannelSettings):
    url: str = Field(description="Where the channel is.")
    token: str = Field("", description="A secret that is not declared as one, so that nothing hides it.")


class Rows(ActivationSink[Settings]):
    name, purpose, max_size = "rows", "email_marketing", 2

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        return self._judged(changes, self._send("rows", [{"key": c.key, **c.payload} for c in changes]))

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        return self._judged(changes, self._send("gone", [{"key": c.key} for c in changes]))

    def close(self) -> None:
        self._http.close()

    @cached_property
    def _http(self) -> Http:
        return Http(self.name, retry=self.settings.retry)

    def _send(self, path: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return self._called(path, rows, {"Idempotency-Key": self.batch_id})

    def _called(self, path: str, rows: list[dict[str, Any]], headers: dict[str, str]) -> list[dict[str, Any]]:
        answer = self._http.call("POST", f"{self.settings.url}/{path}", json=rows, headers=headers)
        found: list[dict[str, Any]] = answer.json()["results"]
        return found

    def _judged(self, changes: Sequence[Change], results: list[dict[str, Any]]) -> list[Verdict]:
        codes = {result["key"]: result["code"] for result in results}
        return [_verdict(change.key, codes[change.key]) for change in changes]


def _verdict(key: str, code: str) -> Verdict:
    return Verdict.refused(key, code) if code else Verdict.delivered(key)


class IgnoringVerdicts(Rows):
    def _judged(self, changes: Sequence[Change], results: list[dict[str, Any]]) -> list[Verdict]:
        return [Verdict.delivered(change.key) for change in changes]


class TrustingTheOrder(Rows):
    def _judged(self, changes: Sequence[Change], results: list[dict[str, Any]]) -> list[Verdict]:
        return [_verdict(change.key, result["code"]) for change, result in zip(changes, results, strict=True)]


class Doubling(Rows):
    def _send(self, path: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return self._called(path, rows, {})


class LoggingRows(Rows):
    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        logging.getLogger("target").debug("sending %s", [dict(change.payload) for change in changes])
        return super().upsert(changes)


class LoggingSecrets(Rows):
    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        logging.getLogger("target").info("signed in with %s", self.settings.token)
        return super().upsert(changes)


class PrintingRows(Rows):
    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        print([dict(change.payload) for change in changes])
        return super().upsert(changes)


class RemovingAll(Rows):
    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        self._send("everything", [{"key": c.key} for c in changes])
        return super().remove(changes)


class HopingForTheBest(Rows):
    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        try:
            return super().upsert(changes)
        except RetryLater:
            return [Verdict.delivered(change.key) for change in changes]


class Unwatched(Rows):
    def _send(self, path: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{"key": row["key"], "code": ""} for row in rows]


class _Open(Delivery):
    def _allowed(self, change: Change) -> bool:
        return True


class OpenFeed(Feed):
    delivers = _Open


def target(sink: type[Rows], feed: type[Feed] = Feed) -> Any:
    class TargetRows(ActivationTarget):
        name = "target-rows"
        sinks: ClassVar[Any] = (sink,)
        settings = Settings
        default_sink_class = feed

    return entry(TargetRows)


good = target(Rows)
ignoring_verdicts = target(IgnoringVerdicts)
trusting_the_order = target(TrustingTheOrder)
doubling = target(Doubling)
logging_rows = target(LoggingRows)
logging_secrets = target(LoggingSecrets)
printing_rows = target(PrintingRows)
removing_all = target(RemovingAll)
hoping_for_the_best = target(HopingForTheBest)
sending_nothing = target(Unwatched)
sending_without_consent = target(Rows, OpenFeed)
