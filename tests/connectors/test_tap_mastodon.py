"""tap-mastodon over an emulated server: every row, what changed alone, limits with moments, and clear faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from snello.kit.conformance import faulty
from snello.kit.testing import Run, run
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.mastodon import SCOPES, TOKEN, mastodon
from snello.sandbox.emulators.mastodon_store import ME, MastodonStore, generated
from tap_mastodon import main


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path / "state"))


@contextmanager
def served(store: MastodonStore, **given: Any) -> Iterator[str]:
    with serve(mastodon(store, **{"requests": 10**9} | given)) as url:
        yield url


def read(url: str, *streams: str, state: Any = None, **changes: Any) -> Run:
    config = {"url": url, "account": ME, "token": TOKEN, "rate_limit": "100000/s", **changes}
    catalog = None
    if streams:
        catalog = json.loads(run(main, config, "--discover").out)
        for stream in catalog["streams"]:
            root = next(each for each in stream["metadata"] if not each["breadcrumb"])
            root["metadata"]["selected"] = stream["tap_stream_id"] in streams
    done = run(main, config, state=state, catalog=catalog)
    assert TOKEN not in done.err
    assert "reader7" not in done.err
    return done


def moved(done: Run, store: MastodonStore) -> dict[str, int]:
    return {name: len(done.records(name)) for name in store.counts() if done.records(name)}


# ------------------------------------------------------------ rows and values


def test_every_row_comes_and_ids_of_eighteen_digits_stay_whole() -> None:
    store = generated()
    with served(store) as url:
        done = read(url)
    assert (done.code, moved(done, store)) == (0, store.counts())
    assert {row["id"] for row in done.records("statuses")} == set(store.statuses)
    assert {row["id"] for row in done.records("followers")} == {key for _, key in store.links["followers"]}
    assert {len(row["id"]) for row in done.records("followers")} >= {1, 18}
    assert all(row["_extra"] is None for stream in store.counts() for row in done.records(stream))
    assert done.records("_quarantine") == []


def test_of_others_only_who_did_what_and_when_is_read() -> None:
    with served(generated()) as url:
        done = read(url)
    assert "I like mountains" not in done.out
    assert "My own words" not in done.out
    assert "Of somebody else" not in done.out
    mentions = [row for row in done.records("notifications") if row["type"] == "mention"]
    assert {row["status_visibility"] for row in mentions} == {"direct", "public"}
    assert {"@" in row["account_acct"] for row in done.records("notifications")} == {True, False}


def test_a_notification_without_a_status_has_none() -> None:
    with served(generated()) as url:
        done = read(url, "notifications")
    follows = [row for row in done.records("notifications") if row["type"] == "follow"]
    assert len(follows) == 180
    assert all(row["status_id"] is None for row in follows)


# ------------------------------------------------------------ what changed


def test_the_next_run_moves_only_what_changed_and_a_full_refresh_gives_the_same_rows() -> None:
    store = generated()
    with served(store) as url:
        first = read(url)
        edited, liked = [
            key for key in store.statuses if not any(store.counted(by, key) for by in ("favourited_by", "reblogged_by"))
        ][:2]
        store.edit(edited, "<p>Said again</p>")
        store.told(next(iter(store.accounts)), "favourite", 500, liked)
        second = read(url, state=first.state)
        third = read(url, state=second.state)
        again = read(url)
    assert {row["id"] for row in second.records("statuses")} == {edited, liked}
    assert [row["edited_at"] for row in second.records("statuses") if row["id"] == edited] != [None]
    assert moved(second, store) == {"statuses": 2, "notifications": 1, "favourites": 1}
    assert moved(third, store) == {}
    assert moved(again, store) == store.counts()


def test_a_deleted_status_is_told_once_with_its_key_alone() -> None:
    store = generated()
    with served(store) as url, faulty(url) as proxy:
        first = read(proxy.url, "statuses")
        key = next(iter(store.statuses))
        del store.statuses[key]
        second = read(proxy.url, "statuses", state=first.state)
        third = read(proxy.url, "statuses", state=second.state)
        asked = [seen.path for seen in proxy.requests if seen.path.endswith(f"/statuses/{key}")]
    [row] = second.records("statuses")
    assert row.pop("_deleted_at")
    assert {name: value for name, value in row.items() if value is not None} == {"id": key}
    assert (len(asked), moved(third, store)) == (1, {})


def test_followers_who_leave_are_told_and_one_whose_handle_changed_comes_anew() -> None:
    store = generated()
    with served(store) as url:
        first = read(url, "followers")
        _, left = store.links["followers"].pop(9)
        other = store.links["followers"][3][1]
        store.accounts[other]["acct"] = "moved@elsewhere.example"
        second = read(url, "followers", state=first.state)
    assert {row["id"]: row["acct"] for row in second.records("followers")} == {
        left: None,
        other: "moved@elsewhere.example",
    }


# ------------------------------------------------------------ limits and faults


def test_a_limit_that_resets_at_a_moment_is_left_to_the_next_run_and_nothing_is_lost() -> None:
    store = generated()
    with served(store, requests=4) as url:
        first = read(url)
    with served(store) as url:
        second = read(url, state=first.state)
    assert first.code == 4
    assert "it asks to wait" in first.last_line
    for name, rows in store.counts().items():
        keys = {json.dumps(row) for done in (first, second) for row in done.records(name)}
        assert len(keys) == rows, name


@pytest.mark.parametrize(
    ("given", "status", "cure"),
    [
        ({"scopes": SCOPES - {"read:notifications"}}, 403, "renew token, or give them the right to read"),
        ({"state": "disabled"}, 403, "renew token, or give them the right to read"),
        ({"state": "suspended"}, 410, "check the URL: the interface is not there"),
    ],
)
def test_what_the_token_may_not_see_is_told_in_one_sentence(given: dict[str, Any], status: int, cure: str) -> None:
    with served(generated(), **given) as url:
        done = read(url, "notifications")
    told = f"tap-mastodon: notifications: {status} from GET /api/v1/notifications. Next: {cure}."
    assert (done.code, done.last_line) == (2, told)


def test_a_missing_right_stops_no_other_stream() -> None:
    store = generated()
    with served(store, scopes=SCOPES - {"read:notifications"}) as url:
        done = read(url)
    assert done.code == 2
    assert moved(done, store) == {name: n for name, n in store.counts().items() if name != "notifications"}


def test_a_wrong_token_and_an_account_that_is_none_are_told() -> None:
    with served(generated()) as url:
        token, account = read(url, "statuses", token="no-such-token"), read(url, "statuses", account="42")
    assert (token.code, account.code) == (2, 2)
    assert token.last_line.startswith("tap-mastodon: statuses: 401 from GET /api/v1/accounts/")
    assert "Next: renew token" in token.last_line
    assert "404 from GET /api/v1/accounts/42/statuses" in account.last_line


def test_a_name_in_place_of_the_accounts_id_is_a_wrong_setting() -> None:
    done = read("http://127.0.0.1:9", account="@aurora")
    assert done.code == 2
    assert "account" in done.last_line
