from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.kit.http_server import Call, Reply, serving

from snello.errors import ConfigError, ContractError, RetryLater
from snello.kit import redact
from snello.kit.http import (
    Answer,
    Client,
    Expired,
    Retry,
    basic,
    bearer,
    oauth2_client,
    oauth2_refresh,
    session_login,
    signed_jwt,
)

QUICK = Retry(tries=3, first=0.001)
KEYS = {"client_id": "snello", "client_secret": "sesame+open/now", "user": "ada", "password": "pass-of-ada"}
KEYS |= {"refresh_token": "refresh-0"}


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path / "state"))
    yield tmp_path / "state"
    redact.forget()


class Issuer:
    """A login and an interface: each token is good for some uses; a refresh token for one, if it rotates."""

    def __init__(self, uses: int = 1000, expires_in: int | None = 3600, rotates: bool = True) -> None:
        self.uses, self.expires_in, self.rotates = uses, expires_in, rotates
        self.issued = 0
        self.refresh = "refresh-0"
        self.left: dict[str, int] = {}
        self.lock = threading.Lock()

    def __call__(self, call: Call) -> Reply:
        with self.lock:
            return self._token(call.form) if call.path == "/token" else self._thing(call)

    def _token(self, form: dict[str, str]) -> Reply:
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] != self.refresh:
                return Reply({"error": "invalid_grant", "error_description": "canary@aurora.example"}, 400)
            self.refresh = f"refresh-{self.issued + 1}" if self.rotates else self.refresh
        self.issued += 1
        token = f"access-{self.issued}"
        self.left[token] = self.uses
        said: dict[str, Any] = {"access_token": token, "token_type": "Bearer"}
        said |= {"expires_in": self.expires_in} if self.expires_in is not None else {}
        said |= {"refresh_token": self.refresh} if form["grant_type"] == "refresh_token" and self.rotates else {}
        return Reply(said)

    def _thing(self, call: Call) -> Reply:
        token = call.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.left.get(token, 0) < 1:
            return Reply({"message": "expired"}, 401)
        self.left[token] -= 1
        return Reply({"token": token})


def client(auth: Any, url: str, **given: Any) -> Client:
    return Client("tap-probe: things", **{"auth": auth, "config": {**KEYS, "url": url}, "retry": QUICK} | given)


CLIENT = oauth2_client("{url}/token", scope="read", audience="acme")
REFRESH = oauth2_refresh("{url}/token")


# ------------------------------------------------------------------ the client's own secret


def test_a_token_is_fetched_once_and_kept() -> None:
    with serving(Issuer()) as server:
        one = client(CLIENT, server.url)
        assert [one.send("GET", f"{server.url}/x").document["token"] for _ in range(3)] == ["access-1"] * 3
    login = server.calls[0]
    assert login.form == {"grant_type": "client_credentials", "scope": "read", "audience": "acme"}
    assert login.headers["Authorization"] == "Basic c25lbGxvOnNlc2FtZSUyQm9wZW4lMkZub3c="
    assert len(server.calls) == 4


def test_the_secret_may_go_in_the_body() -> None:
    with serving(Issuer()) as server:
        client(oauth2_client("{url}/token", style="body"), server.url).send("GET", f"{server.url}/x")
    assert server.calls[0].form["client_secret"] == "sesame+open/now"
    assert "Authorization" not in server.calls[0].headers


def test_a_token_near_its_end_is_replaced_before_it_is_refused() -> None:
    with serving(Issuer(expires_in=0)) as server:
        one = client(CLIENT, server.url)
        assert [one.send("GET", f"{server.url}/x").document["token"] for _ in range(2)] == ["access-1", "access-2"]
    assert [call.path for call in server.calls] == ["/token", "/x", "/token", "/x"]


def test_a_refused_token_is_renewed_once_and_the_request_made_again() -> None:
    with serving(Issuer(uses=1)) as server:
        one = client(CLIENT, server.url)
        assert [one.send("GET", f"{server.url}/x").document["token"] for _ in range(2)] == ["access-1", "access-2"]
    assert [call.path for call in server.calls] == ["/token", "/x", "/x", "/token", "/x"]


def test_a_token_that_is_refused_when_new_is_told_by_its_settings() -> None:
    with serving(Issuer(uses=0)) as server, pytest.raises(ConfigError) as fault:
        client(CLIENT, server.url).send("GET", f"{server.url}/x")
    assert str(fault.value) == (
        "tap-probe: things: 401 from GET /x. Next: renew client_id and client_secret, or give them the right to read."
    )
    assert [call.path for call in server.calls] == ["/token", "/x", "/token", "/x"]


def test_a_check_may_find_credentials_expired_under_a_good_status() -> None:
    def check(answer: Answer) -> None:
        if answer.document["token"] == "access-1":
            raise Expired("the session has ended")

    with serving(Issuer()) as server:
        assert client(CLIENT, server.url, check=check).send("GET", server.url).document["token"] == "access-2"

    def never(answer: Answer) -> None:
        raise Expired("the session has ended")

    with serving(Issuer()) as server, pytest.raises(ConfigError, match=r"has ended\. Next: renew client_id and"):
        client(CLIENT, server.url, check=never).send("GET", server.url)


def test_threads_fetch_one_token_between_them() -> None:
    with serving(Issuer(uses=4)) as server, ThreadPoolExecutor(4) as pool:
        one = client(CLIENT, server.url, workers=4)
        tokens = list(pool.map(lambda _: one.send("GET", f"{server.url}/x").document["token"], range(8)))
    assert set(tokens) == {"access-1", "access-2"}
    assert sum(call.path == "/token" for call in server.calls) == 2


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply({"error": "invalid_client"}, 401), "401 from POST /token, the login is refused (invalid_client)"),
        (
            Reply({"error": "ada@aurora.example"}, 400),
            "400 from POST /token, the login is refused. Next: renew client_id",
        ),
        (Reply(b"<html>", 403), "403 from POST /token, the login is refused. Next: renew client_id and client_secret"),
        (Reply({}, 404), "404 from POST /token. Next: check the URL"),
    ],
)
def test_a_refused_login_is_told_by_its_settings(reply: Reply, told: str) -> None:
    with serving([reply]) as server, pytest.raises(ConfigError) as fault:
        client(CLIENT, server.url).send("GET", f"{server.url}/x")
    assert told in str(fault.value)
    assert "aurora" not in str(fault.value)
    assert len(server.calls) == 1


def test_a_login_that_was_refused_is_not_tried_again_because_that_locks_accounts() -> None:
    with serving([Reply({"error": "invalid_client"}, 401)]) as server:
        one = client(CLIENT, server.url)
        for where in ("tap-probe: things", "tap-probe: others"):
            with pytest.raises(ConfigError, match=f"{where}: 401 from POST /token, the login is refused") as fault:
                one.send("GET", f"{server.url}/x", where=where)
            assert fault.value.cure == "renew client_id and client_secret"
    assert len(server.calls) == 1


def test_a_password_that_was_refused_at_first_is_not_sent_again_and_a_key_is() -> None:
    for auth, calls in ((basic("client_id", "client_secret"), 1), (bearer("client_secret"), 2)):
        with serving([Reply({}, 401), Reply({}, 401)]) as server:
            one = client(auth, server.url)
            for _ in range(2):
                with pytest.raises(ConfigError, match=r"401 from GET /x\. Next: renew"):
                    one.send("GET", f"{server.url}/x")
            assert len(server.calls) == calls


def test_a_login_without_a_token_is_told() -> None:
    with serving([Reply({"error": "invalid_scope"})]) as server, pytest.raises(ContractError, match="no access_token"):
        client(CLIENT, server.url).send("GET", f"{server.url}/x")


def test_a_login_that_is_down_is_tried_again() -> None:
    with serving([Reply({}, 503)]) as server, pytest.raises(RetryLater, match="503 from POST /token, 3 tries"):
        client(CLIENT, server.url).send("GET", f"{server.url}/x")
    assert len(server.calls) == 3


def test_a_missing_setting_is_told_by_its_name() -> None:
    with pytest.raises(ConfigError, match="tap-probe: setting client_id is missing"):
        Client("tap-probe", auth=CLIENT, config={})


def test_no_token_and_no_secret_reaches_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(Issuer(uses=1)) as server:
        one = client(REFRESH, server.url)
        one.send("GET", f"{server.url}/x")
        one.send("GET", f"{server.url}/x")
    said = "access-1 access-2 refresh-0 refresh-1 refresh-2 sesame+open/now sesame%2Bopen%2Fnow"
    assert redact.scrub(said) == " ".join(["***"] * 7)
    assert not any(word in caplog.text for word in said.split())


# ------------------------------------------------------------------ refresh tokens that rotate


def test_a_rotated_refresh_token_is_kept_for_the_next_run(state: Path) -> None:
    with serving(Issuer(expires_in=0)) as server:
        for number in (1, 2, 3):
            answer = client(REFRESH, server.url).send("GET", f"{server.url}/x")
            assert answer.document["token"] == f"access-{number}"
    (kept,) = (state / "tokens").glob("*.json")
    assert json.loads(kept.read_text())["refresh"] == "refresh-3"
    assert kept.stat().st_mode & 0o077 == 0
    assert (state / "tokens").stat().st_mode & 0o077 == 0


def test_an_access_token_that_still_holds_is_used_by_the_next_run() -> None:
    with serving(Issuer()) as server:
        for _ in range(2):
            assert client(REFRESH, server.url).send("GET", f"{server.url}/x").document["token"] == "access-1"
    assert sum(call.path == "/token" for call in server.calls) == 1


def test_a_refresh_token_that_does_not_rotate_is_used_again() -> None:
    with serving(Issuer(expires_in=0, rotates=False)) as server:
        for _ in range(3):
            client(REFRESH, server.url).send("GET", f"{server.url}/x")
    assert [call.form["refresh_token"] for call in server.calls if call.path == "/token"] == ["refresh-0"] * 3


def test_a_new_token_in_the_setting_begins_a_new_line() -> None:
    issuer = Issuer(expires_in=0)
    with serving(issuer) as server:
        client(REFRESH, server.url).send("GET", f"{server.url}/x")
        issuer.refresh = "given-anew"
        config = {**KEYS, "url": server.url, "refresh_token": "given-anew"}
        assert client(REFRESH, server.url, config=config).send("GET", f"{server.url}/x").document["token"] == "access-2"


def test_a_spent_refresh_token_is_told_by_its_setting() -> None:
    issuer = Issuer()
    issuer.refresh = "another"
    with serving(issuer) as server, pytest.raises(ConfigError) as fault:
        client(REFRESH, server.url).send("GET", f"{server.url}/x")
    assert "the login is refused (invalid_grant). Next: renew client_id and client_secret and refresh_token" in str(
        fault.value
    )


def test_no_token_is_spent_when_the_next_could_not_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path / "file"))
    with serving(Issuer()) as server, pytest.raises(ConfigError, match="set SNELLO_STATE to a folder"):
        client(REFRESH, server.url).send("GET", f"{server.url}/x")
    assert server.calls == []


PROGRAM = """
    import sys
    from snello.kit.http import Client, oauth2_refresh
    config = {"client_id": "snello", "client_secret": "s", "refresh_token": "refresh-0", "url": sys.argv[1]}
    client = Client("tap-probe", auth=oauth2_refresh("{url}/token"), config=config)
    for _ in range(20):
        client.send("GET", sys.argv[1] + "/x")
"""


def test_processes_that_refresh_at_once_spend_each_token_once() -> None:
    with serving(Issuer(uses=6)) as server:
        command = [sys.executable, "-c", textwrap.dedent(PROGRAM), server.url]
        runs = [subprocess.Popen(command, env={**os.environ}) for _ in range(2)]
        assert [run.wait(120) for run in runs] == [0, 0]
    spent = [call.form["refresh_token"] for call in server.calls if call.path == "/token"]
    assert spent == [f"refresh-{number}" for number in range(len(spent))]
    assert len(spent) >= 7


# ------------------------------------------------------------------ signed assertions


@pytest.fixture(scope="module")
def key() -> tuple[str, Any]:
    private = rsa.generate_private_key(65537, 2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private.private_bytes(*form).decode(), private.public_key()


def test_an_assertion_is_exchanged_for_a_token(key: tuple[str, Any]) -> None:
    auth = signed_jwt("key", "client_id", "{url}/token", subject="user", token_url="{url}/token", scope="read")
    with serving(Issuer()) as server:
        config = {**KEYS, "url": server.url, "key": key[0].replace("\n", "\\n")}
        assert client(auth, server.url, config=config).send("GET", f"{server.url}/x").document == {"token": "access-1"}
    form = server.calls[0].form
    claims = jwt.decode(form["assertion"], key[1], ["RS256"], audience=f"{server.url}/token")
    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert (claims["iss"], claims["sub"], claims["scope"]) == ("snello", "ada", "read")
    assert claims["exp"] - claims["iat"] == 300


def test_an_assertion_may_be_the_token_itself(key: tuple[str, Any]) -> None:
    with serving([Reply({})]) as server:
        config = {**KEYS, "key": key[0]}
        client(signed_jwt("key", "client_id", "acme"), server.url, config=config).send("GET", server.url)
    token = server.calls[0].headers["Authorization"].removeprefix("Bearer ")
    assert jwt.decode(token, key[1], ["RS256"], audience="acme")["iss"] == "snello"


def test_a_key_that_is_none_is_told_without_it() -> None:
    config = {**KEYS, "key": "no-key-at-all"}
    with serving([Reply({})]) as server, pytest.raises(ConfigError) as fault:
        client(signed_jwt("key", "client_id", "acme"), server.url, config=config).send("GET", server.url)
    assert "setting key is no key that signs with RS256" in str(fault.value)
    assert "no-key-at-all" not in str(fault.value)


# ------------------------------------------------------------------ sessions


def door(ends_after: int = 1000, cookie: bool = False) -> Callable[[Call], Reply]:
    """An interface with a login of its own; a session ends after some requests."""
    seen: dict[str, int] = {}

    def answer(call: Call) -> Reply:
        if call.path == "/login":
            session = f"session-{len(seen) + 1}"
            seen[session] = 0
            given = call.json if call.body.startswith(b"{") else call.form
            if given != {"login": "ada", "password": "pass-of-ada"}:
                return Reply({}, 401)
            return Reply({"data": {"token": session}}, headers=[("Set-Cookie", f"sid={session}")] if cookie else [])
        shown = call.headers.get("Cookie", "").removeprefix("sid=") if cookie else call.headers.get("X-Session", "")
        session = shown.removeprefix("Token ")
        if session not in seen or seen[session] >= ends_after:
            return Reply({}, 401)
        seen[session] += 1
        return Reply({"session": session})

    return answer


@pytest.mark.parametrize("form", [False, True])
def test_a_session_begins_with_a_login_and_is_renewed_when_it_ends(form: bool) -> None:
    auth = session_login("/login", token="$.data.token", header="X-Session", value="Token {token}", form=form)
    with serving(door(ends_after=2)) as server:
        one = client(auth, server.url)
        found = [one.send("GET", f"{server.url}/x").document["session"] for _ in range(4)]
    assert found == ["session-1", "session-1", "session-2", "session-2"]


def test_a_session_may_live_in_a_cookie() -> None:
    with serving(door(ends_after=2, cookie=True)) as server:
        one = client(session_login("{url}/login"), server.url)
        found = [one.send("GET", f"{server.url}/x").document["session"] for _ in range(3)]
    assert found == ["session-1", "session-1", "session-2"]


def test_a_wrong_password_is_told_by_its_setting() -> None:
    auth = session_login("/login", token="$.token")
    with serving(door()) as server, pytest.raises(ConfigError) as fault:
        client(auth, "", config={**KEYS, "url": server.url, "password": "wrong-one"}).send("GET", server.url)
    assert "401 from POST /login, the login is refused. Next: renew user and password." in str(fault.value)


def test_a_login_whose_token_is_elsewhere_is_told() -> None:
    with serving(door()) as server, pytest.raises(ContractError, match=r"holds no token at \$\.token"):
        client(session_login("/login", token="$.token"), server.url).send("GET", server.url)


def renewing(refuses: Reply | None = None) -> Callable[[Call], Reply]:
    """An interface whose sessions end after one request, and are renewed once each without the password."""
    count, spent = [0], set[str]()

    def answer(call: Call) -> Reply:
        if call.path == "/login":
            return begun()
        shown = call.headers.get("Authorization", "").removeprefix("Bearer ")
        if call.path == "/renew":
            refused = refuses or Reply({"error": "ExpiredToken"}, 400)
            return begun() if refuses is None and shown == f"renews-{count[0]}" else refused
        if shown in spent or not shown.startswith("session-"):
            return Reply({}, 401)
        spent.add(shown)
        return Reply({"session": shown})

    def begun() -> Reply:
        count[0] += 1
        return Reply({"token": f"session-{count[0]}", "renews": f"renews-{count[0]}"})

    return answer


@pytest.mark.parametrize(
    ("refuses", "logins"), [(None, 1), (Reply({"error": "ExpiredToken"}, 400), 3), (Reply({"said": "nothing"}), 3)]
)
def test_a_session_is_renewed_without_the_password_and_begun_anew_where_that_is_refused(
    refuses: Reply | None, logins: int
) -> None:
    auth = session_login("/login", token="$.token", renewal=("/renew", "$.renews"))
    with serving(renewing(refuses)) as server:
        one = client(auth, server.url)
        found = [one.send("GET", f"{server.url}/x").document["session"] for _ in range(3)]
    assert found == ["session-1", "session-2", "session-3"]
    assert [call.path for call in server.calls].count("/login") == logins


@pytest.mark.parametrize(("code", "told"), [("AccountTakedown", " (AccountTakedown)"), ("SomethingElse", "")])
def test_a_login_that_is_refused_tells_the_codes_that_may_be_told(code: str, told: str) -> None:
    auth = session_login("/login", token="$.token", codes={"AccountTakedown"})
    with serving(lambda call: Reply({"error": code}, 401)) as server, pytest.raises(ConfigError) as fault:
        client(auth, server.url).send("GET", server.url)
    assert f"the login is refused{told}. Next: renew user and password." in str(fault.value)


# ------------------------------------------------------------------ sessions of an odd kind


def says_no(answer: Answer, where: str, settings: tuple[str, ...]) -> None:
    """As interfaces do that refuse a login inside a 200."""
    if answer.document.get("error"):
        raise ConfigError(where, f"{answer.status} from {answer.place}: no", f"renew {' and '.join(settings)}")


def shown(auth: Any, answers: list[Reply], times: int = 1, **given: Any) -> list[Call]:
    """The requests of so many calls, and of the logins that they took."""
    with serving(answers) as server:
        one = client(auth, server.url, **given)
        for _ in range(times):
            one.send("POST", f"{server.url}/x", json={"call": "list", "size": 5})
    return server.calls


def test_a_refusal_inside_a_success_is_told_by_who_knows_it() -> None:
    auth = session_login("/login", token="$.token", check=says_no)
    with pytest.raises(ConfigError) as fault:
        shown(auth, [Reply({"error": "canary@aurora.example", "token": "a"})])
    assert str(fault.value) == "tap-probe: things: 200 from POST /login: no. Next: renew user and password."


@pytest.mark.parametrize("refusal", [Reply({"error": "no"}), Reply({"odd": 1}), Reply({}, 401), Reply({}, 400)])
def test_a_login_that_is_refused_in_whatever_way_is_not_tried_again(refusal: Reply) -> None:
    auth = session_login("/login", token="$.token", check=says_no)
    with serving([refusal]) as server:
        one = client(auth, server.url)
        for _ in range(3):
            with pytest.raises((ConfigError, ContractError)):
                one.send("GET", f"{server.url}/x")
    assert [call.path for call in server.calls] == ["/login"]


def test_a_login_of_which_the_network_made_nothing_is_tried_again() -> None:
    auth = session_login("/login", token="$.token")
    calls = shown(auth, [Reply({}, 503), Reply({"token": "a"}), Reply({})])
    assert [call.path for call in calls] == ["/login", "/login", "/x"]


def test_a_renewal_that_is_refused_inside_a_success_is_followed_by_a_login() -> None:
    auth = session_login("/login", token="$.token", renewal=("/renew", "$.renews"), check=says_no)
    begun = Reply({"token": "a", "renews": "r"})
    calls = shown(auth, [begun, Reply({}, 401), Reply({"error": "no"}), begun, Reply({})])
    assert [call.path for call in calls] == ["/login", "/x", "/renew", "/login", "/x"]


@pytest.mark.parametrize(
    ("headers", "sent"),
    [([("X-Begun", "abc")], ("Bearer abc", None)), ([("Set-Cookie", "sid=abc")], (None, "sid=abc"))],
)
def test_a_token_may_come_in_a_header_or_else_in_a_cookie(
    headers: list[tuple[str, str]], sent: tuple[str | None, str | None]
) -> None:
    _, call = shown(session_login("/login", token="x-begun"), [Reply({}, headers=headers), Reply({})])
    assert (call.headers.get("Authorization"), call.headers.get("Cookie")) == sent


def test_a_token_may_be_made_of_the_answer_and_of_settings() -> None:
    auth = session_login(
        "/login", token=lambda answer, given: f"{given['user']}:{answer.document['key']}", value="Session {token}"
    )
    _, call = shown(auth, [Reply({"key": 7}), Reply({})])
    assert call.headers["Authorization"] == "Session ada:7"
    assert redact.scrub("it was ada:7") == "it was ***"


def test_an_answer_of_which_no_token_can_be_made_is_told() -> None:
    with pytest.raises(ContractError, match=r"the answer of POST /login holds no token\. Next: "):
        shown(session_login("/login", token=lambda answer, given: None), [Reply({"key": 7})])


def test_what_is_sent_may_be_made_of_the_filled_body() -> None:
    who = {"name": "{user}", "hash": "{password}"}
    auth = session_login("/login", who, "$.token", wrap=lambda who: {"query": "{ a }", "variables": who})
    login, _ = shown(auth, [Reply({"token": "a"}), Reply({})])
    assert login.json == {"query": "{ a }", "variables": {"name": "ada", "hash": "pass-of-ada"}}


def test_a_token_may_go_inside_the_form_that_a_request_is_sent_as() -> None:
    auth = session_login(
        "/login", token="$.token", inside=lambda sent, token: {"do": sent["call"], "with": json.dumps([token, sent])}
    )
    _, refused, call = shown(auth, [Reply({"token": "a"}), Reply({}, 503), Reply({})])
    assert call.form == refused.form == {"do": "list", "with": '["a", {"call": "list", "size": 5}]'}
    assert call.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in call.headers
