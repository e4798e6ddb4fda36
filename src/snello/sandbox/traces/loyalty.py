"""The loyalty card: a registry kept by the tills' supplier, and the point movements."""

from __future__ import annotations

import numpy as np
import polars as pl

from snello.sandbox.draw import DAY_US, Draw, Floats, Ints, days, daytime, spread
from snello.sandbox.observe import Habits, observe
from snello.sandbox.people import People
from snello.sandbox.texts import blank, choose
from snello.sandbox.traces import Traces

SHARE, SECOND_CARD, REPLACED, LENT = 0.44, 0.1, 0.06, 0.07
HABITS = Habits(
    shouted=0.5,
    no_tax_code=0.72,
    no_email=0.25,
    family_email=0.4,
    typo=0.035,
    swapped=0.012,
    no_birth=0.2,
    placeholder=0.02,
)
SHOPS = tuple(f"{number:05}" for number in range(101, 145))
CARD_PREFIX, FIRST_CARD = "29", 1_000_000


def trace(people: People, draw: Draw) -> Traces:
    """Streams cards and movements."""
    who, issued, replaced = wallets(people, draw)
    number = card_numbers(len(who), draw)
    old = pl.Series(replaced, dtype=pl.Int64)
    traces = Traces("loyalty")
    traces.tables["cards"] = _cards(people, who, issued, number, draw).with_columns(
        replaces_card=number.gather(old.clip(0)).set(old < 0, None)
    )
    traces.speaks("cards", number, who)
    # A card that was replaced moves no points after its successor was issued.
    until = np.maximum(issued, people.active_us[who])
    until[replaced[replaced >= 0]] = issued[np.flatnonzero(replaced >= 0)]
    traces.tables["movements"] = _movements(number, issued, until, people.busy[who], draw)
    return traces


def wallets(people: People, draw: Draw) -> tuple[Ints, Ints, Ints]:
    """Holder and date of issue of each card, and the row of the card that it replaces (-1: none)."""
    holders = np.flatnonzero(draw.chance(len(people), SHARE))
    first = draw.within(people.joined_us[holders], people.active_us[holders], lean=0.6)
    second = np.flatnonzero(draw.chance(len(holders), SECOND_CARD))
    renewed = np.flatnonzero(draw.chance(len(holders), REPLACED))
    again = np.concatenate([second, renewed])
    later = draw.within(first[again], np.maximum(first, people.active_us[holders])[again])
    who, issued = np.concatenate([holders, holders[again]]), np.concatenate([first, later])
    replaces = np.concatenate([np.full(len(holders) + len(second), -1), renewed])
    order = np.argsort(issued, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    replaces = np.where(replaces < 0, -1, place[np.maximum(replaces, 0)])[order]
    return who[order], issued[order], replaces


def card_numbers(size: int, draw: Draw) -> pl.Series:
    """Numbers of thirteen digits with the EAN check digit, in an order that tells nothing."""
    serial = FIRST_CARD + draw.rng.permutation(size)
    digits = np.array([int(c) for c in CARD_PREFIX])
    body = (serial[:, None] // 10 ** np.arange(9, -1, -1)) % 10
    weights = np.tile([1, 3], 6)
    total = (np.concatenate([np.broadcast_to(digits, (size, 2)), body], axis=1) * weights).sum(axis=1)
    check = (10 - total % 10) % 10
    return CARD_PREFIX + pl.Series(serial).cast(pl.String).str.zfill(10) + pl.Series(check).cast(pl.String)


def _cards(people: People, who: Ints, issued: Ints, number: pl.Series, draw: Draw) -> pl.DataFrame:
    size = len(who)
    seen = observe(people, who, issued, HABITS, draw)
    phone = choose(draw.chance(size, 0.8), seen["mobile"], seen["phone"])
    # A card that several use: the holder's name with the contacts of another at home.
    home = people.frame["household_id"].to_numpy()
    mate = np.where(home[np.minimum(who + 1, len(people) - 1)] == home[who], np.minimum(who + 1, len(people) - 1), who)
    lent = draw.chance(size, LENT)
    mates = people.frame[mate]
    warm = people.is_("attitude", "warm")[who]
    silent = people.is_("attitude", "silent")[who]
    yes = draw.chance(size, np.where(warm, 0.85, 0.25))
    empty = draw.chance(size, np.where(silent, 0.7, 0.1))
    answer = pl.Series(np.where(yes, "S", "N"))
    profiling = pl.Series(np.where(yes & draw.chance(size, 0.7), "S", "N"))
    return pl.DataFrame(
        {
            "card_no": number,
            **{name: seen[name] for name in ("last_name", "first_name", "birth_date", "sex", "tax_code")},
            "email": choose(lent, mates["email"], seen["email"]),
            "phone": choose(lent, mates["mobile"], phone),
            **{name: seen[name] for name in ("street", "postcode", "city", "province")},
            "issued_on": days(issued),
            "shop": draw.pick(SHOPS, size),
            "consent_marketing": blank(answer, empty),
            "consent_profiling": blank(profiling, empty | draw.chance(size, 0.2)),
            "balance": pl.Series(draw.ints(0, 250_000, size) * (draw.rng.random(size) < 0.6)),
        }
    )


def _movements(number: pl.Series, issued: Ints, until: Ints, busy: Floats, draw: Draw) -> pl.DataFrame:
    row = spread(draw.counts(4.0 * busy, len(number)))
    moved = draw.within(issued[row], np.minimum(until, draw.as_of_us - DAY_US)[row], lean=2.0)
    order = np.argsort(moved, kind="stable")
    row, moved = row[order], moved[order]
    size = len(row)
    cents = 500 + (45_000 * draw.rng.random(size) ** 3).astype(np.int64)
    redeemed = draw.chance(size, 0.12)
    points = np.where(redeemed, -100 * draw.ints(1, 12, size), cents // 100)
    return pl.DataFrame(
        {
            "movement_id": np.arange(size) + 1,
            "card_no": number.gather(row),
            "moved_us": daytime(moved),
            "shop": draw.pick(SHOPS, size),
            "kind": np.where(redeemed, "R", "A"),
            "points": points,
            "amount_cents": np.where(redeemed, 0, cents),
        }
    )
