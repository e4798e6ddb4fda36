"""The emulated Bluesky server keeps to the published contract, docs/contracts/bluesky.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from snello.sandbox.emulators import Weather, serve
from snello.sandbox.emulators.bluesky import PASSWORD, bluesky
from snello.sandbox.emulators.bluesky_rules import EMAIL, Rules
from snello.sandbox.emulators.bluesky_store import HANDLE, INVALID, POST, BlueskyStore, generated

Client = httpx.Client
SESSION = "com.atproto.server.createSession"
RECORDS = {"repo": HANDLE, "collection": POST}


@pytest.fixture
def store() -> BlueskyStore:
    return generated()


@pytest.fixture
def rules(store: BlueskyStore) -> Rules:
    return Rules(store.did)


@pytest.fixture
def client(store: BlueskyStore, rules: Rules) -> Iterator[Client]:
    with serve(bluesky(store, rules=rules)) as url, httpx.Client(base_url=f"{url}/xrpc/", trust_env=False) as it:
        yield it


def login(client: Client, identifier: str = HANDLE, password: str = PASSWORD) -> httpx.Response:
    answer = client.post(SESSION, json={"identifier": identifier, "password": password})
    if answer.status_code == 200:
        client.headers["Authorization"] = f"Bearer {answer.json()['accessJwt']}"
    return answer


def every(client: Client, method: str, name: str, **params: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = client.get(method, params={"limit": 100, **params, **cursor})
        assert answer.status_code == 200, answer.text
        found += answer.json()[name]
        if "cursor" not in answer.json():
            return found
        cursor = {"cursor": answer.json()["cursor"]}


def refused(answer: httpx.Response) -> tuple[int, str]:
    assert set(answer.json()) == {"error", "message"}
    return answer.status_code, answer.json()["error"]


@pytest.mark.parametrize("identifier", [HANDLE, HANDLE.upper(), EMAIL])
def test_a_session_begins_with_any_name_of_the_account(client: Client, identifier: str) -> None:
    answer = login(client, identifier)
    assert answer.status_code == 200
    assert answer.json()["handle"] == HANDLE


def test_a_wrong_password_and_an_account_taken_down_get_their_own_words(client: Client, rules: Rules) -> None:
    assert refused(login(client, password="no")) == (401, "AuthenticationRequired")
    rules.taken_down = True
    assert refused(login(client)) == (401, "AccountTakedown")


def test_a_token_that_expired_one_that_is_none_and_none_at_all_are_three_things(client: Client, rules: Rules) -> None:
    method = "app.bsky.notification.listNotifications"
    assert refused(client.get(method)) == (401, "AuthMissing")
    login(client)
    rules.life = 1
    assert client.get(method).status_code == 200
    assert refused(client.get(method)) == (400, "ExpiredToken")
    assert refused(client.get(method, headers={"Authorization": "Bearer other"})) == (400, "InvalidToken")


def test_a_refresh_token_holds_once(client: Client) -> None:
    renews = {"Authorization": f"Bearer {login(client).json()['refreshJwt']}"}
    method = "com.atproto.server.refreshSession"
    assert client.post(method, headers=renews).json()["accessJwt"] != client.headers["Authorization"]
    assert refused(client.post(method, headers=renews)) == (400, "ExpiredToken")


def test_records_come_to_anybody_newest_first_and_an_edit_keeps_their_place(
    client: Client, store: BlueskyStore
) -> None:
    before = every(client, "com.atproto.repo.listRecords", "records", **RECORDS)
    assert [row["uri"] for row in before] == sorted((row["uri"] for row in before), reverse=True)
    assert before == every(client, "com.atproto.repo.listRecords", "records", **RECORDS, reverse="true")[::-1]
    store.put(POST, {"text": "Other", "createdAt": "2026-03-01T00:00:00Z"}, before[50]["uri"].rpartition("/")[2])
    after = every(client, "com.atproto.repo.listRecords", "records", **RECORDS)
    assert [row["uri"] for row in after] == [row["uri"] for row in before]
    assert [n for n, (old, new) in enumerate(zip(before, after, strict=True)) if old["cid"] != new["cid"]] == [50]


@pytest.mark.parametrize(
    "params",
    [
        {"collection": POST},
        {"repo": HANDLE},
        {**RECORDS, "limit": 101},
        {**RECORDS, "limit": 0},
        {**RECORDS, "repo": "x"},
    ],
)
def test_a_missing_or_a_wrong_parameter_is_refused(client: Client, params: dict[str, Any]) -> None:
    assert refused(client.get("com.atproto.repo.listRecords", params=params)) == (400, "InvalidRequest")


def test_every_row_of_the_views_is_paged_exactly_once(client: Client, store: BlueskyStore) -> None:
    login(client)
    followers = every(client, "app.bsky.graph.getFollowers", "followers", actor=HANDLE)
    told = every(client, "app.bsky.notification.listNotifications", "notifications")
    assert len({row["did"] for row in followers}) == len(followers) == store.counts()["followers"]
    assert len({row["uri"] for row in told}) == len(told) == store.counts()["notifications"]
    assert [row["indexedAt"] for row in told] == sorted((row["indexedAt"] for row in told), reverse=True)
    assert sum(row["handle"] == INVALID for row in followers) == 5


def test_a_page_rid_of_suspended_accounts_is_short_and_has_a_cursor(client: Client, store: BlueskyStore) -> None:
    login(client)
    latest = sorted(store.followers, key=lambda row: (row["indexedAt"], row["uri"].rpartition("/")[2]))[-100:]
    store.suspended |= {row["actor"] for row in latest}
    page = client.get("app.bsky.graph.getFollowers", params={"actor": HANDLE, "limit": 100}).json()
    assert page["followers"] == []
    assert page["cursor"]


def test_a_feed_counts_what_others_did_and_marks_what_is_not_the_accounts_own(client: Client) -> None:
    login(client)
    feed = every(client, "app.bsky.feed.getAuthorFeed", "feed", actor=HANDLE)
    own = [each["post"] for each in feed if "reason" not in each]
    assert len(feed) == len(own) + 1
    who = {
        "getLikes": ("likes", "likeCount"),
        "getRepostedBy": ("repostedBy", "repostCount"),
        "getQuotes": ("posts", "quoteCount"),
    }
    for method, (name, count) in who.items():
        counted = [post for post in own if post[count]]
        assert counted
        for post in counted[-4:]:
            assert len(every(client, f"app.bsky.feed.{method}", name, uri=post["uri"])) == post[count]


def test_a_limit_that_is_used_up_says_when_it_is_not(client: Client, rules: Rules) -> None:
    rules.requests = 2
    answers = [client.get("com.atproto.repo.listRecords", params=RECORDS) for _ in range(3)]
    assert [answer.headers["ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert refused(answers[2]) == (429, "RateLimitExceeded")
    assert int(answers[2].headers["ratelimit-reset"]) > 1_700_000_000


def test_a_server_without_views_says_so_and_one_in_bad_weather_breaks(store: BlueskyStore) -> None:
    method = "/xrpc/app.bsky.graph.getFollowers"
    with serve(bluesky(store, views_up=False)) as url:
        assert refused(httpx.get(url + method)) == (400, "InvalidRequest")
        assert refused(httpx.get(f"{url}/xrpc/com.example.other")) == (501, "MethodNotImplemented")
    with serve(bluesky(store, weather=Weather(broken=1))) as url:
        assert httpx.get(url + method).status_code == 503
