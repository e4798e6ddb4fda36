"""Marketing: the newsletter's events, the social page, clicks on paid advertisements."""

from __future__ import annotations

import numpy as np
import polars as pl

from snello.sandbox.draw import DAY_US, Draw, Ints, instants, spread
from snello.sandbox.observe import written
from snello.sandbox.people import People
from snello.sandbox.texts import choose, mapped, plain
from snello.sandbox.traces import Traces

SUBSCRIBERS, SENDS, BOUNCED, UNSUBSCRIBED = 0.33, 4.5, 0.01, 0.1
CAMPAIGNS, CAMPAIGN_DAYS = 52, 14
FANS, LEADS, CLICKS, CLICK_LEADS = 0.09, 0.02, 0.22, 0.08
NETWORKS = ("search", "display", "video", "social")
THEMES = ("lancio-lampo", "test-drive", "incentivi", "famiglia", "formula-uno", "usato-garantito")


def trace(people: People, draw: Draw) -> Traces:
    """Streams newsletter, social and ad_clicks."""
    traces = Traces("marketing")
    for stream, (frame, keys) in {
        "newsletter": (_newsletter(people, draw), "event_id"),
        "social": (_social(people, draw), "event_id"),
        "ad_clicks": (_ad_clicks(people, draw), "click_id"),
    }.items():
        known = frame.filter(pl.col("person_id").is_not_null())
        traces.speaks(stream, known[keys], known["person_id"])
        traces.tables[stream] = frame.drop("person_id")
    return traces


def _addresses(people: People, who: Ints, draw: Draw) -> pl.Series:
    """The address given: the own one, for some the family's."""
    own = people.frame["email"].gather(who)
    family = people.frame["family_email"].gather(who)
    return choose(draw.chance(len(who), 0.3) & family.is_not_null().to_numpy(), family, own)


def _events(parts: list[pl.DataFrame], prefix: str) -> pl.DataFrame:
    """Events of all kinds in the order of time, with an id each."""
    frame = pl.concat(parts).sort("at", "person_id", "kind", maintain_order=True)
    number = pl.Series(np.arange(frame.height) + 1).cast(pl.String).str.zfill(9)
    return frame.select((prefix + number).alias("event_id"), pl.all())


def _newsletter(people: People, draw: Draw) -> pl.DataFrame:
    who = np.flatnonzero(draw.chance(len(people), SUBSCRIBERS) & people.frame["email"].is_not_null().to_numpy())
    email = _addresses(people, who, draw)
    joined, active = people.joined_us[who], people.active_us[who]
    leaves = draw.chance(len(who), np.where(people.is_("attitude", "cold")[who], 3 * UNSUBSCRIBED, UNSUBSCRIBED / 2))
    until = np.where(leaves, active, draw.as_of_us)
    row = spread(draw.counts(SENDS, len(who)))
    campaign = draw.ints(0, CAMPAIGNS - 1, len(row))
    sent_at = draw.as_of_us - (campaign * CAMPAIGN_DAYS + 3) * DAY_US - 14 * 3_600_000_000
    fits = (sent_at > joined[row]) & (sent_at < until[row])
    row, campaign, sent_at = row[fits], campaign[fits], sent_at[fits]
    size = len(row)
    # Whoever is long absent reads no more.
    opened = draw.chance(size, 0.42) & (sent_at < active[row])
    clicked = opened & draw.chance(size, 0.22)
    opened_at = sent_at + draw.ints(40, 90_000, size) * 1_000_000
    name = "news-" + pl.Series(CAMPAIGNS - campaign).cast(pl.String).str.zfill(3)
    gone = np.flatnonzero(leaves)

    def events(kind: str, rows: Ints, at: Ints, of: pl.Series | None) -> pl.DataFrame:
        none = pl.repeat(None, len(rows), dtype=pl.String, eager=True)
        return pl.DataFrame(
            {
                "email": email.gather(rows),
                "kind": pl.repeat(kind, len(rows), eager=True),
                "campaign": none if of is None else of,
                "at": instants(np.minimum(at, draw.as_of_us - 1_000_000)),
                "person_id": who[rows],
            }
        )

    masks = {"sent": np.ones(size, bool), "open": opened, "click": clicked, "bounce": draw.chance(size, BOUNCED)}
    later = {"sent": sent_at, "open": opened_at, "click": opened_at + 30_000_000, "bounce": sent_at + 5_000_000}
    parts = [events(kind, row[mask], later[kind][mask], name.filter(pl.Series(mask))) for kind, mask in masks.items()]
    parts += [events("subscribe", np.arange(len(who)), joined, None), events("unsubscribe", gone, active[gone], None)]
    return (
        _events(parts, "N")
        .rename({"kind": "event"})
        .select("event_id", "email", "event", "campaign", "at", "person_id")
    )


def _social(people: People, draw: Draw) -> pl.DataFrame:
    fans = np.flatnonzero(draw.chance(len(people), FANS))
    row = spread(1 + draw.counts(people.busy[fans], len(fans)))
    leads = np.flatnonzero(draw.chance(len(people), LEADS))
    who = np.concatenate([fans[row], leads])
    lead = np.arange(len(who)) >= len(row)
    size = len(who)
    real = people.frame[who]
    first, last = mapped(real["first_name"], plain), mapped(real["last_name"], plain)
    handle = "@" + first + "_" + last + pl.Series(who * 7919 % 89 + 10).cast(pl.String)
    reach = (20 + 300 * np.random.default_rng(len(people)).pareto(1.3, len(people))).astype(np.int64)
    none = pl.repeat(None, size, dtype=pl.String, eager=True)
    consent = pl.Series(draw.chance(size, np.where(people.is_("attitude", "warm")[who], 0.85, 0.4)))
    kind = draw.pick(["follow", "like", "comment", "mention"], size, (0.25, 0.55, 0.15, 0.05))
    frame = pl.DataFrame(
        {
            "handle": handle,
            "display_name": choose(
                draw.chance(size, 0.7), real["first_name"] + " " + real["last_name"], real["first_name"]
            ),
            "kind": choose(lead, pl.repeat("lead", size, eager=True), kind),
            "post": "post-" + pl.Series(draw.ints(1, 240, size)).cast(pl.String),
            "followers": np.minimum(reach[who], 900_000),
            "email": choose(lead, _addresses(people, who, draw), none),
            "phone": choose(lead & draw.chance(size, 0.6), written(real["mobile"], draw), none),
            "consent_marketing": consent.set(pl.Series(~lead | draw.chance(size, 0.2)), None),
            "at": instants(draw.within(people.joined_us[who], people.active_us[who])),
            "person_id": who,
        }
    )
    return _events([frame], "S")


def _ad_clicks(people: People, draw: Draw) -> pl.DataFrame:
    who = spread(draw.counts(CLICKS * people.busy, len(people)))
    size = len(who)
    lead = draw.chance(size, CLICK_LEADS) & people.frame["email"].gather(who).is_not_null().to_numpy()
    none = pl.repeat(None, size, dtype=pl.String, eager=True)
    frame = pl.DataFrame(
        {
            "campaign": draw.pick(THEMES, size),
            "network": draw.pick(NETWORKS, size, (0.4, 0.25, 0.15, 0.2)),
            "cost": pl.Series(draw.ints(4, 190, size) / 100.0),
            "currency": pl.repeat("EUR", size, eager=True),
            "email": choose(lead, people.frame["email"].gather(who), none),
            "clicked_at": instants(draw.within(people.joined_us[who], people.active_us[who])),
            "person_id": pl.Series(who, dtype=pl.Int64).set(pl.Series(~lead), None),
        }
    ).sort("clicked_at", maintain_order=True)
    number = pl.Series(np.arange(size) + 1).cast(pl.String).str.zfill(9)
    return frame.select(("C" + number).alias("click_id"), pl.all())
