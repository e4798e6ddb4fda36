from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from graphql import GraphQLError, build_schema, graphql_sync
from pydantic import Field, SecretStr

from snello.kit.entry import entry
from snello.kit.rest import Answer, GraphQLStream, Request, RestSettings, RestTap, Retry, Row, Send, bearer, offset
from snello.kit.testing import Run, run

CANARY = "canary.person@aurora.example"
SCHEMA = build_schema("""
type Query { customers(first: Int!, after: String, since: String): Customers!  orders(skip: Int!, take: Int!): Orders! }
type Customers { nodes: [Customer!]! edges: [Edge!]! pageInfo: PageInfo! }
type Edge { node: Customer! cursor: String! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Customer { id: ID! email: String updatedAt: String! contact: Contact }
type Contact { phone: String }
type Orders { items: [Order!]! totalItems: Int! }
type Order { id: ID! total: Int! }
""")
CUSTOMERS = [
    {"id": str(n), "email": CANARY, "updatedAt": f"2026-01-{n:02d}T00:00:00Z", "contact": {"phone": "1"}}
    for n in range(1, 8)
]


class Root:
    """Resolvers, run by graphql-core against the schema above."""

    def customers(self, _info: Any, first: int, after: str | None = None, since: str | None = None) -> dict[str, Any]:
        rows = [row for row in CUSTOMERS if since is None or row["updatedAt"] >= since]
        start = int(after or 0)
        page = rows[start : start + first]
        return {
            "nodes": page,
            "edges": [{"node": row, "cursor": "x"} for row in page],
            "pageInfo": {"hasNextPage": start + first < len(rows), "endCursor": str(start + len(page))},
        }

    def orders(self, _info: Any, skip: int, take: int) -> dict[str, Any]:
        rows = [{"id": str(n), "total": n * 1999} for n in range(1, 6)]
        return {"items": rows[skip : skip + take], "totalItems": len(rows)}


class Throttled(Root):
    """Answers the second query with an error that passes."""

    def __init__(self, code: str, calls: int = 1) -> None:
        self.code, self.calls = code, calls

    def customers(self, _info: Any, first: int, after: str | None = None, since: str | None = None) -> dict[str, Any]:
        if after and self.calls:
            self.calls -= 1
            raise GraphQLError(f"no {CANARY}", extensions={"code": self.code})
        return super().customers(_info, first, after, since)


@contextmanager
def serving(root: Root) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(body["variables"])
            done = graphql_sync(SCHEMA, body["query"], root, variable_values=body["variables"])
            content = json.dumps(done.formatted).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/graphql", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Settings(RestSettings):
    """Settings of the probe."""

    url: str = Field(description="Address.")
    token: SecretStr = Field(SecretStr("hunter22-token"), description="Secret.")


class ShopStream(GraphQLStream):
    """What both lists share."""

    url_base, auth, retry = "{url}", bearer("token"), Retry(tries=3, first=0.01, longest=1.0)


class Customers(ShopStream):
    """One row a customer."""

    name, primary_keys, replication_key, since = "customers", ("id",), "updatedAt", "since"
    query = """query ($first: Int!, $after: String, $since: String) {
        customers(first: $first, after: $after, since: $since) {
            nodes { id email updatedAt contact { phone } } pageInfo { hasNextPage endCursor }
        }
    }"""
    connection, page_size = "$.data.customers", 3


class Edges(Customers):
    """The same, by its edges."""

    query = Customers.query.replace("nodes {", "edges { node {").replace("} } pageInfo", "} } } pageInfo")


class Orders(ShopStream):
    """One row an order, by numbers of rows."""

    name, primary_keys = "orders", ("id",)
    query = "query ($skip: Int!, $take: Int!) { orders(skip: $skip, take: $take) { items { id total } totalItems } }"
    paging = offset("skip", ("take", 2), total_rows="$.data.orders.totalItems", in_body=True)
    records_jsonpath = "$.data.orders.items[*]"


def read(stream: type[GraphQLStream], url: str, state: Any = None) -> Run:
    shown = {"type": ["string", "null"]}
    fields: dict[str, Any] = {"customers": {"id": shown, "email": shown, "updatedAt": {**shown, "format": "date-time"}}}
    properties = fields.get(stream.name or "", {"id": shown, "total": {"type": "integer"}})

    class Tap(RestTap):
        name, settings = "tap-probe", Settings

        def discover_streams(self) -> Any:
            quarantine, *_ = super().discover_streams()
            return [quarantine, stream(self, self, schema={"properties": properties})]

    done = run(entry(Tap), {"url": url}, state=state)
    assert "hunter22-token" not in done.err
    assert CANARY not in done.err
    return done


def ids(done: Run, stream: str = "customers") -> list[str]:
    return [row["id"] for row in done.records(stream)]


@pytest.mark.parametrize("stream", [Customers, Edges])
def test_a_connection_is_read_to_its_end_whether_by_nodes_or_by_edges(stream: type[GraphQLStream]) -> None:
    with serving(Root()) as (url, asked):
        done = read(stream, url)
    assert (done.code, ids(done)) == (0, [str(n) for n in range(1, 8)])
    assert [call.get("after") for call in asked] == [None, "3", "6"]
    assert done.records("customers")[0]["_extra"] == {"contact": {"phone": "1"}}


def test_the_moment_to_begin_is_a_variable_and_null_in_a_first_run() -> None:
    with serving(Root()) as (url, asked):
        first = read(Customers, url)
        asked.clear()
        second = read(Customers, url, first.state)
    assert asked[0]["since"] == "2026-01-06T23:59:00Z"
    assert ids(second) == []


def test_lists_by_number_of_rows_page_through_variables() -> None:
    with serving(Root()) as (url, asked):
        done = read(Orders, url)
    assert ids(done, "orders") == ["1", "2", "3", "4", "5"]
    assert [(call["skip"], call["take"]) for call in asked] == [(0, 2), (2, 2), (4, 2)]


@pytest.mark.parametrize(
    ("code", "calls", "exit_code", "told"),
    [
        ("THROTTLED", 1, 0, None),
        ("THROTTLED", 9, 4, "200 from POST /graphql holds an error, code THROTTLED, 3 tries"),
        ("ACCESS_DENIED", 9, 2, "code ACCESS_DENIED. Next: give token the right to read"),
        ("GRAPHQL_VALIDATION_FAILED", 9, 3, "code GRAPHQL_VALIDATION_FAILED. Next: check that the server's version"),
    ],
)
def test_an_error_inside_a_success_is_told_by_its_code(code: str, calls: int, exit_code: int, told: str | None) -> None:
    with serving(Throttled(code, calls)) as (url, _):
        done = read(Customers, url)
    assert done.code == exit_code
    if told is None:
        assert ids(done) == [str(n) for n in range(1, 8)]
    else:
        assert told in done.last_line
        assert "replication_key_value" not in json.dumps(done.state)


def test_a_walk_that_was_cut_off_goes_on_at_its_cursor() -> None:
    with serving(Throttled("THROTTLED", 9)) as (url, _):
        cut = read(Customers, url)
    with serving(Root()) as (url, asked):
        rest = read(Customers, url, cut.state)
    assert (ids(cut), ids(rest)) == (["1", "2", "3"], ["4", "5", "6", "7"])
    # the page before is looked at once more: were it another now, the walk would begin anew; at the end what changed
    # while nobody read is asked for
    assert [call.get("after") for call in asked] == [None, "3", "6", None]
    assert [call.get("since") for call in asked] == [None, None, None, "2026-01-06T23:59:00Z"]


def test_an_answer_without_the_connection_is_refused() -> None:
    class Wrong(Customers):
        """Asks for one thing and looks for another."""

        connection = "$.data.clients"

    with serving(Root()) as (url, _):
        done = read(Wrong, url)
    assert done.code == 3
    assert "holds no connection at $.data.clients" in done.last_line


def test_the_wait_for_a_fault_that_passes_is_read_out_of_the_answer() -> None:
    class Patient(Customers):
        """Knows how long a throttled answer asks to wait."""

        errors = replace(Customers.errors, wait=lambda document: 0.02 * len(document["errors"]))

    with serving(Throttled("THROTTLED")) as (url, _):
        done = read(Patient, url)
    assert (done.code, ids(done)) == (0, [str(n) for n in range(1, 8)])
    assert "code THROTTLED; asking again in 0.0 s" in done.err


def test_what_a_page_could_not_hold_is_asked_for_before_the_page_is_written() -> None:
    class Whole(Customers):
        """Asks for one thing more of each page."""

        def completed(self, rows: Sequence[Row], send: Send) -> Sequence[Row]:
            query = "query ($skip: Int!, $take: Int!) { orders(skip: $skip, take: $take) { totalItems } }"
            asked = {"query": query, "variables": {"skip": 0, "take": 1}}
            answer = send(Request("POST", self.address({}), json=asked))
            return [{**row, "orders": answer.document["data"]["orders"]["totalItems"]} for row in rows]

    with serving(Root()) as (url, _):
        done = read(Whole, url)
    assert [row["_extra"]["orders"] for row in done.records("customers")] == [5] * 7


def test_a_listing_may_come_in_another_way_than_by_pages() -> None:
    class Apart(Customers):
        """Has all rows of one answer, from the first moment on; pages them when there is a bookmark."""

        def apart(
            self, context: Mapping[str, Any], begin: Any, send: Send
        ) -> Iterator[tuple[Answer, list[Row]]] | None:
            return self._whole(send) if begin is None else None

        def _whole(self, send: Send) -> Iterator[tuple[Answer, list[Row]]]:
            asked = {"query": self.query, "variables": {"first": 100}}
            answer = send(Request("POST", self.address({}), json=asked))
            rows = self.rows(answer)
            yield answer, rows[:4]
            yield answer, rows[4:]

    with serving(Root()) as (url, asked):
        first = read(Apart, url)
        second = read(Apart, url, first.state)
    assert (ids(first), ids(second)) == ([str(n) for n in range(1, 8)], [])
    assert [call.get("first") for call in asked] == [100, 3]
    assert first.state["bookmarks"]["customers"]["replication_key_value"] == "2026-01-07T00:00:00+00:00"
