"""What a Mastodon account and its followers did: generated statuses, follows and notifications, odd ones too."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

SERVER, ME = "mastodon.example", "109000000000000001"
BEGIN = datetime(2026, 3, 1, 8, tzinfo=UTC)

Row = dict[str, Any]


def snowflake(minutes: int, number: int) -> str:
    """An id of a moment: milliseconds since 1970, then a number."""
    return str((int((BEGIN + timedelta(minutes=minutes)).timestamp() * 1000) << 16) + number)


def moment(minutes: int) -> str:
    """A moment so many minutes after the beginning."""
    return (BEGIN + timedelta(minutes=minutes)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class MastodonStore:
    """One account, ``ME``, and what its server knows of it.

    - ``links``: accounts by the kind of what binds them (``followers``, ``following``, ``favourited_by:<status>``,
      ``reblogged_by:<status>``), each with the growing number by which lists of them are paged
    """

    accounts: dict[str, Row] = field(default_factory=dict)
    statuses: dict[str, Row] = field(default_factory=dict)
    notifications: list[Row] = field(default_factory=list)
    links: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    count: int = 0

    def account(self, name: str, server: str = "") -> str:
        """An account; without a server it is at home here, and its handle is its name alone."""
        self.count += 1
        key = str(109_000_000_000_000_100 + self.count) if self.count % 7 else str(self.count)
        acct, host = (f"{name}@{server}" if server else name), server or SERVER
        about: Row = {"display_name": name.title(), "note": "<p>I like mountains</p>", "bot": False, "locked": False}
        self.accounts[key] = {"id": key, "username": name, "acct": acct, "url": f"https://{host}/@{name}", **about}
        return key

    def publish(self, content: str, minutes: int, **more: Any) -> str:
        """A status of the account."""
        self.count += 1
        key = snowflake(minutes, self.count)
        shown: Row = {
            "url": f"https://{SERVER}/@aurora/{key}",
            "visibility": "public",
            "language": "it",
            "edited_at": None,
        }
        shown |= {"in_reply_to_id": None, "in_reply_to_account_id": None, "sensitive": False, "spoiler_text": ""}
        self.statuses[key] = {"id": key, "created_at": moment(minutes), "content": content, **shown, **more}
        return key

    def edit(self, key: str, content: str) -> None:
        """Edit a status: its place in the listing stays."""
        self.statuses[key] |= {"content": content, "edited_at": moment(9000)}

    def link(self, kind: str, account: str) -> None:
        """Bind an account."""
        self.count += 1
        self.links.setdefault(kind, []).append((self.count, account))

    def told(self, account: str, kind: str, minutes: int, status: str | None = None) -> Row:
        """Somebody does something, and the account is told."""
        self.count += 1
        row: Row = {"id": str(self.count), "type": kind, "created_at": moment(minutes), "account": account}
        row["status"] = self._mention(account, minutes, status) if kind == "mention" else status
        self.notifications.append(row)
        if kind == "follow":
            self.link("followers", account)
        elif status and kind in ("favourite", "reblog"):
            self.link(f"{'favourited' if kind == 'favourite' else 'reblogged'}_by:{status}", account)
        return row

    def counted(self, kind: str, key: str) -> int:
        """How many accounts are bound to a status."""
        return len(self.links.get(f"{kind}:{key}", []))

    def counts(self) -> dict[str, int]:
        """How many rows a reader of everything gets, by stream."""
        return {
            "statuses": len(self.statuses),
            "favourites": sum(self.counted("favourited_by", key) for key in self.statuses),
            "reblogs": sum(self.counted("reblogged_by", key) for key in self.statuses),
            "notifications": len(self.notifications),
            "followers": len(self.links.get("followers", [])),
            "following": len(self.links.get("following", [])),
        }

    def _mention(self, account: str, minutes: int, answers: str | None) -> Row:
        key = snowflake(minutes, self.count)
        visibility = "direct" if len(self.notifications) % 8 < 4 else "public"
        what = {"content": "<p>My own words to @aurora</p>", "visibility": visibility, "in_reply_to_id": answers}
        return {"id": key, "created_at": moment(minutes), "account": account, "url": None, **what}


def generated(statuses: int = 90, readers: int = 180) -> MastodonStore:
    """An account with so many statuses and readers: local and remote ones, ties, replies, boosts, no language."""
    store = MastodonStore()
    people = [store.account(f"reader{n}", "" if n % 3 else f"town{n % 5}.example") for n in range(readers)]
    keys = [store.publish(_content(number), number, **_more(number)) for number in range(statuses)]
    for number, one in enumerate(people):
        store.told(one, "follow", number // 3)  # three of one moment
    for one in people[:170]:
        store.told(one, "favourite", 200, keys[0])  # more than two pages of one moment
    for number in range(40):
        kind = ("favourite", "reblog", "mention", "poll")[number % 4]
        store.told(people[number], kind, 300 + number // 2, keys[1 + number * 2] if number % 8 != 2 else None)
        store.link("following", people[number])
    return store


def _content(number: int) -> str:
    text = "<p>Status {} &amp; <a href='https://aurora.example/?a=1&amp;b=2'>aurora.example</a><br>it&#39;s cold</p>"
    return "" if number % 20 == 9 else text.format(number)


def _more(number: int) -> Row:
    more: Row = {"language": None, "visibility": "unlisted"} if number % 10 == 4 else {}
    if number % 10 == 6:
        more |= {"in_reply_to_id": snowflake(number - 1, 0), "in_reply_to_account_id": ME}
    if number == 8:
        boosted = {"id": snowflake(-5, 1), "created_at": moment(-5), "content": "<p>Of somebody else</p>"}
        more |= {"reblog": {**boosted, "favourites_count": 100_000}}
    return more
