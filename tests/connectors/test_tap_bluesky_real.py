"""tap-bluesky over a real personal data server; the emulator held to it and to the published lexicons."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.servers.bluesky import HANDLE, Pds, judged, serving

from snello.kit.testing import Run, run
from snello.sandbox.emulators import bluesky_store as emulated
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.bluesky import PASSWORD, bluesky
from snello.sandbox.emulators.bluesky_store import FOLLOW, LIKE, POST, PROFILE
from tap_bluesky import main

pytestmark = pytest.mark.real
NOW = "2026-03-01T08:00:00.000Z"
REPOSITORY = ("posts", "profile", "follows", "likes_given")
POSTS = 130  # more than a page


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path / "state"))


@pytest.fixture(scope="module")
def pds() -> Iterator[Pds]:
    """A server whose account posted, follows, likes, and has a profile."""
    with serving() as server:
        for start in range(0, POSTS, 65):
            posts = [{"$type": POST, "text": f"Post {n} 🏔️", "createdAt": NOW} for n in range(start, start + 65)]
            kind = "com.atproto.repo.applyWrites#create"
            writes = [{"$type": kind, "collection": POST, "value": post} for post in posts]
            server.call("com.atproto.repo.applyWrites", repo=server.did, writes=writes)
        post = server.put(POST, {"text": "The last", "createdAt": NOW, "langs": ["it"]})
        subject = {"uri": post, "cid": emulated.cid("post")}
        server.put(FOLLOW, {"subject": emulated.did("somebody"), "createdAt": NOW})
        server.put(LIKE, {"subject": subject, "createdAt": NOW})
        server.put(PROFILE, {"displayName": "Aurora"}, "self")
        yield server


def read(pds: Pds, *streams: str, state: Any = None, **changes: Any) -> Run:
    config = {"url": pds.url, "handle": HANDLE, "app_password": pds.app_password, **changes}
    catalog = json.loads(run(main, config, "--discover").out)
    for stream in catalog["streams"]:
        root = next(each for each in stream["metadata"] if not each["breadcrumb"])
        root["metadata"]["selected"] = stream["tap_stream_id"] in streams
    done = run(main, config, state=state, catalog=catalog)
    assert pds.app_password not in done.err
    return done


def moved(done: Run) -> dict[str, int]:
    return {name: len(done.records(name)) for name in REPOSITORY if done.records(name)}


def test_the_repository_of_a_real_server_is_read_and_then_only_what_changed(pds: Pds) -> None:
    first = read(pds, *REPOSITORY)
    assert (first.code, moved(first)) == (0, {"posts": POSTS + 1, "profile": 1, "follows": 1, "likes_given": 1})
    assert all(row["_extra"] is None for name in REPOSITORY for row in first.records(name))
    edited, gone = (row["uri"] for row in first.records("posts")[50:52])
    pds.put(POST, {"text": "Said again", "createdAt": NOW}, edited.rpartition("/")[2])
    pds.delete(gone)
    second = read(pds, *REPOSITORY, state=first.state)
    assert {row["uri"]: row["text"] for row in second.records("posts")} == {edited: "Said again", gone: None}
    assert [row["uri"] for row in second.records("posts") if row["_deleted_at"]] == [gone]
    assert moved(second) == {"posts": 2}
    assert moved(read(pds, *REPOSITORY, state=second.state)) == {}


def test_a_real_server_refuses_a_wrong_app_password_by_the_word_that_is_told(pds: Pds) -> None:
    done = read(pds, "posts", app_password="aaaa-bbbb-cccc-dddd")
    told = "401 from POST /xrpc/com.atproto.server.createSession, the login is refused (AuthenticationRequired)"
    assert (done.code, done.last_line) == (2, f"tap-bluesky: {told}. Next: renew handle and app_password.")


def test_a_real_server_without_the_networks_views_says_so_and_its_repository_is_read(pds: Pds) -> None:
    done = read(pds, "posts", "notifications", timeout=20)
    assert len(done.records("posts")) > POSTS - 1
    told = "tap-bluesky: notifications: 400 from GET /xrpc/app.bsky.notification.listNotifications. Next: "
    assert (done.code, done.last_line) == (3, f"{told}check that the server's version of the interface fits.")


def answers(url: str, handle: str, password: str) -> dict[str, tuple[int, Any]]:
    """The status of some questions, and the names in the answer or the word of the error."""
    asked: dict[str, httpx.Response] = {}
    with httpx.Client(base_url=f"{url}/xrpc/", trust_env=False, timeout=60) as client:
        session = {"identifier": handle, "password": password}
        asked["login"] = client.post("com.atproto.server.createSession", json=session)
        asked["wrong password"] = client.post("com.atproto.server.createSession", json=session | {"password": "no"})
        tokens = asked["login"].json()
        renews = {"Authorization": f"Bearer {tokens['refreshJwt']}"}
        asked["renewal"] = client.post("com.atproto.server.refreshSession", headers=renews)
        records = {"repo": handle, "collection": POST, "limit": 2}
        asked["records"] = client.get("com.atproto.repo.listRecords", params=records)
        asked["no token"] = client.post("com.atproto.server.refreshSession")
        asked["nobody"] = client.get("com.atproto.repo.listRecords", params={**records, "repo": "nobody.test"})
    found = {}
    for name, answer in asked.items():
        document = answer.json()
        kept = {"did", "handle", "accessJwt", "refreshJwt", "records", "cursor"} & set(document)
        found[name] = (answer.status_code, document.get("error") or sorted(kept))
    limits = sorted(name for name in asked["records"].headers if name.startswith("ratelimit-"))
    return {**found, "limits": (0, limits)}


def test_the_emulator_answers_as_the_real_server_does(pds: Pds) -> None:
    with serve(bluesky(emulated.generated())) as url:
        ours = answers(url, emulated.HANDLE, PASSWORD)
    assert ours == answers(pds.url, HANDLE, pds.app_password)


def test_the_published_lexicons_take_every_answer_of_the_emulator() -> None:
    store = emulated.generated()
    liked = max(store.likes, key=lambda uri: len(store.likes[uri]))
    asks: dict[str, dict[str, str]] = {
        "com.atproto.repo.listRecords": {"repo": emulated.HANDLE, "collection": POST},
        "app.bsky.graph.getFollowers": {"actor": emulated.HANDLE},
        "app.bsky.feed.getAuthorFeed": {"actor": emulated.HANDLE},
        "app.bsky.feed.getLikes": {"uri": liked},
        "app.bsky.feed.getRepostedBy": {"uri": next(iter(store.reposts))},
        "app.bsky.feed.getQuotes": {"uri": next(iter(store.quotes))},
        "app.bsky.notification.listNotifications": {},
    }
    with serve(bluesky(store)) as url, httpx.Client(base_url=f"{url}/xrpc/", trust_env=False) as client:
        session = {"identifier": emulated.HANDLE, "password": PASSWORD}
        login = client.post("com.atproto.server.createSession", json=session).json()
        client.headers["Authorization"] = f"Bearer {login['accessJwt']}"
        documents = {"com.atproto.server.createSession": [login]}
        for method, params in asks.items():
            answer = client.get(method, params={**params, "limit": "100"})
            assert answer.status_code == 200, answer.text
            documents[method] = [answer.json()]
    assert judged(documents) == []
    assert judged({"app.bsky.feed.getLikes": [{"likes": [{"actor": 1}]}]}) != []
