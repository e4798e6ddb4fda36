"""SuiteCRM, where Aurora looks after fleets and rentals: firms, their drivers, leads from fairs and from a giveaway.

All values are texts, under SuiteCRM's own names and as its database keeps them: escaped, flags as 0 and 1.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from snello.sandbox.draw import DAY_US, Draw, Ints, Mask, days
from snello.sandbox.observe import Habits, doubled, observe
from snello.sandbox.people import People
from snello.sandbox.texts import blank, choose, patch
from snello.sandbox.traces import Traces, handles
from snello.sandbox.traces.stamps import moments
from snello.sandbox.traces.suitecrm_work import (
    GIVEAWAY,
    accounts,
    campaigns,
    cases,
    held,
    ids,
    opportunities,
    texts,
)  # fmt: skip

SHARE, DOUBLES, CONVERTED, FROM_FAIRS, TOLD_HANDLE = 0.084, 0.02, 0.1, 0.014, 0.34
NO_ACCOUNT, WITH_AT_SIGN, DAY_UNKNOWN = 0.12, 0.3, 0.1
# Of the warm, the cold, the silent.
AGREED, OPTED_OUT, NOT_TO_CALL = (0.7, 0.1, 0.35), (0.02, 0.25, 0.03), (0.03, 0.3, 0.05)
HABITS = Habits(
    shouted=0.1, no_email=0.12, bad_email=0.0, odd_email=0.0, placeholder=0.004, second_email=0.25, family_email=0.0,
    no_birth=0.5, no_phone=0.2, stale_address=0.2,
)  # fmt: skip
LEAD_HABITS = Habits(
    shouted=0.05, no_email=0.08, bad_email=0.0, odd_email=0.0, placeholder=0.004, email_typo=0.01, family_email=0.0,
    no_birth=0.9, no_phone=0.3, no_address=0.6,
)  # fmt: skip
ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#039;"}


def trace(people: People, draw: Draw) -> Traces:
    """Tables campaigns, accounts, contacts, leads, opportunities, cases, calls and meetings."""
    fans = handles.fans(people)
    tellers = fans[draw.apart("handles").chance(len(fans), TOLD_HANDLE)]
    events, firms = campaigns(draw), accounts(people, draw)
    who, entered = _drivers(people, draw)
    contacts = _contacts(_persons(people, who, entered, tellers, HABITS, draw), firms, draw)
    asked, contact, since = _askers(people, who, entered, tellers, draw)
    leads = _leads(_persons(people, asked, since, tellers, LEAD_HABITS, draw), contact, contacts, events, draw)
    became = contact >= 0
    sales = opportunities(firms, leads["account_id"].filter(pl.Series(became)), since[became], draw)
    leads = leads.with_columns(opportunity_id=patch(_nothing(len(asked)), became, sales["id"].head(int(became.sum()))))
    latest = np.full(firms.height, draw.as_of_us - DAY_US)
    subjects = {
        "Contacts": (contacts["id"], entered, np.maximum(entered, people.active_us[who])),
        "Leads": (leads["id"], since, np.maximum(since, people.active_us[asked])),
        "Accounts": (firms["id"], latest - 400 * DAY_US, latest),
    }
    traces = Traces("suitecrm")
    traces.speaks("contacts", contacts["id"], who)
    traces.speaks("leads", leads["id"], asked)
    tables = {"campaigns": events, "accounts": firms, "contacts": contacts, "leads": leads, "opportunities": sales}
    tables["cases"] = cases(*subjects["Contacts"], people.busy[who], draw)
    tables |= {kind: held(kind, subjects, draw) for kind in ("calls", "meetings")}
    traces.tables = {name: _kept(frame) for name, frame in tables.items()}
    return traces


def _nothing(size: int) -> pl.Series:
    return pl.repeat(None, size, dtype=pl.String, eager=True)


def _kept(frame: pl.DataFrame) -> pl.DataFrame:
    """Texts as the database has them: what HTML reads otherwise is escaped, nothing is an empty text."""
    escaped = pl.all().cast(pl.String).fill_null("").str.replace_many(list(ESCAPED), list(ESCAPED.values()))
    return frame.select(escaped)


def _drivers(people: People, draw: Draw) -> tuple[Ints, Ints]:
    """Who is a contact and since when; a few were entered twice."""
    who = np.flatnonzero(draw.chance(len(people), SHARE))
    who = who[doubled(len(who), DOUBLES, draw)]
    return who, draw.within(people.joined_us[who], people.active_us[who], lean=0.6)


def _askers(people: People, who: Ints, entered: Ints, tellers: Ints, draw: Draw) -> tuple[Ints, Ints, Ints]:
    """Who left a form, as which contact they went on (-1: none), and when.

    Forms were left at fairs, in the giveaway (by those who told their handle and are no contacts), and by contacts
    before they were any.
    """
    strangers = np.concatenate([np.flatnonzero(draw.chance(len(people), FROM_FAIRS)), np.setdiff1d(tellers, who)])
    row = np.flatnonzero(draw.chance(len(who), CONVERTED))
    asked = np.concatenate([strangers, who[row]])
    contact = np.concatenate([np.full(len(strangers), -1), row])
    since = draw.within(people.joined_us[strangers], people.active_us[strangers], lean=0.5)
    return asked, contact, np.concatenate([since, entered[row] - draw.ints(1, 40, len(row)) * DAY_US])


def _persons(people: People, who: Ints, entered: Ints, tellers: Ints, habits: Habits, draw: Draw) -> pl.DataFrame:
    """What contacts and leads have in common."""
    size = len(who)
    changed = draw.within(entered, np.maximum(entered, people.active_us[who]), lean=2.0)
    seen = observe(people, who, changed, habits, draw)
    mood = people.frame["attitude"].gather(who)
    kind = mood.replace_strict({"warm": 0, "cold": 1, "silent": 2}, return_dtype=pl.Int64).to_numpy()
    agreed, out, silent = (draw.chance(size, np.array(shares)[kind]) for shares in (AGREED, OPTED_OUT, NOT_TO_CALL))
    reviewed = blank(days(entered).cast(pl.String), ~agreed | draw.chance(size, DAY_UNKNOWN))
    return pl.DataFrame(
        {
            "id": ids(size, draw),
            "date_entered": moments(entered),
            "date_modified": moments(changed),
            "first_name": seen["first_name"],
            "last_name": seen["last_name"],
            "birthdate": seen["birth_date"].cast(pl.String),
            "email1": seen["email"],
            "email_opt_out": _flags(out),
            "phone_mobile": seen["mobile"],
            "phone_home": seen["phone"],
            "do_not_call": _flags(silent),
            "primary_address_street": seen["street"],
            "primary_address_postalcode": seen["postcode"],
            "primary_address_city": seen["city"],
            "primary_address_state": seen["province"],
            "primary_address_country": blank(texts("IT", size), draw.chance(size, 0.3)),
            "lawful_basis": choose(agreed, draw.pick(["^consent^", "^consent^,^contract^"], size, (0.8, 0.2)),
                                   draw.pick(["", "^contract^", "^withdrawn^"], size, (0.6, 0.37, 0.03))),
            "lawful_basis_source": blank(draw.pick(["website", "phone", "given_to_user"], size), ~agreed),
            "date_reviewed": reviewed,
            "bluesky_c": _told(people, who, tellers, draw.apart("spelling")),
        }
    )  # fmt: skip


def _flags(mask: Mask) -> pl.Series:
    return pl.Series(np.where(mask, "1", "0"), dtype=pl.String)


def _told(people: People, who: Ints, tellers: Ints, draw: Draw) -> pl.Series:
    """The handle of those who told it, some as it is written in a post."""
    handle = handles.handle(people, who)
    spelt = choose(draw.chance(len(who), WITH_AT_SIGN), "@" + handle, handle)
    return blank(spelt, ~np.isin(who, tellers))


def _contacts(persons: pl.DataFrame, firms: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """Contacts: most drive for a firm, a few firms having many; the telephone at work is the firm's."""
    size = persons.height
    firm = firms.select("id", "name", "phone_office")[draw.index(1.0 / np.arange(3, firms.height + 3), size)]
    alone = draw.chance(size, NO_ACCOUNT)
    return persons.with_columns(
        blank(firm["id"], alone).alias("account_id"),
        blank(firm["name"], alone).alias("account_name"),
        blank(firm["phone_office"], alone).alias("phone_work"),
        draw.pick(["Autista", "Fleet manager", "Amministrazione", ""], size, (0.5, 0.15, 0.15, 0.2)).alias("title"),
        draw.pick(["Existing Customer", "Trade Show", "Web Site", ""], size, (0.5, 0.2, 0.1, 0.2)).alias("lead_source"),
    )


def _leads(
    persons: pl.DataFrame, contact: Ints, contacts: pl.DataFrame, events: pl.DataFrame, draw: Draw
) -> pl.DataFrame:
    """Leads; those that were converted name the contact and the account that they became."""
    size, became = persons.height, contact >= 0
    known = contacts.select("id", "account_id", "account_name")[contact[became]]
    played = persons["bluesky_c"].is_not_null().to_numpy() & ~became
    event = np.where(played, GIVEAWAY, draw.ints(0, GIVEAWAY - 1, size))
    status = draw.pick(["New", "Assigned", "In Process", "Recycled", "Dead"], size, (0.4, 0.2, 0.2, 0.1, 0.1))
    return persons.with_columns(
        choose(became, texts("Converted", size), status).alias("status"),
        _flags(became).alias("converted"),
        choose(played, texts("Campaign", size), texts("Trade Show", size)).alias("lead_source"),
        blank(events["id"].gather(event), became & draw.chance(size, 0.5)).alias("campaign_id"),
        patch(_nothing(size), became, known["id"]).alias("contact_id"),
        patch(_nothing(size), became, known["account_id"]).alias("account_id"),
        patch(_nothing(size), became, known["account_name"]).alias("account_name"),
    )
