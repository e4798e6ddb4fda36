"""tap-bluesky over an emulated server: every row, what changed alone, sessions that end, and clear faults."""

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
from snello.sandbox.emulators.bluesky import PASSWORD, bluesky
from snello.sandbox.emulators.bluesky_rules import EMAIL, Rules
from snello.sandbox.emulators.bluesky_store import HANDLE, INVALID, POST, BlueskyStore, generated
from tap_bluesky import main

REPOSITORY = ("posts", "profile", "follows", "likes_given")
QUIET: tuple[str, ...] = (PASSWORD, EMAIL, "reader7.bsky.example", "access-token", "refresh-token")


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path / "state"))


@contextmanager
def served(store: BlueskyStore, **given: Any) -> Iterator[str]:
    with serve(bluesky(store, **given)) as url:
        yield url


def read(url: str, *streams: str, state: Any = None, **changes: Any) -> Run:
    config = {"url": url, "handle": HANDLE, "app_password": PASSWORD, "rate_limit": "100000/s", **changes}
    catalog = None
    if streams:
        catalog = json.loads(run(main, config, "--discover").out)
        for stream in catalog["streams"]:
            root = next(each for each in stream["metadata"] if not each["breadcrumb"])
            root["metadata"]["selected"] = stream["tap_stream_id"] in streams
    done = run(main, config, state=state, catalog=catalog)
    assert not [secret for secret in QUIET if secret in done.err]
    return done


def moved(done: Run, store: BlueskyStore) -> dict[str, int]:
    return {name: len(done.records(name)) for name in store.counts() if done.records(name)}


# ------------------------------------------------------------ rows and values


def test_every_row_comes_with_what_its_writer_made_of_it() -> None:
    store = generated()
    with served(store) as url:
        done = read(url)
    assert (done.code, moved(done, store)) == (0, store.counts())
    posts = done.records("posts")
    assert {row["createdAt"] for row in posts} > {"2026-02-31T25:00:00Z"}
    assert sum(row["langs"] is None for row in posts) == 12
    assert sum(row["reply_parent"] is not None for row in posts) == 12
    assert all("🏔️\n& <b>more</b>" in row["text"] for row in posts)
    assert all(row["_extra"] is None for stream in store.counts() for row in done.records(stream))
    assert done.records("_quarantine") == []


def test_of_others_only_who_did_what_and_when_is_read() -> None:
    with served(generated()) as url:
        done = read(url)
    assert "I like mountains" not in done.out
    assert "Look at this @aurora.example" not in done.out
    assert EMAIL not in done.out
    assert {row["actor_handle"] for row in done.records("likes")} >= {INVALID, "reader0.bsky.example"}
    assert all(row["actor_did"].startswith("did:plc:") for row in done.records("notifications"))


def test_posts_of_others_that_the_account_passed_on_are_none_of_its_own() -> None:
    store = generated()
    with served(store) as url:
        done = read(url, "post_counts", "likes")
    assert {row["uri"].split("/")[2] for row in done.records("post_counts")} == {store.did}
    assert max(row["likeCount"] for row in done.records("post_counts")) == 227  # of 230, three are suspended


def test_pages_that_shrink_to_nothing_do_not_end_a_listing() -> None:
    store = generated()
    store.suspended |= {row["actor"] for row in store.followers[100:210]}
    with served(store) as url:
        done = read(url, "followers")
    assert (done.code, len(done.records("followers"))) == (0, store.counts()["followers"])


# ------------------------------------------------------------ what changed


def test_the_next_run_moves_only_what_changed_and_a_full_refresh_gives_the_same_rows() -> None:
    store = generated()
    with served(store) as url:
        first = read(url)
        uri = next(iter(store.records[POST].values()))["uri"]
        liked = next(row["uri"] for row in first.records("post_counts") if row["likeCount"] == 0)
        store.put(POST, {"text": "Said again", "createdAt": "2026-03-01T08:00:00Z"}, uri.rpartition("/")[2])
        store.told(next(iter(store.people)), "like", 500, liked)
        second = read(url, state=first.state)
        third = read(url, state=second.state)
        again = read(url)
    assert moved(third, store) == {}
    assert [row["text"] for row in second.records("posts")] == ["Said again"]
    # the edited post has another cid in the counts too, and its likes are read once more
    assert {row["uri"] for row in second.records("post_counts")} == {uri, liked}
    assert [row["reason"] for row in second.records("notifications")] == ["like"]
    assert {row["post_uri"] for row in second.records("likes")} == {uri, liked}
    assert moved(again, store) == store.counts()


def test_what_is_deleted_is_told_once_with_its_key_alone() -> None:
    store = generated()
    with served(store) as url:
        first = read(url, "posts", "followers")
        uri = next(iter(store.records[POST].values()))["uri"]
        store.delete(uri)
        left = store.followers.pop()["actor"]
        second = read(url, "posts", "followers", state=first.state)
        third = read(url, "posts", "followers", state=second.state)
    [post], [follower] = second.records("posts"), second.records("followers")
    assert post.pop("_deleted_at")
    assert follower.pop("_deleted_at")
    assert {name: value for name, value in post.items() if value is not None} == {"uri": uri}
    assert {name: value for name, value in follower.items() if value is not None} == {"did": left}
    assert moved(third, store) == {}


def test_when_more_than_a_fifth_of_the_followers_are_gone_none_is_told_unless_that_is_agreed() -> None:
    store = generated()
    with served(store) as url:
        first = read(url, "followers")
        store.followers = store.followers[:100]
        second = read(url, "followers", state=first.state)
        third = read(url, "followers", state=second.state, deletes_at_most=1)
    assert second.records("followers") == []
    assert "140 of 237 rows are no longer listed, more than agreed" in second.err
    assert sum(row["_deleted_at"] is not None for row in third.records("followers")) == 140


def test_notifications_from_a_day_on_are_read_down_to_it() -> None:
    store = generated()
    with served(store) as url:
        done = read(url, "notifications", start_date="2026-03-01T13:15:00Z")
    assert 0 < len(done.records("notifications")) < 60
    assert min(row["indexedAt"] for row in done.records("notifications")) >= "2026-03-01T13:05:00"


# ------------------------------------------------------------ sessions and limits


def test_a_session_that_ends_half_way_is_renewed_without_the_password() -> None:
    store = generated()
    with served(store, rules=Rules(store.did, life=5)) as url, faulty(url) as proxy:
        done = read(proxy.url)
        paths = [seen.path for seen in proxy.requests]
    assert (done.code, moved(done, store)) == (0, store.counts())
    assert sum("createSession" in path for path in paths) == 1
    assert sum("refreshSession" in path for path in paths) > 5


def test_a_limit_that_is_used_up_is_left_to_the_next_run_and_nothing_is_lost() -> None:
    store = generated()
    rules = Rules(store.did, requests=6)
    with served(store, rules=rules) as url:
        first = read(url)
        rules.requests = 10**9
        second = read(url, state=first.state)
    assert first.code == 4
    assert "Next: run again later: nothing is lost." in first.last_line
    for name, rows in store.counts().items():
        keys = {json.dumps(row) for done in (first, second) for row in done.records(name)}
        assert len(keys) == rows, name


# ------------------------------------------------------------ what is wrong, in one sentence

LOGIN = "tap-bluesky: 401 from POST /xrpc/com.atproto.server.createSession, the login is refused "


def test_a_refused_login_is_told_with_the_servers_word() -> None:
    with served(generated()) as url:
        done = read(url, app_password="zzzz-zzzz-zzzz-zzzz")
    assert (done.code, done.last_line) == (
        2,
        f"{LOGIN}(AuthenticationRequired). Next: renew handle and app_password.",
    )


def test_an_account_that_is_taken_down_is_told_as_such() -> None:
    store = generated()
    rules = Rules(store.did)
    rules.taken_down = True
    with served(store, rules=rules) as url:
        done = read(url)
    assert (done.code, done.last_line) == (2, f"{LOGIN}(AccountTakedown). Next: renew handle and app_password.")


def test_a_server_that_stands_alone_gives_its_repository_and_says_what_it_has_not() -> None:
    store = generated()
    with served(store, views_up=False) as url:
        own, whole = read(url, *REPOSITORY), read(url)
    assert (own.code, set(moved(own, store))) == (0, set(REPOSITORY))
    assert (whole.code, set(moved(whole, store))) == (3, set(REPOSITORY))
    assert "tap-bluesky: followers: 400 from GET /xrpc/app.bsky.graph.getFollowers. Next: " in whole.err


@pytest.mark.parametrize("handle", ["@aurora.example", "aurora", "owner@example.org"])
def test_a_handle_that_is_none_is_a_wrong_setting(handle: str) -> None:
    done = read("http://127.0.0.1:9", handle=handle)
    assert done.code == 2
    assert "handle" in done.last_line


def test_a_handle_that_the_server_does_not_know_is_told() -> None:
    with served(generated()) as url:
        done = read(url, "posts", handle="someone.else.example")
    assert done.code == 2
    assert "createSession, the login is refused (AuthenticationRequired)" in done.last_line
