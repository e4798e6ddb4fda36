from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from tests.kit.http_server import Call, Reply, serving
from tests.kit.rest_probe import TOKEN, ids, read, stream, thing

from snello.kit.conformance import faulty
from snello.kit.rest import Auth, Paging, api_key, basic, bearer, cursor, next_link, page_number


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [
        (basic("user", "token"), "Authorization", "Basic cmVhZGVyOmh1bnRlcjIyLXRva2Vu"),
        (bearer("token"), "Authorization", "Bearer hunter22-token"),
        (api_key("token"), "X-Api-Key", "hunter22-token"),
        (api_key("token", header="Api"), "Api", "hunter22-token"),
    ],
)
def test_credentials_travel_in_their_header(auth: Auth, header: str, value: str) -> None:
    with serving(lambda call: Reply([thing(1)])) as server:
        assert read(server.url, stream(auth=auth), token=TOKEN).code == 0
    assert server.calls[0].headers[header] == value


def test_settings_fill_the_path_quoted_and_the_base_as_they_are() -> None:
    with serving(lambda call: Reply([thing(1)])) as server:
        read(server.url + "/", stream(path="/shelves/{shelf}/things", params="order=asc&x=1"))
    assert [(call.path, call.query) for call in server.calls] == [
        ("/v1/shelves/a%2Fb/things", {"order": "asc", "x": "1"})
    ]


def test_a_parameter_may_stand_in_a_request_more_than_once() -> None:
    asked = "expand=lines&expand=refunds&note=&order=asc"
    with serving([Reply([thing(1)]), Reply([])]) as server, faulty(server.url) as proxy:
        read(proxy.url, stream(params=asked, paging=page_number()))
    assert [seen.query for seen in proxy.requests] == [f"{asked}&page={number}" for number in (1, 2)]


# ------------------------------------------------------------------ pages


@pytest.mark.parametrize("in_header", [True, False])
def test_next_links_are_followed_as_they_are(in_header: bool) -> None:
    def answer(call: Call) -> Reply:
        page = int(call.query.get("p", "1"))
        link = f"/v1/things?p={page + 1}" if page < 3 else None
        headers = [("Link", f'<{link}>; rel="next"')] if link and in_header else []
        return Reply({"data": [thing(page)], "links": {"next": link}}, headers=headers)

    paging = next_link() if in_header else next_link("$.links.next")
    with serving(answer) as server:
        done = read(server.url, stream(paging=paging, records_jsonpath="$.data[*]"))
    assert ids(done) == [1, 2, 3]


CIRCLES: dict[str, tuple[Paging, Callable[[Call], Reply]]] = {
    "page 2 repeats": (page_number(), lambda call: Reply([thing(1), thing(2)])),
    "points back": (
        cursor("$.next", param="after"),
        lambda call: Reply({"data": [thing(len(call.query))], "next": "again", "at": call.query.get("after")}),
    ),
    "another server": (
        next_link("$.next"),
        lambda call: Reply({"data": [thing(1)], "next": "http://elsewhere.example/v1/things?page=2"}),
    ),
}


@pytest.mark.parametrize("circle", CIRCLES)
def test_a_walk_in_circles_is_refused_and_leaves_no_bookmark(circle: str) -> None:
    paging, answer = CIRCLES[circle]
    with serving(answer) as server:
        rows_at = "$[*]" if circle.startswith("page") else "$.data[*]"
        done = read(server.url, stream(paging=paging, records_jsonpath=rows_at, replication_key="changed_at"))
    assert done.code == 3
    assert circle in done.last_line
    assert "replication_key_value" not in json.dumps(done.state)
    assert len(server.calls) <= 3
