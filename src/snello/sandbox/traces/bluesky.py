"""Aurora's account at Bluesky: its posts, the accounts that follow it, and what those did with the posts."""

from __future__ import annotations

import numpy as np
import polars as pl

from snello.sandbox.draw import DAY_US, Draw, Ints, daytime, instants, spread
from snello.sandbox.people import People
from snello.sandbox.texts import choose
from snello.sandbox.traces import Traces
from snello.sandbox.traces.handles import fans, handle

# Of those with an account: who follows Aurora; and how many followers there are of whom nobody knows anything.
FOLLOW, STRANGERS = 0.6, 0.003
EVENTS = 2.4
UNVERIFIED, SUSPENDED, LEFT, UNTOLD = 0.03, 0.015, 0.06, 0.1
POSTS, POST_DAYS, LOOK_BACK = 45, 20, 2
REASONS = {"like": 0.62, "repost": 0.14, "reply": 0.12, "mention": 0.07, "quote": 0.05}
ONCE = ("like", "repost")
LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz234567"))
INVALID = "handle.invalid"  # what the network calls a handle that nobody could verify
TEXTS = (
    "La Lampo in giro per la città.", "Nuovi colori per la Vento: quale scegliete?", "Quanto costa un pieno di sole?",
    "Domenica si prova: vi aspettiamo in concessionaria.", "Cinque consigli per ricaricare a casa.",
    "Dietro le quinte dello stabilimento.", "Grazie a chi è venuto alla fiera!", "Modellini e felpe sono tornati.",
)  # fmt: skip


def trace(people: People, draw: Draw) -> Traces:
    """Streams accounts, posts and events, in the order of time; a profile is known by its did."""
    who = fans(people)
    who = who[draw.chance(len(who), FOLLOW)]
    who = np.concatenate([who, np.full(int(draw.chance(len(people), STRANGERS).sum()), -1)])
    who = who[draw.rng.permutation(len(who))]
    accounts = _accounts(people, who, draw)
    traces = Traces("bluesky")
    traces.tables["accounts"] = accounts
    posts = traces.tables["posts"] = _posts(draw)
    traces.tables["events"] = _events(people, who, accounts, posts, draw.apart("events"))
    known = (who >= 0) & ~accounts["is_suspended"].to_numpy()
    traces.speaks("profiles", accounts["did"].filter(pl.Series(known)), who[known])
    return traces


def _accounts(people: People, who: Ints, draw: Draw) -> pl.DataFrame:
    """Everybody who follows or once followed, under a handle."""
    size = len(who)
    letters = LETTERS[draw.ints(0, len(LETTERS) - 1, 24 * size).reshape(size, 24)]
    did = pl.Series(["did:plc:" + "".join(row) for row in letters], dtype=pl.String)
    number = pl.Series(np.arange(size)).cast(pl.String)
    known = handle(people, np.maximum(who, 0))
    shown = choose(who >= 0, known, "passante-" + number + ".social.example")
    shown = choose(draw.chance(size, UNVERIFIED), pl.repeat(INVALID, size, eager=True), shown)
    first = people.frame["first_name"].gather(np.maximum(who, 0))
    at = draw.within(*_life(people, who, draw))
    return pl.DataFrame(
        {
            "did": did,
            "handle": shown,
            "display_name": choose(who >= 0, first, pl.repeat("Passante", size, eager=True)),
            "followed_at": _minutes(at),
            "has_left": draw.chance(size, LEFT),
            "is_suspended": draw.chance(size, SUSPENDED),
        }
    )


def _life(people: People, who: Ints, draw: Draw) -> tuple[Ints, Ints]:
    """From when to when each of them looks at the network; of strangers all the time."""
    begin = draw.as_of_us - POSTS * POST_DAYS * DAY_US
    last = np.where(who >= 0, people.active_us[np.maximum(who, 0)], draw.as_of_us - DAY_US)
    last = np.maximum(last, begin + DAY_US)
    came = np.where(who >= 0, people.joined_us[np.maximum(who, 0)], begin)
    return np.clip(came, begin, last), last


def _minutes(micros: Ints) -> pl.Series:
    return instants(micros).dt.truncate("1m")


def _posts(draw: Draw) -> pl.DataFrame:
    """A post every so many days, and none in the last of them."""
    at = draw.as_of_us - np.arange(POSTS, 0, -1) * POST_DAYS * DAY_US + draw.ints(0, DAY_US - 1, POSTS)
    return pl.DataFrame({"number": np.arange(POSTS), "text": draw.pick(TEXTS, POSTS), "created_at": _minutes(at)})


def _events(people: People, who: Ints, accounts: pl.DataFrame, posts: pl.DataFrame, draw: Draw) -> pl.DataFrame:
    """Follows, and what was done with one of the latest posts of that moment; a post is liked by one person once."""
    followed = accounts["followed_at"].cast(pl.Int64).to_numpy()
    busy = np.where(who >= 0, people.busy[np.maximum(who, 0)], 1.0)
    row = spread(draw.counts(EVENTS * busy, len(who)))
    _, last = _life(people, who, draw)
    at = draw.within(followed[row], np.maximum(followed, last)[row])
    size = len(row)
    reason = draw.pick(list(REASONS), size, list(REASONS.values()))
    of = posts["created_at"].cast(pl.Int64).to_numpy()
    pressed = daytime(at)
    post = np.searchsorted(of, pressed) - 1 - draw.ints(0, LOOK_BACK, size)
    mentions = (reason == "mention").to_numpy()
    frame = pl.DataFrame(
        {
            "did": accounts["did"].gather(row),
            "reason": reason,
            "post": pl.Series(post).set(pl.Series(mentions), None),
            "at": _minutes(at),
            # Of some likes the list of the post alone tells.
            "is_told": ~((reason == "like").to_numpy() & draw.chance(size, UNTOLD)),
        }
    ).filter(pl.Series(mentions | (post >= 0)))
    again = pl.col("reason").is_in(ONCE) & ~pl.struct("did", "reason", "post").is_first_distinct()
    follows = accounts.select(
        "did",
        reason=pl.lit("follow"),
        post=pl.lit(None, pl.Int64),
        at="followed_at",
        is_told=pl.lit(True),
    )
    return pl.concat([follows, frame.filter(~again)]).sort("at", "did", "reason", "post", maintain_order=True)
