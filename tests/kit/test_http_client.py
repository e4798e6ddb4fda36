from __future__ import annotations

import logging
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme
from tests.kit.http_server import Call, Reply, serving

from snello.errors import ConfigError, ContractError, RetryLater, SnelloError
from snello.kit.http import Answer, Client, Expired, Retry, Transient, api_key, basic, bearer

CANARY = "canary.person@aurora.example"
QUICK = Retry(tries=3, first=0.001, longest=1.0)
KEYS = {"user": "reader", "token": "hunter22-token"}


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNELLO_STATE", str(tmp_path / "state"))


def client(**given: Any) -> Client:
    return Client("tap-probe: things", **{"retry": QUICK, "config": KEYS} | given)


def fault_of(answers: Any, url: str = "/v1/things?name=" + CANARY, **given: Any) -> tuple[SnelloError, int]:
    """What the client raises, and how many requests it took."""
    with serving(answers) as server, pytest.raises(SnelloError) as fault:
        client(**given).send("GET", server.url + url)
    assert CANARY not in str(fault.value)
    assert "hunter22" not in str(fault.value)
    return fault.value, len(server.calls)


# ------------------------------------------------------------------ requests and answers


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        (basic("user", "token"), "Authorization", "Basic cmVhZGVyOmh1bnRlcjIyLXRva2Vu"),
        (bearer("token"), "Authorization", "Bearer hunter22-token"),
        (api_key("token"), "X-Api-Key", "hunter22-token"),
        (api_key("token", header="Api", prefix="key "), "Api", "key hunter22-token"),
    ],
)
def test_credentials_travel_in_their_header(auth: Any, header: str, value: str) -> None:
    with serving([Reply([])]) as server:
        client(auth=auth).send("GET", server.url)
    assert server.calls[0].headers[header] == value


def test_a_key_may_travel_as_a_parameter_beside_others() -> None:
    with serving([Reply([])]) as server:
        client(auth=api_key("token", param="key")).send("GET", server.url + "/x?a=1", params={"b": "2"})
    assert server.calls[0].query == {"a": "1", "b": "2", "key": "hunter22-token"}


def test_an_answer_knows_its_document_its_place_and_its_links() -> None:
    links = [("Link", '</v1/things?page=2>; rel="next", <https://other.example/last>; rel="last"')]
    with serving([Reply([{"id": 1}], headers=links)]) as server:
        answer = client().send("GET", f"{server.url}/v1/things?page=1")
    assert answer.document == [{"id": 1}]
    assert (answer.place, answer.path, answer.status) == ("GET /v1/things", "/v1/things", 200)
    assert answer.links == {"next": f"{server.url}/v1/things?page=2", "last": "https://other.example/last"}
    assert answer.headers["content-TYPE"] == "application/json"


def test_bodies_travel_as_json_and_as_forms() -> None:
    with serving([Reply(status=204)]) as server:
        assert client().send("POST", server.url, json={"a": 1}).document is None
        client().send("PUT", server.url, data={"a": "1"})
    assert (server.calls[0].json, server.calls[0].headers["Content-Type"]) == ({"a": 1}, "application/json")
    assert (server.calls[1].method, server.calls[1].form) == ("PUT", {"a": "1"})


def test_the_client_says_who_it_is_and_reuses_its_connection() -> None:
    with serving([Reply([])]) as server:
        one = client()
        for _ in range(3):
            one.send("GET", server.url)
        agent = server.calls[0].headers["User-Agent"]
    assert agent.startswith("snello/")
    assert agent.endswith(" tap-probe")
    assert one.calls == 3


def test_another_decoder_makes_the_document() -> None:
    with serving([Reply(b"a;b", headers=[("Content-Type", "text/csv")])]) as server:
        assert client().send("GET", server.url, decode=lambda content: content.split(b";")).document == [b"a", b"b"]
        assert client(decode=bytes).send("GET", server.url).document == b"a;b"


def test_a_mark_before_the_json_is_passed_over() -> None:
    with serving([Reply(b'\xef\xbb\xbf{"a": 1}')]) as server:
        assert client().send("GET", server.url).document == {"a": 1}


def test_threads_share_a_client() -> None:
    gate = threading.Barrier(4, timeout=30)

    def answer(call: Call) -> Reply:
        gate.wait()
        return Reply(call.query)

    with serving(answer) as server, ThreadPoolExecutor(4) as pool:
        one = client(workers=4)
        numbers = [str(n) for n in range(8)]
        found = list(pool.map(lambda n: one.send("GET", server.url, params={"n": n}).document["n"], numbers))
    assert found == numbers
    assert one.calls == 8


def test_netrc_lends_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login x password y")
    monkeypatch.setenv("HOME", str(tmp_path))
    with serving([Reply([])]) as server:
        client().send("GET", server.url)
    assert "Authorization" not in server.calls[0].headers


# ------------------------------------------------------------------ checks


def test_a_check_may_ask_for_another_try() -> None:
    def check(answer: Answer) -> None:
        if answer.document.get("busy"):
            raise Transient("the interface is busy")

    with serving([Reply({"busy": True}), Reply({"rows": 1})]) as server:
        assert client(check=check).send("GET", server.url).document == {"rows": 1}
    with serving([Reply({"busy": True})]) as server, pytest.raises(RetryLater, match="is busy, 3 tries"):
        client().send("GET", server.url, check=check)


def test_what_a_check_refuses_leaves_at_once() -> None:
    def check(answer: Answer) -> None:
        raise ContractError("tap-probe", "an error inside a good status", "look")

    fault, calls = fault_of([Reply({})], check=check)
    assert (type(fault), calls) == (ContractError, 1)


def test_a_fixed_credential_that_a_check_finds_expired_is_told_by_its_settings() -> None:
    def check(answer: Answer) -> None:
        raise Expired("the session has ended")

    fault, calls = fault_of([Reply({})], auth=basic("user", "token"), check=check)
    assert str(fault) == (
        "tap-probe: things: the session has ended. Next: renew user and token, or give them the right to read."
    )
    assert (type(fault), calls) == (ConfigError, 1)


# ------------------------------------------------------------------ statuses


@pytest.mark.parametrize(
    ("status", "kind", "told", "tries"),
    [
        (400, ContractError, "400 from GET /v1/things. Next: check that the server's version", 1),
        (401, ConfigError, "401 from GET /v1/things. Next: renew user and token, or give them the right to read", 1),
        (403, ConfigError, "403 from GET /v1/things. Next: renew user and token, or give them the right to read", 1),
        (404, ConfigError, "404 from GET /v1/things. Next: check the URL: the interface is not there", 1),
        (304, ConfigError, "304 from GET /v1/things. Next: check the URL", 1),
        (408, RetryLater, "408 from GET /v1/things, 3 tries. Next: run again later: nothing is lost.", 3),
        (429, RetryLater, "429 from GET /v1/things, 3 tries. Next: run again later: nothing is lost.", 3),
        (500, RetryLater, "500 from GET /v1/things, 3 tries.", 3),
    ],
)
def test_a_status_is_told_with_its_cure_and_without_the_content(
    status: int, kind: type[SnelloError], told: str, tries: int
) -> None:
    fault, calls = fault_of([Reply({"message": CANARY}, status)], auth=basic("user", "token"))
    assert (type(fault), calls) == (kind, tries)
    assert str(fault).startswith(f"tap-probe: things: {told}")


def test_a_missing_scope_is_named() -> None:
    challenge = [("WWW-Authenticate", 'Bearer realm="x", error="insufficient_scope", scope="orders.read"')]
    fault, _ = fault_of([Reply({}, 403, challenge)], auth=bearer("token"))
    assert str(fault) == (
        'tap-probe: things: 403 from GET /v1/things: the credentials lack the scope "orders.read". '
        "Next: give token that right."
    )


def test_a_call_may_have_a_name_of_its_own_in_messages() -> None:
    with serving([Reply({}, 404)]) as server, pytest.raises(ConfigError) as fault:
        client().send("GET", f"{server.url}/people/{CANARY}", where="tap-probe: people", place="/people/{id}")
    assert str(fault.value).startswith("tap-probe: people: 404 from GET /people/{id}. Next:")


def test_a_web_page_is_no_data() -> None:
    page = Reply(f"<html>{CANARY}</html>".encode(), headers=[("Content-Type", "text/html; charset=utf-8")])
    fault, calls = fault_of([page])
    assert (type(fault), calls) == (ContractError, 1)
    assert "a web page came instead of data from GET /v1/things" in str(fault)


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(b'[{"id": 1, "na'), "the answer of GET /v1/things is not whole JSON, 3 tries"),
        (Reply(b""), "the answer of GET /v1/things is not whole JSON, 3 tries"),
        (Reply([1, 2, 3], cut=3), "no whole answer from the server (ChunkedEncodingError), 3 tries"),
        (Reply(b"no gzip", headers=[("Content-Encoding", "gzip")]), "the answer's compression is damaged, 3 tries"),
    ],
)
def test_an_answer_that_is_not_whole_is_asked_for_again(reply: Reply, told: str) -> None:
    fault, calls = fault_of([reply])
    assert (type(fault), calls) == (RetryLater, 3)
    assert told in str(fault)


# ------------------------------------------------------------------ redirects


def test_a_redirect_within_the_host_is_followed_with_the_credentials() -> None:
    with serving([Reply({}, 301, [("Location", "/v2/things?page=1")]), Reply([7])]) as server:
        answer = client(auth=bearer("token")).send("GET", f"{server.url}/v1/things")
    assert (answer.document, answer.path) == ([7], "/v2/things")
    assert server.calls[1].headers["Authorization"] == "Bearer hunter22-token"


def test_credentials_never_go_to_another_host() -> None:
    with serving([Reply([])]) as other:
        fault, calls = fault_of([Reply({}, 302, [("Location", f"{other.url}/steal")])], auth=bearer("token"))
    assert "GET /v1/things is redirected to another host" in str(fault)
    assert (type(fault), calls, other.calls) == (ConfigError, 1, [])


def test_what_writes_is_not_redirected() -> None:
    with (
        serving([Reply({}, 307, [("Location", "/there")])]) as server,
        pytest.raises(ConfigError, match="307"),
    ):
        client().send("POST", f"{server.url}/here", json={})
    assert len(server.calls) == 1


def test_redirects_in_circles_end() -> None:
    fault, calls = fault_of([Reply({}, 302, [("Location", "/v1/things")])])
    assert "the server redirects in circles" in str(fault)
    assert calls == 10


# ------------------------------------------------------------------ connections


def test_a_refused_connection_is_told() -> None:
    with pytest.raises(RetryLater) as fault:
        client().send("GET", "http://127.0.0.1:1/x")
    assert str(fault.value) == (
        "tap-probe: things: no whole answer from the server (ConnectionError), 3 tries. Next: see that the server runs "
        "and that the URL's port is its own: the connection is refused."
    )


def test_a_host_that_nobody_knows_is_told_by_its_name() -> None:
    with pytest.raises((ConfigError, RetryLater), match=r"no\.such\.host\.invalid"):
        client().send("GET", "http://no.such.host.invalid/x")


@pytest.mark.parametrize("url", ["no url", "ftp://example.it/x", "http://", "http://[::1/x"])
def test_an_address_that_is_none_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(ConfigError, match=r"no request possible .*Next: check the URL"):
        client().send("GET", url)


def test_silence_ends() -> None:
    fault, calls = fault_of([Reply([1], pause=5)], timeout=0.05)
    assert (str(fault).partition(". ")[0], calls) == ("tap-probe: things: no answer within 0.05 s, 3 tries", 3)


def test_a_trickle_ends() -> None:
    fault, calls = fault_of([Reply([0] * 2000, pause=0.02)], timeout=0.8, retry=Retry(tries=1))
    assert (str(fault).partition(". ")[0], calls) == ("tap-probe: things: the answer was not whole after 4 s", 1)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_companys_authority_is_honoured(
    authority: trustme.CA, tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for bundle in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(bundle, raising=False)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv(name, str(tmp_path / "ca.pem"))
    with serving([Reply([1])], tls) as server:
        assert client().send("GET", server.url).document == [1]


def test_a_certificate_that_does_not_verify_is_told_with_its_cure(tls: ssl.SSLContext) -> None:
    with serving([Reply([1])], tls) as server, pytest.raises(ConfigError) as fault:
        client().send("GET", server.url)
    host = server.url.partition("//")[2]
    assert str(fault.value).startswith(f"tap-probe: things: the certificate of {host} does not verify. Next: let")


def test_a_file_of_certificates_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/file.pem")
    with pytest.raises(ConfigError, match="the file of certificates cannot be read"):
        client().send("GET", "https://127.0.0.1:1/x")


def test_a_port_that_speaks_no_tls_is_told() -> None:
    with serving([Reply([1])]) as server, pytest.raises(RetryLater, match="check that the URL's port speaks https"):
        client().send("GET", server.url.replace("http:", "https:"))


def test_a_proxy_reads_nothing_that_travels_in_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with serving([Reply([1])]) as server:
        assert client().send("GET", server.url).document == [1]
    with pytest.raises(RetryLater, match="no way through the proxy"):
        client().send("GET", "https://aurora.example/x")


# ------------------------------------------------------------------ logs


def test_waits_are_told_without_address_or_content(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving([Reply({"x": CANARY}, 503), Reply([])]) as server:
        client(auth=bearer("token")).send("GET", f"{server.url}/v1/things", params={"q": CANARY})
    assert "tap-probe: things: 503 from GET /v1/things; asking again in" in caplog.text
    assert CANARY not in caplog.text
    assert "hunter22" not in caplog.text
