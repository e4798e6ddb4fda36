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
    modes = frozenset({"mirror", "upsert", "insert", "replace"})
    fills = "rows"

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        return self._judged(changes, self._send(self.fills, [{"key": c.key, **c.payload} for c in changes]))

    def move(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        moved = [{"from": c.moved_from, "key": c.key, **c.payload} for c in changes]
        return self._judged(changes, self._send("moved", moved))

    def begin(self, rows: int) -> None:
        self._called("begin", [], {})
        self.fills = "session"

    def commit(self) -> Iterable[Verdict]:
        self._called("commit", [], {})
        return ()

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


class ReplacingAtOnce(Rows):
    def begin(self, rows: int) -> None:
        self._called("emptied", [], {})


class AddingToTheWhole(Rows):
    def begin(self, rows: int) -> None:
        pass

    def commit(self) -> Iterable[Verdict]:
        return ()


class KeepingTheYounger(Rows):
    def move(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        return self.upsert(changes)


class Renumbering(Rows):
    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        return [Verdict.delivered(one.key, f"old-{one.key}") for one in super().upsert(changes)]

    def move(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        return [Verdict.delivered(one.key, f"new-{one.key}") for one in super().move(changes)]


class HidingTheErased(Rows):
    def erase(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        return [Verdict.delivered(change.key) for change in changes]


class KnownByName(Rows):
    """A channel that knows people by what identifies them, and by nothing else."""

    def handle(self, change: Change) -> str | None:
        return f"{change.payload['name']} {change.payload['visits']}"

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        added = [{"key": c.key, "by": self.handle(c), **c.payload} for c in changes]
        self._send("added", added)
        return self._judged(changes, self._taken_back(changes))

    def move(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        return self.upsert(changes)

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        return self._judged(changes, self._taken_back(changes))

    def _taken_back(self, changes: Sequence[Change]) -> list[dict[str, Any]]:
        kept = {c.key: self.handle(c) if c.op == "upsert" else None for c in changes}
        gone = [{"key": c.key, "by": by} for c in changes for by in self._elder(c) if by != kept[c.key]]
        if gone:
            self._called("taken-back", gone, {"Idempotency-Key": f"{self.batch_id} back"})
        return [{"key": c.key, "code": ""} for c in changes]

    def _elder(self, change: Change) -> Sequence[str]:
        return change.handles


class TrustingTheLastHandle(KnownByName):
    def _elder(self, change: Change) -> Sequence[str]:
        return change.handles[-1:]


class ForgettingTheElder(KnownByName):
    def _elder(self, change: Change) -> Sequence[str]:
        return change.handles if change.op == "remove" else ()


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
replacing_at_once = target(ReplacingAtOnce)
adding_to_the_whole = target(AddingToTheWhole)
keeping_the_younger = target(KeepingTheYounger)
renumbering = target(Renumbering)
hiding_the_erased = target(HidingTheErased)
known_by_name = target(KnownByName)
trusting_the_last_handle = target(TrustingTheLastHandle)
forgetting_the_elder = target(ForgettingTheElder)
hoping_for_the_best = target(HopingForTheBest)
sending_nothing = target(Unwatched)
sending_without_consent = target(Rows, OpenFeed)
