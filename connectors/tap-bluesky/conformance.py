"""tap-bluesky tried on a server of the AT protocol with a generated account, its posts and its readers."""

from __future__ import annotations

from collections.abc import Iterator

from snello.kit.conformance.taps import Key, Subject, starts
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.bluesky import PASSWORD, bluesky
from snello.sandbox.emulators.bluesky_rules import EMAIL, Rules
from snello.sandbox.emulators.bluesky_store import FOLLOW, HANDLE, POST, generated, rkey


@starts()
def generated_account() -> Iterator[Subject]:
    """The repository and the counts are read whole, notifications from the newest down to what was seen."""
    store = generated()
    post, follow = (next(iter(store.records[kind].values()))["uri"] for kind in (POST, FOLLOW))

    def change() -> tuple[str, Key]:
        store.put(POST, {"text": "Better said", "createdAt": "2026-03-01T08:00:00Z"}, post.rpartition("/")[2])
        return "posts", (post,)

    def tie() -> tuple[str, list[Key]]:
        last = max(row["indexedAt"] for row in store.notifications)
        late = [store.told(one, "mention", 0) for one in list(store.people)[:3]]
        for row in late:
            row["indexedAt"] = last
        return "notifications", [(row["uri"], "mention") for row in late]

    def remove() -> tuple[str, Key]:
        store.delete(follow)
        return "follows", (follow,)

    def grow(rows: int) -> None:
        kept, whose = store.notifications[0], next(iter(store.people))
        address = f"at://{whose}/{POST}/"
        store.notifications = [kept | {"uri": address + rkey(number), "reason": "mention"} for number in range(rows)]

    with serve(bluesky(store, rules=Rules(store.did, requests=10**9, logins=10**9))) as url:
        yield Subject(
            command="tap_bluesky:main",
            plugin="tap_bluesky:TapBluesky",
            url=url,
            config=lambda url: {"url": url, "handle": HANDLE, "app_password": PASSWORD, "rate_limit": "100000/s"},
            rows=store.counts(),
            canaries=(PASSWORD, EMAIL, "reader7.bsky.example", "I like mountains", "access-token", "refresh-token"),
            change=change,
            tie=tie,
            remove=remove,
            grow=grow,
            wrong={"app_password": "zzzz-zzzz-zzzz-zzzz"},
        )
