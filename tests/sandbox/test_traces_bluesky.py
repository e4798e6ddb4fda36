from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from snello.errors import ConfigError
from snello.sandbox import files
from snello.sandbox.draw import Draw
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.bluesky import PASSWORD
from snello.sandbox.emulators.bluesky_company import TABLES, of_company
from snello.sandbox.emulators.bluesky_store import HANDLE, POST
from snello.sandbox.people import People, make_people
from snello.sandbox.traces import Traces, handles
from snello.sandbox.traces.bluesky import INVALID, trace

from .conftest import AS_OF, SEED


@pytest.fixture(scope="module")
def traces(people: People) -> Traces:
    return trace(people, Draw(SEED, "bluesky", AS_OF))


def write(traces: Traces, company: Path) -> Path:
    for name, frame in traces.tables.items():
        files.arrow(frame, company / "bluesky" / f"{name}.arrow")
    return company


class Network:
    """A client of the account's server."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=f"{url}/xrpc", trust_env=False)
        login = {"identifier": HANDLE, "password": PASSWORD}
        session = self.client.post("/com.atproto.server.createSession", json=login).json()
        self.client.headers["Authorization"] = f"Bearer {session['accessJwt']}"

    def all(self, method: str, name: str, **given: str) -> list[dict[str, Any]]:
        """The rows of all pages."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.client.get(f"/{method}", params={"limit": "100", **given, **cursor}).json()
            found += page[name]
            if "cursor" not in page or not page[name]:
                return found
            cursor = {"cursor": page["cursor"]}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(people: People, tmp_path: Path) -> None:
    def bytes_of(seed: int, folder: str) -> list[bytes]:
        company = write(trace(people, Draw(seed, "bluesky", AS_OF)), tmp_path / folder)
        return [(company / "bluesky" / f"{name}.arrow").read_bytes() for name in TABLES]

    assert bytes_of(SEED, "one") == bytes_of(SEED, "two")
    assert bytes_of(SEED, "one") != bytes_of(SEED + 1, "other")


def test_the_truth_speaks_of_the_accounts_of_people_that_anybody_can_see(people: People, traces: Traces) -> None:
    [truth] = traces.truth
    assert set(truth["stream"]) == {"profiles"}
    assert set(truth["person_id"]) <= set(handles.fans(people).tolist())
    both = truth.join(traces.tables["accounts"], left_on="record_key", right_on="did", how="left")
    own = handles.handle(people, both["person_id"].to_numpy())
    assert both.height > 20
    assert not both["is_suspended"].any()
    assert ((both["handle"] == own) | (both["handle"] == INVALID)).all()
    assert truth.height < traces.tables["accounts"].height


def test_nothing_is_done_after_the_present_before_following_or_to_a_post_that_is_not_there_yet(traces: Traces) -> None:
    events = traces.tables["events"].join(traces.tables["accounts"], on="did")
    assert (events["at"] < AS_OF).all()
    assert (events["at"] >= events["followed_at"]).all()
    of_posts = events.join(traces.tables["posts"], left_on="post", right_on="number")
    assert of_posts.height > 50
    assert (of_posts["at"] >= of_posts["created_at"]).all()


def test_the_network_serves_every_row_of_the_company_and_no_other(traces: Traces, tmp_path: Path) -> None:
    accounts, events = traces.tables["accounts"], traces.tables["events"]
    shown = set(accounts.filter(~pl.col("is_suspended"))["did"])
    with serve(of_company(write(traces, tmp_path))) as url:
        network = Network(url)
        followers = network.all("app.bsky.graph.getFollowers", "followers", actor=HANDLE)
        told = network.all("app.bsky.notification.listNotifications", "notifications")
        posts = network.all("com.atproto.repo.listRecords", "records", repo=HANDLE, collection=POST)
        uris = sorted(post["uri"] for post in posts)
        likes = {
            (number, like["actor"]["did"])
            for number, uri in enumerate(uris)
            for like in network.all("app.bsky.feed.getLikes", "likes", uri=uri)
        }
        network.client.close()
    here = accounts.filter(~pl.col("has_left") & ~pl.col("is_suspended"))
    assert {row["did"]: row["handle"] for row in followers} == dict(here.select("did", "handle").iter_rows())
    seen = events.filter(pl.col("did").is_in(shown))
    expected = seen.filter(pl.col("is_told")).select(
        "did", "reason", pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:00.000Z")
    )
    assert sorted((row["author"]["did"], row["reason"], row["indexedAt"]) for row in told) == sorted(
        expected.iter_rows()
    )
    assert [post["value"]["text"] for post in sorted(posts, key=lambda post: post["uri"])] == list(
        traces.tables["posts"]["text"]
    )
    liked = seen.filter(pl.col("reason") == "like")
    assert likes == set(liked.select("post", "did").iter_rows())
    assert not liked["is_told"].all()


def test_a_company_of_ten_has_an_account_that_may_have_nobody(tmp_path: Path) -> None:
    company = write(trace(make_people(10, SEED, AS_OF), Draw(SEED, "bluesky", AS_OF)), tmp_path)
    with serve(of_company(company)) as url:
        network = Network(url)
        feed = network.all("app.bsky.feed.getAuthorFeed", "feed", actor=HANDLE)
        network.client.close()
    assert len(feed) == 45


def test_without_a_company_there_is_no_account(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="make the company with"):
        of_company(tmp_path)
