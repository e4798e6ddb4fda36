"""The emulated Mastodon server keeps to the published contract, docs/contracts/mastodon.md."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from snello.sandbox.emulators import serve
from snello.sandbox.emulators.mastodon import SCOPES, TOKEN, mastodon
from snello.sandbox.emulators.mastodon_store import ME, MastodonStore, generated

BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def store() -> MastodonStore:
    return generated()


@pytest.fixture
def client(store: MastodonStore) -> Iterator[httpx.Client]:
    with serve(mastodon(store)) as url, httpx.Client(base_url=f"{url}/api/v1", headers=BEARER, trust_env=False) as it:
        yield it


def every(client: httpx.Client, path: str, **params: object) -> list[dict[str, Any]]:
    answer = client.get(path, params=params)
    found: list[dict[str, Any]] = answer.json()
    while "next" in answer.links:
        answer = client.get(answer.links["next"]["url"])
        found += answer.json()
    assert answer.status_code == 200, answer.text
    return found


def test_every_row_is_paged_exactly_once_from_the_latest_on(client: httpx.Client, store: MastodonStore) -> None:
    counts = store.counts()
    for path, name in ((f"/accounts/{ME}/statuses", "statuses"), ("/notifications", "notifications")):
        ids = [int(row["id"]) for row in every(client, path, limit=30)]
        assert (len(ids), ids) == (counts[name], sorted(set(ids), reverse=True))
    followers = [row["id"] for row in every(client, f"/accounts/{ME}/followers", limit=80)]
    assert len(set(followers)) == len(followers) == counts["followers"]


def test_a_size_beyond_the_most_is_cut_and_a_page_that_is_not_full_has_no_next(client: httpx.Client) -> None:
    statuses = client.get(f"/accounts/{ME}/statuses", params={"limit": 500})
    assert len(statuses.json()) == 40
    assert "max_id=" in statuses.links["next"]["url"]
    assert "min_id=" in statuses.links["prev"]["url"]
    following = client.get(f"/accounts/{ME}/following", params={"limit": 80})
    assert len(following.json()) == 40
    assert "next" not in following.links


def test_who_likes_and_boosts_a_status_is_as_many_as_it_counts(client: httpx.Client) -> None:
    for status in every(client, f"/accounts/{ME}/statuses", limit=40)[-12:]:
        for path, count in (("favourited_by", "favourites_count"), ("reblogged_by", "reblogs_count")):
            assert len(every(client, f"/statuses/{status['id']}/{path}", limit=80)) == status[count]


def test_an_edit_keeps_the_place_and_sets_its_moment_and_a_deleted_status_is_not_there(
    client: httpx.Client, store: MastodonStore
) -> None:
    before = [row["id"] for row in every(client, f"/accounts/{ME}/statuses")]
    store.edit(before[3], "<p>Other</p>")
    after = every(client, f"/accounts/{ME}/statuses")
    assert [row["id"] for row in after] == before
    assert [row["id"] for row in after if row["edited_at"]] == [before[3]]
    del store.statuses[before[3]]
    answer = client.get(f"/statuses/{before[3]}")
    assert (answer.status_code, answer.json()) == (404, {"error": "Record not found"})


def test_a_handle_names_its_server_only_elsewhere(client: httpx.Client) -> None:
    accounts = every(client, f"/accounts/{ME}/followers", limit=80)
    for account in accounts:
        server = account["url"].split("/")[2]
        assert account["acct"].partition("@")[2] == ("" if server == "mastodon.example" else server)


def test_a_wrong_token_a_missing_scope_and_a_login_switched_off_are_told(store: MastodonStore) -> None:
    with serve(mastodon(store, scopes=SCOPES - {"read:notifications"})) as url:
        wrong = httpx.get(f"{url}/api/v1/notifications", headers={"Authorization": "Bearer no"})
        missing = httpx.get(f"{url}/api/v1/notifications", headers=BEARER)
        other = httpx.get(f"{url}/api/v1/accounts/verify_credentials", headers=BEARER)
    assert 'error="invalid_token"' in wrong.headers["WWW-Authenticate"]
    assert (wrong.status_code, missing.status_code, other.json()["id"]) == (401, 403, ME)
    for state, status in (("disabled", 403), ("suspended", 410)):
        with serve(mastodon(store, state=state)) as url:
            assert httpx.get(f"{url}/api/v1/notifications", headers=BEARER).status_code == status


def test_a_limit_that_is_used_up_names_the_moment_at_which_it_is_not(store: MastodonStore) -> None:
    with serve(mastodon(store, requests=2)) as url:
        answers = [httpx.get(f"{url}/api/v1/notifications", headers=BEARER) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[1].headers["X-RateLimit-Remaining"] == "0"
    assert datetime.fromisoformat(answers[2].headers["X-RateLimit-Reset"]) > datetime.now(UTC)


def test_a_notification_has_a_status_only_where_there_is_one_and_content_is_html(client: httpx.Client) -> None:
    told = every(client, "/notifications", limit=80)
    assert {row["type"] for row in told if "status" not in row} == {"follow"}
    assert {row["status"]["visibility"] for row in told if row["type"] == "mention"} == {"public", "direct"}
    contents = [row["content"] for row in every(client, f"/accounts/{ME}/statuses")]
    assert "" in contents
    assert all(content.startswith("<p>") for content in contents if content)
