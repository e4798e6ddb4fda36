from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest
from tests.kit.http_server import Call, Reply, serving

from snello.kit.http import Client, bearer

DATE = "Sun, 01 Mar 2026 10:00:00 GMT"
OLD = 40 * 86400


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


class Shelf:
    """Serves a document and knows whether who asks has it already."""

    def __init__(self, mark: str, *more: tuple[str, str]) -> None:
        self.mark, self.more, self.document = mark, more, {"n": 1}
        self.sent = 0

    def __call__(self, call: Call) -> Reply:
        version = f'"{self.document["n"]}"' if self.mark == "ETag" else DATE
        asked = call.headers.get("If-None-Match" if self.mark == "ETag" else "If-Modified-Since")
        if asked == version and call.method == "GET":
            return Reply(status=304, headers=[(self.mark, version)])
        self.sent += 1
        return Reply(self.document, headers=[(self.mark, version), *self.more])


def client(token: str = "token-of-ada", cache: str | None = "acme") -> Client:
    return Client("tap-probe", auth=bearer("token"), config={"token": token}, cache=cache)


def read(url: str, times: int = 1, **given: Any) -> list[Any]:
    one = client(**given)
    found = [one.send("GET", url).document for _ in range(times)]
    one.close()
    return found


@pytest.mark.parametrize("mark", ["ETag", "Last-Modified"])
@pytest.mark.parametrize("more", [(), (("Cache-Control", "private, max-age=0"), ("Vary", "Authorization"))])
def test_what_has_not_changed_travels_once_over_runs(mark: str, more: tuple[tuple[str, str], ...]) -> None:
    shelf = Shelf(mark, *more)
    with serving(shelf) as server:
        assert read(f"{server.url}/x?a=1", 2) + read(f"{server.url}/x?a=1") == [{"n": 1}] * 3
    assert (shelf.sent, len(server.calls)) == (1, 3)


def test_every_request_asks_the_server_whatever_it_says_of_freshness() -> None:
    shelf = Shelf("ETag", ("Cache-Control", "max-age=3600"))
    with serving(shelf) as server:
        assert read(server.url) == [{"n": 1}]
        shelf.document = {"n": 2}
        assert read(server.url) == [{"n": 2}]
        assert read(server.url) == [{"n": 2}]
    assert (shelf.sent, len(server.calls)) == (2, 3)


def test_another_account_gets_nothing_of_it(state: Path) -> None:
    shelf = Shelf("ETag")
    with serving(shelf) as server:
        read(server.url)
        read(server.url, token="token-of-bob")
    assert shelf.sent == 2
    assert len(list((state / "http").iterdir())) == 2


def test_what_must_not_be_stored_is_not(state: Path) -> None:
    shelf = Shelf("ETag", ("Cache-Control", "no-store"))
    with serving(shelf) as server:
        read(server.url, 2)
    assert shelf.sent == 2
    assert not [path for path in (state / "http").rglob("*") if path.is_file()]


def test_writing_is_never_answered_from_the_shelf() -> None:
    shelf = Shelf("ETag")
    with serving(shelf) as server:
        one = client()
        for method in ("GET", "POST", "POST"):
            one.send(method, server.url)
    assert shelf.sent == 3


def test_kept_answers_are_their_owners_alone_and_hold_no_secret(state: Path) -> None:
    with serving(Shelf("ETag", ("Vary", "Authorization"), ("Set-Cookie", "sid=cookie-of-ada"))) as server:
        read(server.url)
    files = [path for path in (state / "http").rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert path.stat().st_mode & 0o077 == 0
        assert not [word for word in (b"token-of-ada", b"cookie-of-ada") if word in path.read_bytes()]
    assert all(folder.stat().st_mode & 0o077 == 0 for folder in (state, state / "http", *(state / "http").iterdir()))


def test_a_damaged_file_is_no_answer(state: Path) -> None:
    shelf = Shelf("ETag")
    with serving(shelf) as server:
        read(server.url)
        for path in (state / "http").rglob("*"):
            if path.is_file():
                path.write_bytes(b"cc=4,\x00damaged")
        assert read(server.url) == [{"n": 1}]


def test_what_nobody_asks_for_is_thrown_away(state: Path) -> None:
    with serving(Shelf("ETag")) as server:
        read(f"{server.url}/old")
        for path in (state / "http").rglob("*"):
            os.utime(path, (path.stat().st_mtime - OLD,) * 2)
        read(f"{server.url}/new")
        assert read(f"{server.url}/new") == [{"n": 1}]
    kept = [path for path in (state / "http").rglob("*") if path.is_file() and path.suffix != ".lock"]
    assert len(kept) == 1


def test_the_count_of_unchanged_answers_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with serving(Shelf("ETag")) as server:
        read(server.url, 3)
    assert "tap-probe: 2 answers had not changed" in caplog.text
