"""The legacy CRM: customers and prospects of the dealers, their consents, their visits."""

from __future__ import annotations

import numpy as np
import polars as pl

from snello.sandbox.draw import DAY_US, Draw, Ints, Mask, instants, spread
from snello.sandbox.observe import Habits, doubled, observe
from snello.sandbox.people import People
from snello.sandbox.texts import blank
from snello.sandbox.traces import Traces

SHARE, DOUBLES = 0.6, 0.05
HABITS = Habits(shouted=0.3, no_tax_code=0.35, no_email=0.2, family_email=0.25, stale_address=0.3, married=0.4)
FIRST_CUSTOMER = 100_001
DEALERS = tuple(f"D{number:03}" for number in range(1, 61))
MODELS = ("Lampo", "Vento", "Brezza", "Nembo", "Alba")
NOTICES = ("2018-05", "2021-01", "2023-09")

# Purpose: channel, legal basis, how often it was asked, how often granted by the warm, the cold, the silent.
PURPOSES = {
    "email_marketing": ("email", "consent", 0.78, (0.88, 0.2, 0.6)),
    "sms_marketing": ("sms", "consent", 0.45, (0.7, 0.1, 0.4)),
    "phone_marketing": ("phone", "consent", 0.4, (0.5, 0.04, 0.25)),
    "profiling": ("any", "consent", 0.5, (0.75, 0.1, 0.4)),
    "ads_audiences": ("ads", "consent", 0.35, (0.55, 0.05, 0.3)),
    "service": ("any", "contract", 0.7, (1.0, 0.97, 1.0)),
}
SILENT_ASKED = 0.3
CHANGED_MIND = 0.12


def trace(people: People, draw: Draw) -> Traces:
    """Tables customers, consents and dealer_visits."""
    who = np.flatnonzero(draw.chance(len(people), SHARE))
    who = who[doubled(len(who), DOUBLES, draw)]
    created = draw.within(people.joined_us[who], people.active_us[who], lean=0.5)
    order = np.argsort(created, kind="stable")
    who, created = who[order], created[order]
    traces = Traces("crm")
    customers = _customers(people, who, created, draw)
    traces.tables["customers"] = customers
    traces.speaks("customers", customers["customer_no"], who)
    traces.tables["consents"] = _consents(people, who, created, draw)
    traces.tables["dealer_visits"] = _visits(people, who, created, draw)
    return traces


def _customers(people: People, who: Ints, created: Ints, draw: Draw) -> pl.DataFrame:
    size = len(who)
    updated = draw.within(created, np.maximum(created, people.active_us[who]), lean=2.0)
    seen = observe(people, who, updated, HABITS, draw)
    german = (seen["province"] == "BZ").fill_null(False).to_numpy() & draw.chance(size, 0.6)
    return seen.select(
        pl.Series("customer_no", np.arange(size) + FIRST_CUSTOMER),
        *("first_name", "last_name", "birth_date", "sex", "tax_code", "email", "phone", "mobile"),
        *("street", "postcode", "city", "province"),
        blank(pl.repeat("IT", size, eager=True), draw.chance(size, 0.1)).alias("country"),
        blank(pl.Series(np.where(german, "de", "it")), draw.chance(size, 0.15)).alias("language"),
        draw.pick(["customer", "prospect"], size, (0.66, 0.34)).alias("kind"),
        draw.pick(DEALERS, size).alias("dealer_code"),
        instants(created).alias("created_at"),
        instants(updated).alias("updated_at"),
    )


def _consents(people: People, who: Ints, created: Ints, draw: Draw) -> pl.DataFrame:
    """A history: each answer is a row, a change of mind a later row."""
    attitude = people.frame["attitude"].gather(who)
    mood = attitude.replace_strict({"warm": 0, "cold": 1, "silent": 2}, return_dtype=pl.Int64).to_numpy()
    rows = []
    for purpose, (channel, basis, asked, granted) in PURPOSES.items():
        reach = np.where(mood == 2, asked * SILENT_ASKED, asked)
        row = np.flatnonzero(draw.chance(len(who), reach))
        yes = draw.chance(len(row), np.array(granted)[mood[row]])
        given = draw.within(created[row], np.minimum(created[row] + 400 * DAY_US, draw.as_of_us - DAY_US), lean=0.2)
        rows.append(_answers(row, yes, given, (purpose, channel, basis), draw))
        changed = draw.chance(len(row), CHANGED_MIND * (basis == "consent"))
        later = draw.within(given[changed], np.full(int(changed.sum()), draw.as_of_us - DAY_US))
        rows.append(_answers(row[changed], ~yes[changed], later, (purpose, channel, basis), draw))
    frame = pl.concat(rows).sort("given_at", "customer_no", "purpose", maintain_order=True)
    return frame.select(pl.Series("consent_id", np.arange(frame.height) + 1), pl.all())


def _answers(row: Ints, yes: Mask, given: Ints, what: tuple[str, str, str], draw: Draw) -> pl.DataFrame:
    size = len(row)
    purpose, channel, basis = what
    when = instants(given)
    year = when.dt.year().to_numpy()
    return pl.DataFrame(
        {
            "customer_no": row + FIRST_CUSTOMER,
            "purpose": pl.repeat(purpose, size, eager=True),
            "channel": pl.repeat(channel, size, eager=True),
            "granted": yes,
            "legal_basis": pl.repeat(basis, size, eager=True),
            "notice_version": pl.Series(NOTICES).gather(np.digitize(year, [2021, 2024])),
            "collected_by": draw.pick(
                ["dealer", "web", "contact_centre", "fair", None], size, (0.5, 0.25, 0.1, 0.1, 0.05)
            ),
            "given_at": when,
            "updated_at": when,
        }
    )


def _visits(people: People, who: Ints, created: Ints, draw: Draw) -> pl.DataFrame:
    row = spread(draw.counts(0.45 * people.busy[who], len(who)))
    visited = draw.within(created[row], np.maximum(created, people.active_us[who])[row], lean=1.5)
    order = np.argsort(visited, kind="stable")
    row, visited = row[order], visited[order]
    size = len(row)
    return pl.DataFrame(
        {
            "visit_id": np.arange(size) + 1,
            "customer_no": row + FIRST_CUSTOMER,
            "dealer_code": draw.pick(DEALERS, size),
            "visited_at": instants(visited),
            "reason": draw.pick(
                ["test drive", "quote", "purchase", "information", None], size, (0.3, 0.25, 0.15, 0.25, 0.05)
            ),
            "model": draw.pick([*MODELS, None], size),
            "test_drive": draw.chance(size, 0.35),
            "outcome": draw.pick(["sold", "lost", "open", "no show", None], size, (0.18, 0.27, 0.35, 0.1, 0.1)),
            "updated_at": instants(visited + draw.ints(0, 7_200, size) * 1_000_000),
        }
    )
