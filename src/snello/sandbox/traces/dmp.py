"""The segments of the media agency's data management platform: its devices, whom they are linked with, its taxonomy.

Every delivery tells the platform's state of its moment: a full file all of it, a file of changes what came and went
since the delivery before.
"""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl

from snello.sandbox.draw import DAY_US, Draw, Ints, Mask, instants, spread
from snello.sandbox.people import People
from snello.sandbox.texts import blank, choose, mapped
from snello.sandbox.traces import Traces, loyalty

PROVIDER = "mediana"
SHARE, STRANGERS, MORE_DEVICES, MORE_SEGMENTS = 0.045, 0.02, 0.3, 1.1
BY_CARD, REFUSED, SILENT, EXPIRED, SHARED, WITHDRAWN, LEFT = 0.15, 0.1, 0.06, 0.04, 0.05, 0.03, 0.25
# Days before the present of each delivery, and whether it is a full one.
DELIVERIES = {9: True, 6: False, 3: True, 1: False}
SEEN_DAYS, LASTING_DAYS, LINKED_DAYS = 120, 180, 200
TAXONOMY = (
    ("auto", None, "Automobile", None), ("auto-ev", "auto", "In cerca di un'auto elettrica", 1.8),
    ("auto-city", "auto", "In cerca di una city car", 1.2), ("auto-leasing", "auto", "Noleggio a lungo termine", 2.1),
    ("auto-insurance", "auto", "Polizza in scadenza", 1.6), ("home", None, "Casa", None),
    ("home-solar", "home", "Fotovoltaico e ricarica domestica", 1.9), ("home-moving", "home", "In trasloco", 1.1),
    ("free", None, "Tempo libero", None), ("free-bike", "free", "Ciclisti", 0.6), ("free-ski", "free", "Sciatori", 0.6),
    ("free-travel", "free", "Viaggi nel fine settimana", 0.7), ("family", None, "Famiglie con bambini", 0.8),
    ("family-dog", "family", "Famiglie con un cane", 0.7), ("green", None, "Attenti all'ambiente", 0.9),
)  # fmt: skip
# What is delivered: the segments that have a price, and one that the platform has not put into its taxonomy yet.
SEGMENTS = (*(number for number, _, _, price in TAXONOMY if price), "auto-ev-used")


def trace(people: People, draw: Draw) -> Traces:
    """Streams memberships, id_links and taxonomy; their rows by delivery, which names its kind and its day."""
    who, devices = _devices(people, draw)
    links, linked = _links(people, who, devices, draw.apart("links"))
    traces = Traces("dmp")
    traces.tables["memberships"] = _memberships(devices, draw.apart("segments"))
    traces.tables["id_links"] = links
    columns = {"segment_id": pl.String, "parent_id": pl.String, "name": pl.String, "price": pl.Float64}
    taxonomy = pl.DataFrame(TAXONOMY, schema=columns, orient="row")
    first = pl.lit(_delivery(max(DELIVERIES), draw)).alias("delivery")
    traces.tables["taxonomy"] = taxonomy.select(first, *columns, currency=pl.lit("EUR"))
    keys = f"{PROVIDER}/" + devices["id_type"] + "/" + devices["id"]
    traces.speaks("id_links", keys.filter(pl.Series(linked)), who[linked])
    return traces


def _delivery(days: int, draw: Draw) -> str:
    """What the names of a delivery's files hold, such as full_20260928."""
    day = pl.Series([draw.as_of_us - days * DAY_US]).cast(pl.Datetime("us")).dt.strftime("%Y%m%d").item()
    return f"{'full' if DELIVERIES[days] else 'delta'}_{day}"


def _devices(people: People, draw: Draw) -> tuple[Ints, pl.DataFrame]:
    """Browsers and telephones of some, and of others of whom the platform knows nothing else (-1)."""
    known = np.flatnonzero(draw.chance(len(people), SHARE))
    who = np.concatenate(
        [
            known[spread(1 + draw.counts(MORE_DEVICES, len(known)))],
            np.full(int(draw.chance(len(people), STRANGERS).sum()), -1),
        ]
    )
    who = who[draw.rng.permutation(len(who))]
    size = len(who)
    letters = draw.rng.bytes(16 * size).hex()
    cookie = pl.Series([letters[at : at + 32] for at in range(0, 32 * size, 32)], dtype=pl.String)
    advertising = cookie.str.replace(r"^(.{8})(.{4})(.{4})(.{4})", "$1-$2-$3-$4-")
    mobile = draw.chance(size, 0.3)
    kind = pl.Series(np.where(mobile, "maid", "cookie"), dtype=pl.String)
    return who, pl.DataFrame({"id_type": kind, "id": choose(mobile, advertising, cookie)})


def _links(people: People, who: Ints, devices: pl.DataFrame, draw: Draw) -> tuple[pl.DataFrame, Mask]:
    """The full file and the changes after it, and which devices a consented link gives to one person."""
    size = len(who)
    card, hashed = _cards(people, draw).gather(np.maximum(who, 0)), _hashed(people)
    by_card = draw.chance(size, BY_CARD) & card.is_not_null().to_numpy()
    key = choose(by_card, card, hashed.gather(np.maximum(who, 0)))
    named = (who >= 0) & key.is_not_null().to_numpy()
    mate = np.minimum(np.maximum(who, 0) + 1, len(people) - 1)
    mates = hashed.gather(mate)
    shared = named & ~by_card & draw.chance(size, SHARED) & (mates != key).fill_null(False).to_numpy()
    said = draw.index((1 - REFUSED - SILENT, REFUSED, SILENT), size)
    expired, withdrawn = draw.chance(size, EXPIRED), draw.chance(size, WITHDRAWN) & (said == 0)
    seen = np.where(who >= 0, people.active_us[np.maximum(who, 0)], 0)
    at = np.minimum(seen, draw.as_of_us - DAY_US) - draw.ints(0, LINKED_DAYS * DAY_US, size)
    frame = devices.with_columns(
        key_type=pl.Series(np.where(by_card, "card", "email_sha256"), dtype=pl.String),
        # Some of the platform's systems write hashes in capitals.
        key=choose(draw.chance(size, 0.1), key.str.to_uppercase(), key),
        consent=pl.Series(["1", "0", None]).gather(said),
        linked_at=instants(at),
        expires_at=instants(np.where(expired, draw.as_of_us - 20 * DAY_US, draw.as_of_us + 365 * DAY_US)),
    )
    frame = frame.with_columns(blank(frame["expires_at"], ~expired & draw.chance(size, 0.7)))
    another = frame.with_columns(mates.alias("key"), consent=pl.lit("1"))
    *_, full, last = DELIVERIES
    new = at > draw.as_of_us - full * DAY_US
    gone = named & withdrawn & ~new
    refusal = frame.with_columns(consent=pl.lit("0"))
    told = {full: (frame, named & ~new), last: (frame, named & new)}
    parts = [_told(*each, days, draw) for days, each in told.items()]
    parts += [_told(another, shared, full, draw), _told(refusal, gone, last, draw)]
    return pl.concat(parts).sort("delivery", "id", "key"), named & ~shared & (said == 0) & ~expired & ~gone


def _told(frame: pl.DataFrame, rows: Mask, days: int, draw: Draw) -> pl.DataFrame:
    return frame.filter(pl.Series(rows)).select(pl.lit(_delivery(days, draw)).alias("delivery"), pl.all())


def _cards(people: People, draw: Draw) -> pl.Series:
    """The newest card of each, drawn as the loyalty scheme itself draws them."""
    same = Draw(draw.seed, "loyalty", draw.as_of)
    holder, _, _ = loyalty.wallets(people, same)
    number = loyalty.card_numbers(len(holder), same)
    newest = np.full(len(people), len(holder))
    newest[holder] = np.arange(len(holder))
    return pl.concat([number, pl.Series([None], dtype=pl.String)]).gather(newest)


def _hashed(people: People) -> pl.Series:
    """The address of each as platforms tell it: SHA-256 of the small letters."""
    return mapped(people.frame["email"], lambda email: hashlib.sha256(email.lower().encode()).hexdigest())


def _memberships(devices: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """The deliveries of who is in which segment."""
    row = spread(1 + draw.counts(MORE_SEGMENTS, devices.height))
    segment = draw.pick(SEGMENTS, len(row))
    value = pl.Series(draw.ints(30, 99, len(row))).cast(pl.String)
    came = draw.as_of_us - DAY_US - draw.ints(0, SEEN_DAYS * DAY_US, len(row))
    stays = draw.ints(DAY_US, SEEN_DAYS * DAY_US, len(row))
    went = np.where(draw.chance(len(row), LEFT), came + stays, np.iinfo(np.int64).max)
    frame = devices[row].with_columns(
        segment_id=segment,
        value=value,
        valid_from=instants(came),
        valid_until=instants(came + LASTING_DAYS * DAY_US),
    )
    fresh = frame.select(pl.struct("id", "segment_id").is_first_distinct()).to_series()
    frame, came, went = frame.filter(fresh), came[fresh.to_numpy()], went[fresh.to_numpy()]
    parts, before = [], 0
    for days, is_full in DELIVERIES.items():
        at = draw.as_of_us - days * DAY_US
        here = (came <= at) & (went > at)
        added = here if is_full else here & (came > before)
        removed = (came <= before) & (went > before) & (went <= at)
        parts.append(_told(frame.with_columns(op=pl.lit(None if is_full else "add", pl.String)), added, days, draw))
        if not is_full:
            parts.append(_told(frame.with_columns(op=pl.lit("remove")), removed, days, draw))
        before = at
    return pl.concat(parts)
