"""The account of a generated company at Bluesky, and what its followers did."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from starlette.types import ASGIApp

from snello.sandbox.emulators.bluesky import bluesky
from snello.sandbox.emulators.bluesky_store import BEGIN, POST, PROFILE, BlueskyStore, Row, moment
from snello.sandbox.emulators.company_tables import tables_of
from snello.sandbox.emulators.watch import CALM, Weather

TABLES = ("accounts", "posts", "events")


def of_company(company: Path, *, weather: Weather = CALM) -> ASGIApp:
    """The network around the account in the folder of a company. Raises ``ConfigError`` without a company."""
    return bluesky(store_of(company), weather=weather, home=str(company.parent.resolve()))


def store_of(company: Path) -> BlueskyStore:
    """What the account holds, and what the network knows of it."""
    rows = {name: table.to_pylist() for name, table in tables_of(company, "bluesky", TABLES).items()}
    store = BlueskyStore()
    store.put(PROFILE, {"displayName": "Aurora", "description": "Piccole auto elettriche"}, "self")
    uris = [store.put(POST, _post(row)) for row in rows["posts"]]
    for row in rows["accounts"]:
        known = {"did": row["did"], "handle": row["handle"], "displayName": row["display_name"]}
        store.people[row["did"]] = known | {"createdAt": _moment(row["followed_at"])}
    store.suspended = {row["did"] for row in rows["accounts"] if row["is_suspended"]}
    for row in rows["events"]:
        about = None if row["post"] is None else uris[row["post"]]
        store.told(row["did"], row["reason"], _minutes(row["at"]), about, "Ciao @aurora.example")
        if not row["is_told"]:
            store.notifications.pop()
    left = {row["did"] for row in rows["accounts"] if row["has_left"]}
    store.followers = [row for row in store.followers if row["actor"] not in left]
    return store


def _post(row: Row) -> Row:
    return {"text": row["text"], "createdAt": _moment(row["created_at"]), "langs": ["it"]}


def _moment(at: datetime) -> str:
    return moment(_minutes(at))


def _minutes(at: datetime) -> int:
    return (at - BEGIN) // timedelta(minutes=1)
