"""The page around the charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from snello.cli.report import charts
from snello.cli.report.palette import DARK, LIGHT
from snello.cli.screen import figure
from snello.cli.summary.figures import Delivery, Summary


@dataclass(frozen=True)
class Figure:
    """A chart, the sentence that it proves, and its figures as a table."""

    title: str
    told: str
    svg: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


def render(summary: Summary, title: str) -> str:
    """The report as one HTML page."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("snello.cli.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = figure
    parts: dict[str, object] = {
        "identity": [_people(summary), *_truth(summary), *_joins(summary)],
        "segments": [*_segments(summary), *_consent(summary)],
        "deliveries": _deliveries(summary),
        "time": _time(summary),
        "refusals": [(count.name, count.rows) for count in summary.refusals],
    }
    return environment.get_template("page.html.j2").render(
        title=title, summary=summary, light=LIGHT, dark=DARK, headline=_headline(summary), **parts
    )


def write(summary: Summary, title: str, path: Path) -> Path:
    """Write the report to ``path``, replacing it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(summary, title), encoding="utf-8")
    return path


def _headline(summary: Summary) -> list[tuple[str, int, str]]:
    rows = sum(source.rows for source in summary.sources)
    refused = sum(source.refused for source in summary.sources)
    delivered = sum(sync.delivered for sync in summary.deliveries)
    held = sum(sync.total(status) for sync in summary.deliveries for status in ("suppressed", "refused"))
    return [
        ("rows read", rows, f"{refused:,} refused, with the reason"),
        ("people found", summary.people.customers, f"in {summary.people.records:,} records of persons"),
        (
            "duplicates joined",
            summary.people.joined,
            f"{summary.people.kept_apart:,} kept apart, contradictory or undecided",
        ),
        ("households", summary.people.households, "known homes, whoever lives there"),
        ("rows delivered", delivered, f"{held:,} held back or refused"),
    ]


def _people(summary: Summary) -> Figure:
    people = summary.people
    rows = [(source.source, source.records, source.customers) for source in summary.sources]
    return Figure(
        "Records are not people",
        f"{people.records:,} records turned out to be {people.customers:,} people: the strong part of each bar.",
        charts.people_by_source(summary),
        ("source", "records", "people"),
        [*rows, ("all sources together", people.records, people.customers)],
    )


def _joins(summary: Summary) -> list[Figure]:
    if not summary.joins:
        return []
    most = summary.joins[0]
    told = f"{summary.people.joined:,} records joined somebody already known, {most.rows:,} of them by {most.name}."
    rows = [(count.name, count.rows) for count in summary.joins]
    drawn = charts.counts("joins", "Duplicates joined, by rule", summary.joins)
    return [Figure("Duplicates joined, by rule", told, drawn, ("rule", "records"), rows)]


def _truth(summary: Summary) -> list[Figure]:
    truth = summary.truth
    if truth is None:
        return []
    rows = [("precision", truth.precision), ("recall", truth.recall), ("F1", truth.f1)]
    told = (
        f"{truth.people:,} known people left records and were found as {truth.customers:,}. "
        f"Of the pairs of records that were joined, {truth.precision:.2%} are one person; "
        f"of the pairs that are one person, {truth.recall:.2%} were joined."
    )
    drawn = charts.shares("truth", "Precision and recall against the truth", rows)
    exact = [(name, f"{share:.4f}") for name, share in rows]
    return [Figure("Against the truth", told, drawn, ("measure", "share"), exact)]


def _segments(summary: Summary) -> list[Figure]:
    if not summary.segments:
        return []
    rows = [(count.name, count.rows) for count in summary.segments]
    told = f"Customers in each of the {len(rows)} segments; each member carries the reason."
    drawn = charts.counts("segments", "Segment sizes", summary.segments)
    return [Figure("Segments", told, drawn, ("segment", "customers"), rows)]


def _consent(summary: Summary) -> list[Figure]:
    if not summary.consents:
        return []
    rows = [(row.purpose, row.channel, row.yes, row.no, row.unknown) for row in summary.consents]
    told = "Share of all customers with a known yes. What is not known counts as no."
    columns = ("purpose", "channel", "yes", "no", "unknown")
    return [Figure("Consent, purpose by channel", told, charts.consent(summary), columns, rows)]


def _deliveries(summary: Summary) -> list[Figure]:
    return [
        Figure(
            sync.sync,
            f"Audience of {sync.audience:,} for {sync.target}, under consent to {sync.purpose.replace('_', ' ')} by "
            f"{'any channel' if sync.channel == 'any' else sync.channel}. {_ended(sync)}",
            charts.delivery(sync),
            ("outcome", "rows"),
            [(name, rows) for name, rows, _ in charts.outcomes(sync)],
        )
        for sync in summary.deliveries
    ]


def _ended(sync: Delivery) -> str:
    if sync.reasons:
        return "Grey did not reach the channel."
    if sync.delivered or sync.removed:
        return "Every change reached the channel."
    return "Nothing had changed, so nothing was sent." if sync.unchanged else "Nothing was sent."


def _time(summary: Summary) -> list[Figure]:
    if not summary.phases:
        return []
    rows = [(phase.phase, f"{phase.seconds:.1f}") for phase in summary.phases]
    total = sum(phase.seconds for phase in summary.phases)
    drawn = charts.seconds(summary)
    return [Figure("Seconds by phase", f"{total:,.0f} seconds in all.", drawn, ("phase", "seconds"), rows)]
