"""tap-mastodon tried on a server's REST interface over a generated account, its statuses and its readers."""

from __future__ import annotations

from collections.abc import Iterator

from snello.kit.conformance.taps import Key, Subject, starts
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.mastodon import TOKEN, mastodon
from snello.sandbox.emulators.mastodon_store import ME, generated


@starts({"renews": "an access token holds until somebody revokes it"})
def generated_account() -> Iterator[Subject]:
    """Statuses and followers are read whole, notifications from the newest down to what was seen."""
    store = generated()
    status, *_ = store.statuses

    def change() -> tuple[str, Key]:
        store.edit(status, "<p>Better said</p>")
        return "statuses", (status,)

    def tie() -> tuple[str, list[Key]]:
        last = max(row["created_at"] for row in store.notifications)
        late = [store.told(one, "mention", 0) for one in list(store.accounts)[:3]]
        for row in late:
            row["created_at"] = last
        return "notifications", [(row["id"],) for row in late]

    def remove() -> tuple[str, Key]:
        _, gone = store.links["following"].pop(5)
        return "following", (gone,)

    def grow(rows: int) -> None:
        kept = store.notifications[0]
        store.notifications = [kept | {"id": str(number)} for number in range(1, rows + 1)]

    with serve(mastodon(store, requests=10**9)) as url:
        yield Subject(
            command="tap_mastodon:main",
            plugin="tap_mastodon:TapMastodon",
            url=url,
            config=lambda url: {"url": url, "account": ME, "token": TOKEN, "rate_limit": "100000/s"},
            rows=store.counts(),
            canaries=(TOKEN, "reader7", "I like mountains", "My own words"),
            change=change,
            tie=tie,
            remove=remove,
            grow=grow,
            wrong={"token": "no-such-token"},
        )
