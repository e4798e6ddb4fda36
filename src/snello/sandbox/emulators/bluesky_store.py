"""What a Bluesky account and its followers did: generated posts, follows, likes and notifications, with odd ones."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

HANDLE, INVALID = "aurora.example", "handle.invalid"  # the latter stands for a handle that nobody could verify
POST, FOLLOW, LIKE, PROFILE = (
    "app.bsky.feed.post", "app.bsky.graph.follow", "app.bsky.feed.like", "app.bsky.actor.profile",
)  # fmt: skip
BEGIN = datetime(2026, 3, 1, 8, tzinfo=UTC)
SORTED = "234567abcdefghijklmnopqrstuvwxyz"  # the alphabet of keys that sort by time

Row = dict[str, Any]


def did(name: str) -> str:
    """The lasting id of an account."""
    return "did:plc:" + base64.b32encode(hashlib.sha256(name.encode()).digest())[:24].decode().lower()


def cid(value: Any) -> str:
    """The digest by which one version of a record is named, in the form of a real one."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()
    return "b" + base64.b32encode(b"\x01\x71\x12\x20" + digest).decode().rstrip("=").lower()


def rkey(number: int) -> str:
    """The key of a record: 13 letters that sort by its number."""
    count, letters = (int(BEGIN.timestamp() * 1_000_000) + number) << 10, ""
    for _ in range(13):
        count, rest = divmod(count, 32)
        letters = SORTED[rest] + letters
    return letters


def moment(minutes: int) -> str:
    """A moment so many minutes after the beginning, as the network writes it."""
    return (BEGIN + timedelta(minutes=minutes)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class BlueskyStore:
    """One account, ``did``, with its repository, and what the network knows of it.

    - ``records``: by collection and key; ``followers``, ``likes``, ``reposts``: rows with the ``did`` of their actor
    - ``suspended``: accounts that no view shows
    """

    did: str = field(default_factory=lambda: did(HANDLE))
    records: dict[str, dict[str, Row]] = field(default_factory=dict)
    people: dict[str, Row] = field(default_factory=dict)
    followers: list[Row] = field(default_factory=list)
    likes: dict[str, list[Row]] = field(default_factory=dict)
    reposts: dict[str, list[Row]] = field(default_factory=dict)
    quotes: dict[str, list[Row]] = field(default_factory=dict)
    notifications: list[Row] = field(default_factory=list)
    suspended: set[str] = field(default_factory=set)
    count: int = 0

    def put(self, collection: str, value: Row, key: str = "") -> str:
        """Write a record, over the one of this key if there is one; its address."""
        self.count += 1
        key = key or rkey(self.count)
        uri = f"at://{self.did}/{collection}/{key}"
        whole = {"$type": collection, **value}
        self.records.setdefault(collection, {})[key] = {"uri": uri, "cid": cid(whole), "value": whole}
        return uri

    def delete(self, uri: str) -> None:
        """Delete a record."""
        _, _, _, collection, key = uri.split("/")
        del self.records[collection][key]

    def person(self, name: str, handle: str = "") -> str:
        """An account of somebody."""
        it = did(name)
        shown = handle or f"{name}.bsky.example"
        self.people[it] = {"did": it, "handle": shown, "displayName": name.title(), "createdAt": moment(-9000)}
        return it

    def told(self, actor: str, reason: str, minutes: int, about: str | None = None, text: str = "") -> Row:
        """Somebody does something with the account or a post, and the account is told."""
        kind = {"follow": FOLLOW, "like": LIKE, "repost": "app.bsky.feed.repost"}.get(reason, POST)
        self.count += 1
        uri = f"at://{actor}/{kind}/{rkey(self.count)}"
        record: Row = {"$type": kind, "createdAt": moment(minutes - 1)}
        if kind == POST:
            record["text"] = text or "Look at this @aurora.example"
        elif kind == FOLLOW:
            record["subject"] = self.did
        else:
            record["subject"] = {"uri": about, "cid": cid(about)}
        row = {"uri": uri, "cid": cid(record), "actor": actor, "reason": reason, "record": record}
        row |= {"indexedAt": moment(minutes)} | ({"reasonSubject": about} if about else {})
        self.notifications.append(row)
        by = {"like": self.likes, "repost": self.reposts, "quote": self.quotes}
        if about and reason in by:
            by[reason].setdefault(about, []).append(row)
        elif reason == "follow":
            self.followers.append(row)
        return row

    def visible(self, rows: list[Row]) -> list[Row]:
        """Rows whose actor is not suspended."""
        return [row for row in rows if row["actor"] not in self.suspended]

    def counts(self) -> dict[str, int]:
        """How many rows a reader of everything gets, by stream."""
        posts = [record["uri"] for record in self.records.get(POST, {}).values()]
        each = {"likes": self.likes, "reposts": self.reposts, "quotes": self.quotes}
        return {
            "posts": len(posts),
            "follows": len(self.records.get(FOLLOW, {})),
            "likes_given": len(self.records.get(LIKE, {})),
            "profile": len(self.records.get(PROFILE, {})),
            "post_counts": len(posts),
            "followers": len(self.visible(self.followers)),
            "notifications": len(self.visible(self.notifications)),
            **{name: sum(len(self.visible(rows.get(uri, []))) for uri in posts) for name, rows in each.items()},
        }


def generated(seed: int = 7, posts: int = 120, readers: int = 240) -> BlueskyStore:
    """An account with so many posts and readers: pages of ties, replies, a handle nobody verified, odd moments."""
    store, chance = BlueskyStore(), random.Random(seed)
    store.put(PROFILE, {"displayName": "Aurora", "description": "Outdoor gear"}, "self")
    people = [store.person(f"reader{n}", INVALID if n % 50 == 9 else "") for n in range(readers)]
    store.suspended = set(people[20:23])
    uris = [store.put(POST, _post(store, number)) for number in range(posts)]
    for number, one in enumerate(people):
        store.told(one, "follow", number // 3)  # three of one moment
    for number in range(30):
        store.put(FOLLOW, {"subject": people[number], "createdAt": moment(number)})
        liked = {"uri": f"at://{people[number]}/{POST}/{rkey(number)}", "cid": cid(number)}
        store.put(LIKE, {"subject": liked, "createdAt": moment(number)})
    for one in people[: readers - 10]:
        store.told(one, "like", 200, uris[0])  # more than two pages of one moment
    for number in range(60):
        reason = ("like", "repost", "reply", "mention", "quote", "like")[number % 6]
        about = None if reason == "mention" else uris[chance.randrange(1, posts)]
        store.told(people[number % readers], reason, 300 + number // 2, about)
    return store


def _post(store: BlueskyStore, number: int) -> Row:
    """A post; some are replies, have no language, or a moment that their writer made up."""
    value: Row = {"text": f"Post {number} 🏔️\n& <b>more</b>", "createdAt": moment(number), "langs": ["it", "en"]}
    if number % 10 == 3:
        root = {"uri": f"at://{store.did}/{POST}/{rkey(2)}", "cid": cid("root")}
        value |= {"reply": {"root": root, "parent": root}}
    if number % 10 == 5:
        del value["langs"]
    if number == 6:
        value["createdAt"] = "2026-02-31T25:00:00Z"
    return value
