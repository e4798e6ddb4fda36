"""What Aurora's people do in SuiteCRM around the persons: firms, campaigns, opportunities, cases, calls, meetings."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl

from snello.sandbox.atlas import STREETS
from snello.sandbox.draw import DAY_US, Draw, Floats, Ints, days, instants, spread
from snello.sandbox.people import People
from snello.sandbox.texts import blank, choose, mapped, plain
from snello.sandbox.traces.crm import MODELS
from snello.sandbox.traces.stamps import MOMENT, moments

HOUR_US = 3_600_000_000
FIRMS_A_PERSON, OPPORTUNITIES_A_FIRM, CASES_A_CONTACT, NOBODYS_CASE = 0.006, 1.0, 0.22, 0.08
A_SUBJECT = {"calls": {"Contacts": 0.32, "Leads": 0.25, "Accounts": 0.8}, "meetings": {"Contacts": 0.08, "Leads": 0.05}}
FIRMS = (
    "Autonoleggio {} S.r.l.",
    "{} & Figli S.n.c.",
    "Trasporti {} S.p.A.",
    "Studio {}",
    "Cooperativa {}",
    "Hotel {}",
)
INDUSTRIES = ("Transportation", "Hospitality", "Retail", "Healthcare", "Consulting", "")
EVENTS = ("Fiera della mobilità", "Prova su strada", "Noleggio estate", "Bluesky: vinci un weekend")
CAMPAIGNS, GIVEAWAY = 2 * len(EVENTS), len(EVENTS) - 1
STAGES = {"Prospecting": 10, "Proposal/Price Quote": 50, "Negotiation/Review": 75, "Closed Won": 100, "Closed Lost": 0}
SUBJECTS = ("Autonomia inferiore al previsto", "Cavo non consegnato", "L'app non si collega", "Fattura errata", "Multa")
STATUSES = ("Held", "Planned", "Not Held")


def ids(size: int, draw: Draw) -> pl.Series:
    """Ids as SuiteCRM makes them, in an order that tells nothing."""
    digits = draw.rng.bytes(16 * size).hex()
    whole = [digits[at : at + 32] for at in range(0, 32 * size, 32)]
    return pl.Series([f"{h[:8]}-{h[8:12]}-4{h[13:16]}-a{h[17:20]}-{h[20:]}" for h in whole], dtype=pl.String)


def texts(value: str, size: int) -> pl.Series:
    """One text in every row."""
    return pl.repeat(value, size, dtype=pl.String, eager=True)


def campaigns(draw: Draw) -> pl.DataFrame:
    """The events of this year, then those of the year before."""
    ago = np.arange(CAMPAIGNS) // len(EVENTS)
    started = draw.as_of_us - (ago * 365 + draw.ints(60, 300, CAMPAIGNS)) * DAY_US
    ended = [(draw.as_of - timedelta(days=int(365 * years))).date().isoformat() if years else "" for years in ago]
    year = pl.Series(draw.as_of.year - ago).cast(pl.String)
    return pl.DataFrame(
        {
            "id": ids(CAMPAIGNS, draw),
            "date_entered": moments(started),
            "date_modified": moments(started + DAY_US),
            "name": pl.Series(EVENTS * 2) + " " + year,
            "status": pl.Series(np.where(ago == 0, "Active", "Complete")),
            "campaign_type": pl.Series(("Trade Show", "Trade Show", "Email", "Web") * 2),
            "start_date": days(started).cast(pl.String),
            "end_date": pl.Series(ended),
            "budget": pl.Series(draw.ints(2, 40, CAMPAIGNS)).cast(pl.String) + "000.000000",
            "currency_id": texts("-99", CAMPAIGNS),
        }
    )


def accounts(people: People, draw: Draw) -> pl.DataFrame:
    """Firms under names of Italian families, in towns where people live."""
    size = max(1, round(len(people) * FIRMS_A_PERSON))
    town = people.frame[draw.ints(0, len(people) - 1, size)]
    family = people.frame["last_name"].gather(draw.ints(0, len(people) - 1, size))
    shape = draw.pick(FIRMS, size).str.split("{}")
    mailbox = "flotta@" + mapped(family, plain) + pl.Series(np.arange(size) + 1).cast(pl.String) + ".example"
    entered = draw.as_of_us - draw.ints(400, 2_000, size) * DAY_US
    return pl.DataFrame(
        {
            "id": ids(size, draw),
            "date_entered": moments(entered),
            "date_modified": moments(entered + draw.ints(0, 399, size) * DAY_US),
            "name": shape.list.get(0) + family + shape.list.get(1),
            "account_type": draw.pick(["Customer", "Prospect", ""], size, (0.6, 0.3, 0.1)),
            "industry": draw.pick(INDUSTRIES, size),
            "email1": blank(mailbox, draw.chance(size, 0.2)),
            "phone_office": "+39 02 5550" + pl.Series(np.arange(size)).cast(pl.String).str.zfill(4),
            "website": draw.pick(["http://", ""], size, (0.3, 0.7)),  # what the form begins with, never completed
            "employees": draw.pick(["5", "10-50", "200", ""], size),
            "billing_address_street": draw.pick(STREETS, size)
            + " "
            + pl.Series(draw.ints(1, 90, size)).cast(pl.String),
            "billing_address_postalcode": town["postcode"],
            "billing_address_city": town["city"],
            "billing_address_state": town["province"],
            "billing_address_country": texts("IT", size),
        }
    )


def opportunities(firms: pl.DataFrame, account: pl.Series, lead_since: Ints, draw: Draw) -> pl.DataFrame:
    """What converted leads became, in their order, each with its ``account`` if any; then what firms asked for."""
    more = spread(draw.counts(OPPORTUNITIES_A_FIRM, firms.height))
    of_firm = pl.concat([account, firms["id"].gather(more)])
    size, latest = len(of_firm), draw.as_of_us - HOUR_US
    began = np.concatenate([lead_since, draw.as_of_us - draw.ints(5, 390, len(more)) * DAY_US])
    entered = np.minimum(began + draw.ints(1, 20, size) * DAY_US, latest)
    stage = draw.pick(list(STAGES), size, (0.15, 0.2, 0.15, 0.3, 0.2))
    names = firms.select(account_id="id", account_name="name")
    cars = pl.Series(1 + draw.counts(2.0, size))
    amount = (cars * 1_000 * pl.Series(draw.ints(17, 34, size))).cast(pl.String) + ".000000"
    frame = pl.DataFrame(
        {
            "id": ids(size, draw),
            "date_entered": moments(entered),
            "date_modified": moments(np.minimum(entered + draw.ints(0, 60, size) * DAY_US, latest)),
            "name": "Noleggio " + draw.pick(MODELS, size) + " x" + cars.cast(pl.String),
            "amount": blank(amount, draw.chance(size, 0.05)),
            "currency_id": texts("-99", size),
            "date_closed": days(entered + draw.ints(20, 120, size) * DAY_US).cast(pl.String),
            "sales_stage": stage,
            "probability": stage.replace_strict(STAGES, return_dtype=pl.Int64).cast(pl.String),
            "account_id": of_firm,
        }
    )
    return frame.join(names, on="account_id", how="left", maintain_order="left")


def cases(contact: pl.Series, since: Ints, until: Ints, busy: Floats, draw: Draw) -> pl.DataFrame:
    """What contacts reported, numbered as it came in; of some nobody wrote down who it was."""
    row = spread(draw.counts(CASES_A_CONTACT * busy, len(contact)))
    entered = draw.within(since[row], until[row])
    order = np.argsort(entered, kind="stable")
    row, entered = row[order], entered[order]
    size = len(row)
    state = draw.pick(["Closed", "Open"], size, (0.8, 0.2))
    return pl.DataFrame(
        {
            "id": ids(size, draw),
            "date_entered": moments(entered),
            "date_modified": moments(np.minimum(entered + draw.ints(0, 9, size) * DAY_US, draw.as_of_us - HOUR_US)),
            "name": draw.pick(SUBJECTS, size),
            "case_number": pl.Series(np.arange(size) + 1).cast(pl.String),
            "type": draw.pick(["Product", "Administration", "User", ""], size, (0.5, 0.3, 0.1, 0.1)),
            "status": state + "_" + choose((state == "Open").to_numpy(), draw.pick(["New", "Assigned"], size), state),
            "priority": draw.pick(["P1", "P2", "P3"], size, (0.1, 0.5, 0.4)),
            "state": state,
            "contact_created_by_id": blank(contact.gather(row), draw.chance(size, NOBODYS_CASE)),
        }
    )


def held(kind: str, subjects: dict[str, tuple[pl.Series, Ints, Ints]], draw: Draw) -> pl.DataFrame:
    """Calls or meetings with the records of each module, held between their two moments; those planned are ahead."""
    rows = {module: spread(draw.counts(mean, len(subjects[module][0]))) for module, mean in A_SUBJECT[kind].items()}
    size = sum(len(row) for row in rows.values())
    starts = np.concatenate([draw.within(subjects[of][1][row], subjects[of][2][row]) for of, row in rows.items()])
    status = draw.pick(STATUSES, size, (0.82, 0.08, 0.1))
    planned = (status == "Planned").to_numpy()
    entered = np.minimum(starts, draw.as_of_us - 2 * DAY_US)
    starts = np.where(planned, draw.as_of_us + draw.ints(1, 20, size) * DAY_US + 9 * HOUR_US, starts)
    minutes = draw.ints(1, 9, size) * (5 if kind == "calls" else 15)
    own = {"direction": draw.pick(["Inbound", "Outbound"], size)} if kind == "calls" else {"location": texts("", size)}
    return pl.DataFrame(
        {
            "id": ids(size, draw),
            "date_entered": moments(entered),
            "date_modified": moments(np.where(planned, entered, np.maximum(entered, starts))),
            "name": draw.pick(["Rinnovo", "Preventivo", "Consegna", "Reclamo", "Richiamare"], size),
            "status": status,
            "date_start": moments(starts),
            "date_end": (instants(starts) + pl.Series(minutes * 60_000_000).cast(pl.Duration("us"))).dt.strftime(
                MOMENT
            ),
            "duration_hours": pl.Series(minutes // 60).cast(pl.String),
            "duration_minutes": pl.Series(minutes % 60).cast(pl.String),
            "parent_type": pl.concat([texts(of, len(row)) for of, row in rows.items()]),
            "parent_id": pl.concat([subjects[of][0].gather(row) for of, row in rows.items()]),
            **own,
        }
    )
