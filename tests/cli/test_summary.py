"""The figures of the last run."""

from __future__ import annotations

from typing import Any

import pytest

from snello import settings
from snello.cli.demo.page import page
from snello.cli.demo.play import nexts
from snello.cli.screen import show
from snello.cli.summary.figures import Delivery, Outcome, Phase, Summary
from snello.cli.summary.reading import read
from snello.errors import ContractError


@pytest.fixture
def figures(hub: Any) -> Summary:
    return read(settings.load(), {"crm": "PostgreSQL"}, phases=[Phase("extract", 1.5)])


def test_a_source_tells_rows_refusals_and_the_people_behind_its_records(figures: Summary) -> None:
    found = {row.source: (row.technology, row.streams, row.rows, row.refused) for row in figures.sources}
    assert found == {"crm": ("PostgreSQL", 1, 1, 0), "loyalty": ("", 2, 198, 2)}
    loyalty = next(row for row in figures.sources if row.source == "loyalty")
    assert (loyalty.records, loyalty.customers) == (2, 2)


def test_duplicates_joined_are_the_records_beyond_one_a_customer(figures: Summary) -> None:
    people = figures.people
    assert (people.records, people.customers, people.joined, people.kept_apart) == (6, 3, 3, 1)


def test_joins_by_rule_add_up_to_the_duplicates_joined(figures: Summary) -> None:
    assert {count.name: count.rows for count in figures.joins} == {
        "contact with one owner": 1,
        "same email and name": 1,
        "same phone and name": 1,
    }
    assert sum(count.rows for count in figures.joins) == figures.people.joined


def test_segments_are_sized(figures: Summary) -> None:
    assert [(count.name, count.rows) for count in figures.segments] == [("long_absent", 2), ("loyal", 1)]


def test_consent_counts_each_customer_once_and_the_silent_as_unknown(figures: Summary) -> None:
    [consent] = figures.consents
    assert (consent.yes, consent.no, consent.unknown) == (1, 1, 1)


def test_deliveries_tell_what_was_delivered_and_why_the_rest_was_not(figures: Summary) -> None:
    brevo, webhook = figures.deliveries
    assert (brevo.audience, brevo.delivered, brevo.total("suppressed"), brevo.total("refused")) == (2, 0, 1, 1)
    assert {(count.name, count.rows) for count in brevo.reasons} == {("no_consent", 1), ("invalid_parameter", 1)}
    assert (webhook.delivered, webhook.removed, webhook.reasons) == (1, 0, [])


def test_removals_are_no_deliveries() -> None:
    outcomes = (Outcome("upsert", "delivered", "", 5), Outcome("remove", "delivered", "", 2))
    sync = Delivery("a__b", "target-a", "service", "any", 5, "done", 0, outcomes)
    assert (sync.delivered, sync.removed) == (5, 2)


def test_without_a_publication_there_is_nothing_to_sum_up(empty: Any) -> None:
    with pytest.raises(ContractError, match="nothing is published yet"):
        read(settings.load())


def test_the_summary_fits_one_screen(summary: Summary, capsys: pytest.CaptureFixture[str], hub: Any) -> None:
    steps = nexts(hub.lake, summary, kept=False)
    show(summary, page(summary, hub.root / "report.html", steps), as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) + 3 <= 45  # a demo has three more sources than this one
    assert max(len(line) for line in lines if "report.html" not in line) <= 80


def test_the_commands_to_try_name_things_that_exist(summary: Summary, hub: Any, snello: Any) -> None:
    commands = [command for command, _ in nexts(hub.lake, summary, kept=True)]
    for command in commands:
        words = command.split()
        if words[0] == "snello" and words[1] in {"why", "receipts"}:
            assert snello(*words[1:]).code == 0
    assert "snello why c2" in commands
