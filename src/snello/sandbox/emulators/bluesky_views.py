"""How the network shows accounts, posts and notifications: the forms of the published lexicons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from snello.sandbox.emulators.bluesky_store import HANDLE, POST, BlueskyStore, Row, cid, moment


def profile(store: BlueskyStore, actor: str) -> Row:
    """An account, as lists of accounts show it."""
    if actor == store.did:
        return {"did": store.did, "handle": HANDLE, "displayName": "Aurora", "labels": []}
    viewer: Row = {"muted": False, "blockedBy": False}
    if follow := next((row for row in store.followers if row["actor"] == actor), None):
        viewer["followedBy"] = follow["uri"]
    about = {"description": "I like mountains", "indexedAt": moment(-10), "labels": [], "viewer": viewer}
    return {**store.people[actor], **about}


def post(store: BlueskyStore, record: Row) -> Row:
    """A post of the account, with how often it was answered and passed on."""
    uri = record["uri"]
    replies = [row for row in store.notifications if row["reason"] == "reply" and row.get("reasonSubject") == uri]
    return {
        "uri": uri,
        "cid": record["cid"],
        "author": profile(store, store.did),
        "record": record["value"],
        "replyCount": len(store.visible(replies)),
        "repostCount": len(store.visible(store.reposts.get(uri, []))),
        "likeCount": len(store.visible(store.likes.get(uri, []))),
        "quoteCount": len(store.visible(store.quotes.get(uri, []))),
        "indexedAt": moment(0),
        "labels": [],
    }


def feed(store: BlueskyStore) -> list[Row]:
    """What the account posted and passed on, newest first; a post of somebody else comes with the reason."""
    own: list[Row] = [{"post": post(store, record)} for _, record in sorted(store.records.get(POST, {}).items())]
    if not store.people:
        return own[::-1]
    passed = {"$type": "app.bsky.feed.defs#reasonRepost", "by": profile(store, store.did), "indexedAt": moment(1)}
    other = next(iter(store.people))
    record = {"$type": POST, "text": "Not of Aurora", "createdAt": moment(1)}
    address = f"at://{other}/{POST}/3kaaaaaaaaa2a"
    shown: Row = {"uri": address, "cid": cid(record), "author": profile(store, other), "record": record}
    shown |= {"likeCount": 100_000, "indexedAt": moment(1)}
    return [*reversed(own), {"post": shown, "reason": passed}]


def like(store: BlueskyStore, row: Row) -> Row:
    """A like of a post."""
    created = row["record"]["createdAt"]
    return {"actor": profile(store, row["actor"]), "createdAt": created, "indexedAt": row["indexedAt"]}


def quote(store: BlueskyStore, row: Row) -> Row:
    """A post of somebody else that quotes one."""
    shown = {name: row[name] for name in ("uri", "cid", "record", "indexedAt")}
    return {**shown, "author": profile(store, row["actor"]), "labels": []}


def notification(store: BlueskyStore, row: Row) -> Row:
    """Something that the account is told of."""
    shown = {name: value for name, value in row.items() if name != "actor"}
    return {**shown, "author": profile(store, row["actor"]), "isRead": False, "labels": []}


View = Callable[[BlueskyStore, Row], Any]


def actor(store: BlueskyStore, row: Row) -> Row:
    """Who did it."""
    return profile(store, row["actor"])
