from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from snello.kit.rest.retry import Retry, Transient, seconds_of


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), (None, None), ("", None), ("soon", None)]
)
def test_a_wait_is_read_from_seconds(header: str | None, seconds: float | None) -> None:
    assert seconds_of(header) == seconds


def test_a_wait_is_read_from_a_date() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    past = format_datetime(datetime.now(UTC) - timedelta(seconds=100))
    assert 90 < (seconds_of(soon) or 0) <= 100
    assert seconds_of(past) == 0.0


def test_only_passing_faults_are_tried_again() -> None:
    tries: list[int] = []

    def send() -> None:
        tries.append(1)
        raise LookupError

    with pytest.raises(LookupError):
        Retry(tries=5, first=0.0).call(send, lambda what, seconds: None)
    assert len(tries) == 1


def test_each_wait_is_told_and_doubles() -> None:
    told: list[float] = []

    def send() -> None:
        raise Transient("busy")

    with pytest.raises(Transient):
        Retry(tries=4, first=0.001).call(send, lambda what, seconds: told.append(seconds))
    assert [0.001 * 2**n <= seconds <= 0.001 * 2**n + 0.001 for n, seconds in enumerate(told)] == [True] * 3
