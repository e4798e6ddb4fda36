"""What a receiver says of the rows it was sent."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from snello.kit.channel import Change, Verdict


def verdicts(changes: Sequence[Change], answer: bytes) -> list[Verdict]:
    """Rows that the receiver names are judged by it; the others were accepted with the body."""
    try:
        results = msgspec.json.decode(answer, type=_Answer).results
    except msgspec.DecodeError:
        results = []
    if not results:
        return [Verdict(change.key, "delivered") for change in changes]
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
