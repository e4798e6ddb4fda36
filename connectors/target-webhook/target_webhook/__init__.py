"""Post changes of an audience to a URL, as signed JSON batches that may safely arrive twice."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterable, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any

import msgspec
from pydantic import Field, SecretStr

from snello.kit.channel import (
    ActivationSink,
    ActivationTarget,
    BatchRefused,
    Change,
    ChannelSettings,
    ConfigError,
    Http,
    Pace,
    Verdict,
)
from snello.kit.entry import entry

NOT_THERE = (404, 405, 410)
OURS = ("op", "key", "fingerprint", "moved_from")  # names in a row that are not the audience's
TOLD = ("insert", "update", "append")  # modes that a receiver must know of to do what they promise


class Settings(ChannelSettings):
    """Settings of target-webhook."""

    url: SecretStr = Field(description="Where the batches are posted; a secret, for it may hold a token.")
    secret: SecretStr = Field(min_length=8, description="Key of the HMAC-SHA256 signature, shared with the receiver.")
    batch_size: int = Field(500, ge=1, le=10_000, description="Most changes in one body.")
    parallel: int = Field(4, ge=1, le=64, description="Calls that may be under way at once.")
    requests_per_second: float | None = Field(None, gt=0, description="Most calls a second. Default: as they come.")


class Changes(ActivationSink[Settings]):
    """One POST a batch of changes of one kind."""

    name = "changes"
    modes = frozenset({"mirror", "upsert", "insert", "update", "append"})

    @property
    def max_size(self) -> int:  # type: ignore[override]
        """As the settings say."""
        return self.settings.batch_size

    @property
    def parallel(self) -> int:  # type: ignore[override]
        """As the settings say."""
        return self.settings.parallel

    def upsert(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """The receiver's verdicts, or delivered for all when it gives none."""
        return self._post(changes)

    def move(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """As an upsert, with the key that the row had until now."""
        return self._post(changes)

    def remove(self, changes: Sequence[Change]) -> Iterable[Verdict]:
        """As an upsert, with the key alone for a row."""
        return self._post(changes)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    @cached_property
    def _http(self) -> Http:
        return Http(
            "target-webhook",
            headers={"Content-Type": "application/json", "User-Agent": "snello-target-webhook"},
            retry=self.settings.retry,
            pace=Pace(self.settings.requests_per_second),
            parallel=self.parallel,
            renew="check that TARGET_WEBHOOK_SECRET is the receiver's, and that the URL's token is still good",
        )

    def _post(self, changes: Sequence[Change]) -> list[Verdict]:
        body = self._body(changes)
        headers = {"Idempotency-Key": self.batch_id, "Snello-Signature": self._signature(body)}
        url = self.settings.url.get_secret_value()
        try:
            answer = self._http.call("POST", url, place="the webhook", data=body, headers=headers)
        except BatchRefused as fault:
            if fault.status in NOT_THERE:
                raise ConfigError(
                    "target-webhook", f"{fault.status} from the webhook", "check TARGET_WEBHOOK_URL"
                ) from None
            raise
        return _verdicts(changes, answer.content)

    def _body(self, changes: Sequence[Change]) -> bytes:
        """The same bytes whenever the same changes are repeated, as the Idempotency-Key promises."""
        first = changes[0]
        columns = sorted(first.payload)
        _check_names(first)
        rows = [
            {"op": change.op, "key": change.key, "fingerprint": change.fingerprint, **_payload(change, columns)}
            for change in sorted(changes, key=attrgetter("key"))
        ]
        head = {"sync": self.sync, "purpose": first.purpose, "channel": first.channel}
        if first.mode in TOLD:
            head["mode"] = first.mode
        return msgspec.json.encode({**head, "changes": rows})

    def _signature(self, body: bytes) -> str:
        moment = int(time.time())
        key = self.settings.secret.get_secret_value().encode()
        digest = hmac.new(key, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        return f"t={moment},v1={digest}"


class TargetWebhook(ActivationTarget):
    """Singer target that posts changes as signed JSON batches."""

    name = "target-webhook"
    sinks = (Changes,)
    settings = Settings


def _check_names(change: Change) -> None:
    """A column called as a part of the row would take its place, and an addition could read as a removal."""
    taken = [name for name in OURS if name in change.payload and (name, change.payload[name]) != ("key", change.key)]
    if taken:
        what = f"the audience has a column {taken[0]!r}, by which the receiver knows what to do with a row"
        raise ConfigError("target-webhook", what, "rename it in the model")


def _payload(change: Change, columns: Sequence[str]) -> dict[str, Any]:
    if change.op == "remove":
        erased = {"erase": True} if change.reason == "erased" else {}
        return {"customer_id": change.customer or change.key, **erased}
    moved = {"moved_from": change.moved_from} if change.moved_from else {}
    return {**moved, **{name: change.payload[name] for name in columns}}


def _verdicts(changes: Sequence[Change], answer: bytes) -> list[Verdict]:
    """Rows that the receiver names are judged by it; the others were accepted with the batch."""
    try:
        results = msgspec.json.decode(answer, type=_Answer).results
    except msgspec.DecodeError:
        results = []
    if not results:
        return [Verdict.delivered(change.key) for change in changes]
    said = {result.key: result for result in results}
    return [_verdict(change.key, said.get(change.key)) for change in changes]


def _verdict(key: str, result: _Result | None) -> Verdict:
    if result is None or result.status == "delivered":
        return Verdict.delivered(key)
    if result.status == "refused":
        return Verdict.refused(key, _word(result.code) or "refused")
    return Verdict.retry(key, _word(result.code) or "put_off")


def _word(code: str) -> str:
    return code if code.replace("_", "").replace("-", "").isalnum() and len(code) <= 64 else ""


class _Result(msgspec.Struct):
    key: str
    status: str
    code: str = ""


class _Answer(msgspec.Struct):
    results: list[_Result] = []


main = entry(TargetWebhook)
