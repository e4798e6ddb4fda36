from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.watch.conftest import SYNC, Runs

from snello.activation import Ledger
from snello.lake import Lake
from snello.watch import Alert, Terms, judge, observe


def alerts(ledger: Ledger, lake: Lake, terms: Terms | None = None) -> list[Alert]:
    return judge(observe(ledger, lake), terms or Terms())


def test_a_run_that_delivered_everything_is_no_alert(ledger: Ledger, lake: Lake, runs: Runs) -> None:
    runs("r1", "delivered", a="delivered", b="delivered")
    [sync] = observe(ledger, lake).syncs
    assert (sync.name, sync.outcome, sync.held, sync.dead) == (SYNC, "delivered", 2, 0)
    assert alerts(ledger, lake) == []


def test_an_open_breaker_names_the_comparison_and_the_command_that_lets_it_through(
    ledger: Ledger, lake: Lake, runs: Runs
) -> None:
    runs("r1", "breaker open", "90 removals, 90% of what the channel holds")
    [alert] = alerts(ledger, lake)
    assert (alert.kind, alert.exit_code) == ("breaker", 6)
    assert str(alert) == (
        f"sync {SYNC}: 90 removals, 90% of what the channel holds; nothing was sent. Next: mend the audience, "
        f"or let this publication through once: SNELLO_ALLOW_BREAKER={SYNC}@p1."
    )


@pytest.mark.parametrize("outcome", ["stopped", "interrupted"])
def test_a_run_that_broke_off_is_a_failure(ledger: Ledger, lake: Lake, runs: Runs, outcome: str) -> None:
    runs("r1", outcome, "503 from /contacts, tried 5 times")
    [alert] = alerts(ledger, lake)
    assert (alert.kind, alert.exit_code) == ("failed", 4)
    assert "503 from /contacts" in alert.what


def test_a_run_that_nobody_ended_is_told_by_the_next_one_only(ledger: Ledger, lake: Lake, runs: Runs) -> None:
    runs("r1", "running")
    assert alerts(ledger, lake) == []
    runs("r2", "delivered", a="delivered")
    assert alerts(ledger, lake) == []


def test_refusals_count_above_the_agreed_share_of_what_was_sent(ledger: Ledger, lake: Lake, runs: Runs) -> None:
    runs("r1", "rows refused", a="delivered", b="delivered", c="delivered", d="refused")
    some = Terms(dead_before={SYNC: 1})
    assert [alert.kind for alert in alerts(ledger, lake, some)] == ["refused"]
    assert "1 of the 4 rows that its last run sent were refused (25.0%)" in alerts(ledger, lake, some)[0].what
    assert alerts(ledger, lake, replace(some, refused_share=0.25)) == []


def test_given_up_rows_are_an_alert_while_they_grow(ledger: Ledger, lake: Lake, runs: Runs) -> None:
    runs("r1", "rows refused", a="dead", b="refused")
    tolerant = Terms(refused_share=1.0)
    assert [alert.kind for alert in alerts(ledger, lake, tolerant)] == ["dead"]
    assert alerts(ledger, lake, replace(tolerant, dead_before={SYNC: 2})) == []
    assert "2 rows" in alerts(ledger, lake, replace(tolerant, dead_before={SYNC: 1}))[0].what


def test_silence_is_an_alert_after_the_agreed_time(ledger: Ledger, lake: Lake, runs: Runs) -> None:
    runs("r1", "delivered", a="delivered")
    seen = observe(ledger, lake)
    tomorrow = replace(seen, at=seen.at + timedelta(hours=40))
    assert [(alert.kind, alert.where) for alert in judge(tomorrow, Terms())] == [
        ("late", "lake"),
        ("late", f"sync {SYNC}"),
    ]
    assert judge(tomorrow, Terms(late=timedelta(hours=41))) == []


def test_a_published_sync_that_never_ran_is_late_once_its_publication_is(ledger: Ledger, lake: Lake) -> None:
    seen = observe(ledger, lake)
    assert judge(seen, Terms()) == []
    late = judge(replace(seen, at=seen.at + timedelta(hours=40)), Terms())
    assert any("it never ran" in alert.what for alert in late)


def test_the_gravest_alert_comes_first(ledger: Ledger, lake: Lake, runs: Runs) -> None:
    runs("r1", "rows refused", sync="a__sync", x="refused")
    runs("r2", "breaker open", "too many")
    runs("r3", "stopped", sync="z__sync")
    runs("r4", "delivered", sync="old__sync", y="delivered")
    assert [alert.kind for alert in alerts(ledger, lake)] == ["breaker", "orphaned", "failed", "refused", "dead"]


def test_a_sync_that_is_published_no_more_is_told_while_its_channel_holds_rows(
    ledger: Ledger, lake: Lake, runs: Runs
) -> None:
    runs("r1", "delivered", sync="old__sync", a="delivered", b="delivered")
    [alert] = alerts(ledger, lake)
    assert (alert.kind, alert.where, alert.exit_code) == ("orphaned", "sync old__sync", 3)
    assert "its channel still holds 2 rows" in alert.what
    runs("r2", "delivered", sync="old__sync")
    ledger.record([{**ledger.lookup("old__sync", [key])[key], "fingerprint": None, "op": "remove"} for key in "ab"])
    assert alerts(ledger, lake) == []


def test_events_of_a_sync_that_is_published_no_more_are_no_fault(ledger: Ledger, lake: Lake, runs: Runs) -> None:
    runs("r1", "delivered", sync="old__events", mode="append", a="delivered")
    assert alerts(ledger, lake) == []


def test_a_hub_in_which_nothing_ran_has_nothing_to_tell(ledger: Ledger, lake: Lake) -> None:
    assert alerts(ledger, Lake(lake.root + "-none")) == []
