"""The login of tap-tryton, against what a Tryton server answers to it; the whole tap is tried on a real server."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from tests.kit.http_server import Reply, serving

from snello.errors import ConfigError, ContractError
from snello.kit import redact
from snello.kit.http import Client, Retry
from tap_tryton.session import SESSION

GIVEN = {"database": "shop", "user": "reader", "password": "sesame-sesame"}
SESSION_OF_READER = Reply({"id": 1, "result": [4, "key-of-a-session"]})


def client(url: str) -> Client:
    return Client("tap-tryton", auth=SESSION, config={**GIVEN, "url": f"{url}/"}, retry=Retry(tries=1))


def test_every_call_carries_login_number_and_key() -> None:
    with serving([SESSION_OF_READER, Reply({"result": []})]) as server:
        client(server.url).send("POST", f"{server.url}/shop/rpc/", json={"id": 1})
    login, call = server.calls
    question = {"id": 1, "method": "common.db.login", "params": ["reader", {"password": "sesame-sesame"}, "en"]}
    assert (login.path, login.json) == ("/shop/rpc/", question)
    shown = b64encode(b"reader:4:key-of-a-session").decode()
    assert call.headers["Authorization"] == f"Session {shown}"
    assert redact.scrub(f"sesame-sesame {shown} key-of-a-session") == "*** *** ***"


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (Reply({"id": 1}, 401), ConfigError, "401 from POST /shop/rpc/, the login is refused. Next: renew user and"),
        (Reply({"error": ["LoginException", ["x"]]}), ConfigError, "holds an error, code LoginException. Next: give"),
        (Reply({"error": ["UserError", ["x"]]}), ContractError, "holds an error, code UserError. Next: check"),
        (Reply({"id": 1, "result": None}), ContractError, "the answer of POST /shop/rpc/ holds no token. Next: check"),
        (Reply([]), ContractError, "the answer of POST /shop/rpc/ holds no token. Next: check"),
    ],
)
def test_a_login_that_fails_is_told_and_asked_for_once_a_run(answer: Reply, kind: Any, said: str) -> None:
    with serving([answer]) as server:
        one = client(server.url)
        for _ in range(2):
            with pytest.raises(kind) as fault:
                one.send("POST", f"{server.url}/shop/rpc/", json={"id": 1})
            assert said in str(fault.value)
    assert len(server.calls) == 1
