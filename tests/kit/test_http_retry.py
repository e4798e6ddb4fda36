from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from snello.kit.http import Retry, Transient
from snello.kit.http.waits import asked, exhausted, seconds_of


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


def test_a_wait_is_read_from_a_moment_by_iso_8601() -> None:
    wait = seconds_of((datetime.now(UTC) + timedelta(seconds=60)).isoformat().replace("+00:00", "Z"))
    assert wait is not None
    assert 50 < wait <= 60
    assert seconds_of("2026-13-01T00:00:00Z") is None


@pytest.mark.parametrize("factor", [1, 1000])
def test_a_wait_is_read_from_a_moment_in_epoch_seconds_or_milliseconds(factor: int) -> None:
    assert 90 < (seconds_of(str((time.time() + 100) * factor)) or 0) <= 100


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {"Retry-After": "3", "RateLimit-Reset": "9"}, 3.0),
        (429, {"RateLimit-Reset": "9"}, 9.0),
        (503, {"X-RateLimit-Reset": "9"}, 9.0),
        (429, {"RateLimit": "limit=10, remaining=0, reset=4"}, 4.0),
        (429, {"X-Own": "2", "RateLimit-Reset": "9"}, 2.0),
        (500, {"RateLimit-Reset": "9"}, None),
        (500, {"Retry-After": "3"}, 3.0),
        (429, {}, None),
    ],
)
def test_a_limits_reset_counts_where_a_limit_speaks(status: int, headers: dict[str, str], wait: float | None) -> None:
    assert asked(status, headers, ("X-Own",)) == wait


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": "5"}, 5.0),
        ({"RateLimit-Remaining": "1", "RateLimit-Reset": "5"}, None),
        ({"RateLimit-Remaining": "0"}, None),
        ({"RateLimit": '"day";r=0;t=30'}, 30.0),
        ({}, None),
    ],
)
def test_a_limit_is_used_up_when_nothing_remains(headers: dict[str, str], wait: float | None) -> None:
    assert exhausted(headers) == wait


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


def test_a_wait_beyond_the_longest_is_not_waited() -> None:
    tries: list[int] = []

    def send() -> None:
        tries.append(1)
        raise Transient("busy", wait=500)

    with pytest.raises(Transient):
        Retry(tries=5, longest=100).call(send, lambda what, seconds: None)
    assert len(tries) == 1
