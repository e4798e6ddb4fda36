"""The figures of one run; what the screen and the report show, and what ``--json`` prints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Source:
    """A system that was read: ``rows`` in the lake, of which ``records`` speak of ``customers`` people."""

    source: str
    technology: str
    streams: int
    rows: int
    refused: int
    records: int
    customers: int
    loaded_at: datetime | None


@dataclass(frozen=True)
class Count:
    """How many ``rows`` of one ``name``."""

    name: str
    rows: int


@dataclass(frozen=True)
class People:
    """Who is who: ``records`` that speak of a person, the ``customers`` found in them, the ``households`` they form."""

    records: int
    customers: int
    households: int
    kept_apart: int

    @property
    def joined(self) -> int:
        """Records recognised as somebody who was there already."""
        return self.records - self.customers


@dataclass(frozen=True)
class Truth:
    """Who was found against who left the records, where that is known: precision and recall over pairs of records.

    ``people`` is how many they really are, ``customers`` how many were found.
    """

    people: int
    customers: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Consent:
    """Customers by their consent to one purpose by one channel; unknown means no."""

    purpose: str
    channel: str
    yes: int
    no: int
    unknown: int


@dataclass(frozen=True)
class Outcome:
    """Rows of one sync that ended alike: delivered in its last run, or undelivered until now, with the ``code`` why."""

    op: str
    status: str
    code: str
    rows: int


@dataclass(frozen=True)
class Delivery:
    """What the last run of one sync did."""

    sync: str
    target: str
    purpose: str
    channel: str
    audience: int
    outcome: str
    unchanged: int
    outcomes: tuple[Outcome, ...]

    def total(self, status: str, op: str | None = None) -> int:
        """Rows that ended in ``status``, of one operation or of both."""
        return sum(row.rows for row in self.outcomes if row.status == status and op in (None, row.op))

    @property
    def delivered(self) -> int:
        """Rows that the channel now holds."""
        return self.total("delivered", "upsert")

    @property
    def removed(self) -> int:
        """Rows that the channel no longer holds."""
        return self.total("delivered", "remove")

    @property
    def reasons(self) -> list[Count]:
        """Why rows were not delivered, the most frequent reason first."""
        told = [Count(row.code or row.status, row.rows) for row in self.outcomes if row.status != "delivered"]
        return sorted(told, key=lambda count: (-count.rows, count.name))


@dataclass(frozen=True)
class Phase:
    """A part of the loop and how long it took."""

    phase: str
    seconds: float


@dataclass(frozen=True)
class Summary:
    """One run of the loop."""

    run_id: str
    published_at: datetime
    sources: tuple[Source, ...]
    refusals: tuple[Count, ...]
    people: People
    truth: Truth | None
    joins: tuple[Count, ...]
    segments: tuple[Count, ...]
    consents: tuple[Consent, ...]
    deliveries: tuple[Delivery, ...]
    phases: tuple[Phase, ...]
