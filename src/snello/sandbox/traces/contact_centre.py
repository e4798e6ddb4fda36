"""The contact centre: call records as the telephone exchange (Asterisk) writes them."""

from __future__ import annotations

import numpy as np
import polars as pl

from snello.sandbox.draw import DAY_US, Draw, Ints, Mask, daytime, spread
from snello.sandbox.people import People
from snello.sandbox.texts import choose, patch
from snello.sandbox.traces import Traces

CALLS_A_PERSON, UNKNOWN = 0.32, 0.06
KEPT_DAYS = 730
TOLL_FREE = "800123456"
QUEUES = ("assistance", "sales", "loyalty")
COLUMNS = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer",
    "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield",
)  # fmt: skip


def trace(people: People, draw: Draw) -> Traces:
    """Stream calls; some come from numbers that nobody knows, some from the landline of a whole household."""
    who = spread(draw.counts(CALLS_A_PERSON * people.busy, len(people)))
    oldest = draw.as_of_us - KEPT_DAYS * DAY_US
    last = people.active_us[who]
    kept = last > oldest
    who, last = who[kept], last[kept]
    started = draw.within(np.maximum(people.joined_us[who], oldest), last, lean=1.5)
    order = np.argsort(started, kind="stable")
    who, started = who[order], started[order]
    unknown = draw.chance(len(who), UNKNOWN)
    number = _numbers(people, who, unknown, draw)
    strange = unknown | number.is_null().to_numpy()
    calls = _records(number.fill_null("anonymous"), started, people.frame["attitude"].gather(who), strange, draw)
    traces = Traces("contact_centre", {"calls": calls})
    person = pl.Series(who, dtype=pl.Int64).set(pl.Series(strange), None)
    traces.speaks("calls", calls["uniqueid"], person)
    return traces


def _numbers(people: People, who: Ints, unknown: Mask, draw: Draw) -> pl.Series:
    """The caller's number as the line shows it: national, or with the country code."""
    real = people.frame[who]
    landline = draw.chance(len(who), 0.25) & real["landline"].is_not_null().to_numpy()
    number = choose(landline, real["landline"], real["mobile"])
    strangers = pl.Series(3_900_000_000 + draw.ints(0, 9_999_999, int(unknown.sum()))).cast(pl.String)
    number = patch(number, unknown, strangers)
    return choose(draw.chance(len(who), 0.3), "+39" + number, number)


def _records(number: pl.Series, started: Ints, attitude: pl.Series, strange: Mask, draw: Draw) -> pl.DataFrame:
    size = len(number)
    seconds = daytime(started) // 1_000_000
    reached = draw.chance(size, 0.78)
    waited = draw.ints(4, 240, size)
    talked = np.where(reached, draw.ints(15, 1200, size), 0)
    ended = seconds + waited + talked
    disposition = choose(
        reached,
        pl.repeat("ANSWERED", size, eager=True),
        draw.pick(["NO ANSWER", "BUSY", "FAILED"], size, (0.8, 0.15, 0.05)),
    )
    agent = draw.pick([f"PJSIP/agent{n:02}-" for n in range(1, 25)], size)
    serial = pl.Series(np.arange(size) % 65_536).cast(pl.String).str.zfill(8)
    nothing = pl.repeat("", size, dtype=pl.String, eager=True)
    columns = {
        "accountcode": nothing,
        "src": number,
        "dst": pl.repeat(TOLL_FREE, size, eager=True),
        "dcontext": pl.repeat("from-trunk", size, eager=True),
        "clid": '"' + number + '" <' + number + ">",
        "channel": "PJSIP/trunk-" + serial,
        "dstchannel": choose(reached, agent + serial, nothing),
        "lastapp": pl.repeat("Queue", size, eager=True),
        "lastdata": draw.pick(QUEUES, size) + ",t,,,120",
        "start": _local(seconds),
        "answer": choose(reached, _local(seconds + waited), nothing),
        "end": _local(ended),
        "duration": pl.Series(ended - seconds),
        "billsec": pl.Series(talked),
        "disposition": disposition,
        "amaflags": pl.repeat("DOCUMENTATION", size, eager=True),
        "uniqueid": pl.Series(seconds).cast(pl.String) + "." + pl.Series(np.arange(size) + 1).cast(pl.String),
        "userfield": _notes(attitude, reached, strange, draw),
    }
    return pl.DataFrame({name: columns[name] for name in COLUMNS})


def _local(seconds: Ints) -> pl.Series:
    """Wall-clock time in Rome, as the exchange's own clock shows it."""
    moment = pl.Series(seconds * 1_000_000).cast(pl.Datetime("us", "UTC"))
    return moment.dt.convert_time_zone("Europe/Rome").dt.strftime("%Y-%m-%d %H:%M:%S")


def _notes(attitude: pl.Series, reached: Mask, strange: Mask, draw: Draw) -> pl.Series:
    """What the agent keyed in; a few callers ask to be left alone."""
    size = len(attitude)
    cold = (attitude == "cold").to_numpy()
    optout = reached & ~strange & draw.chance(size, np.where(cold, 0.06, 0.006))
    parts = pl.DataFrame(
        {
            "lang": draw.pick(["lang=it", "lang=de", "lang=en", None], size, (0.8, 0.04, 0.04, 0.12)),
            "outcome": draw.pick(
                ["outcome=resolved", "outcome=callback", "outcome=transferred", None], size, (0.6, 0.15, 0.1, 0.15)
            ),
            "optout": draw.pick(
                ["optout=email_marketing", "optout=phone_marketing", "optout=sms_marketing"], size, (0.5, 0.35, 0.15)
            ),
            "said": reached,
            "left": optout,
        }
    )
    optional = pl.when("left").then("optout")
    return parts.select(
        pl.when("said")
        .then(pl.concat_str("lang", "outcome", optional, separator=";", ignore_nulls=True))
        .otherwise(pl.lit(""))
        .alias("userfield")
    )["userfield"]
