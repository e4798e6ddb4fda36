"""The stand-in for Vendure's Admin API: its contract, and the same answers as a real server gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from graphql import GraphQLObjectType, build_client_schema, get_introspection_query
from tests.servers.vendure import PASSWORD as REAL_PASSWORD
from tests.servers.vendure import USER as REAL_USER
from tests.servers.vendure import Vendure, own_vendure

from snello.sandbox.emulators import serve
from snello.sandbox.emulators.vendure import API_KEY, PASSWORD, ROOT, USER, vendure
from snello.sandbox.emulators.vendure_schema import SCHEMA

__all__ = ["own_vendure"]

LOGIN = (
    "mutation($u: String!, $p: String!) "
    "{ login(username: $u, password: $p) { __typename ... on ErrorResult { errorCode message } } }"
)
ORDERS = "query($o: OrderListOptions) { orders(options: $o) { totalItems items { id updatedAt orderPlacedAt } } }"
CHANNEL = """mutation($i: CreateChannelInput!) { createChannel(input: $i) { ... on Channel { id } } }"""
ZONES = "{ zones { items { id } } }"

Found = tuple[int, dict[str, Any]]


class Asker:
    """Asks either server the same questions."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url, self.user, self.password = url, user, password
        self.session = requests.Session()

    def ask(self, query: str, session: Any = requests, **given: Any) -> requests.Response:
        body = {"query": query, "variables": given.pop("variables", {})}
        found: requests.Response = session.post(f"{self.url}/admin-api", json=body, timeout=30, **given)
        return found

    def login(self, password: str | None = None) -> requests.Response:
        given = {"u": self.user, "p": self.password if password is None else password}
        return self.ask(LOGIN, self.session, variables=given)

    def orders(self, **options: Any) -> requests.Response:
        return self.ask(ORDERS, self.session, variables={"o": options})

    def found(self, **options: Any) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.orders(**options).json()["data"]["orders"]["items"]
        return rows


@pytest.fixture
def here() -> Iterator[Asker]:
    with serve(vendure()) as url:
        yield Asker(url, USER, PASSWORD)


def form(answer: requests.Response) -> tuple[Any, ...]:
    """What a client sees of an answer, whatever the rows are."""
    document = answer.json()
    codes = [fault["extensions"]["code"] for fault in document.get("errors", [])]
    headers = [name in answer.headers for name in ("vendure-auth-token", "Set-Cookie")]
    return answer.status_code, sorted(document), codes, document.get("data"), headers


def of_faults(asker: Asker) -> dict[str, tuple[Any, ...]]:
    """The forms of answers to what is wrong, and to a login."""
    found = {
        "nobody": asker.ask("{ orders { totalItems } }"),
        "a stranger": asker.ask("{ orders { totalItems } }", headers={"Authorization": "Bearer none"}),
        "a wrong key": asker.ask("{ orders { totalItems } }", headers={"vendure-api-key": "none"}),
        "unknown field": asker.ask("{ orders { noSuch } }"),
        "no query": asker.ask(""),
        "no GraphQL": asker.ask("{ orders {"),
        "a wrong password": asker.login("wrong"),
        "a login": asker.login(),
        "too many": asker.orders(take=1001),
        "an unknown channel": asker.ask(ORDERS, asker.session, headers={"vendure-token": "none"}),
    }
    return {name: form(answer) for name, answer in found.items()}


def test_faults_are_told_inside_a_200_but_for_those_of_the_question(here: Asker) -> None:
    found = {name: (status, codes) for name, (status, _, codes, _, _) in of_faults(here).items()}
    assert found == {
        "nobody": (200, ["FORBIDDEN"]), "a stranger": (200, ["FORBIDDEN"]), "a wrong key": (200, ["FORBIDDEN"]),
        "unknown field": (400, ["GRAPHQL_VALIDATION_FAILED"]), "no query": (400, ["BAD_REQUEST"]),
        "no GraphQL": (400, ["GRAPHQL_PARSE_FAILED"]), "a wrong password": (200, []), "a login": (200, []),
        "too many": (200, ["USER_INPUT_ERROR"]), "an unknown channel": (200, ["CHANNEL_NOT_FOUND"]),
    }  # fmt: skip


def test_whoever_comes_with_a_session_that_is_none_gets_one_of_nobody(here: Asker) -> None:
    asked = "{ orders { totalItems } }"
    token = here.ask(asked, headers={"Authorization": "Bearer none"}).headers["vendure-auth-token"]
    again = here.ask(asked, headers={"Authorization": f"Bearer {token}"})
    assert again.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_pages_are_cut_by_skip_and_take_and_every_page_tells_the_total(here: Asker) -> None:
    here.login()
    pages = [here.orders(skip=skip, take=25, sort={"id": "ASC"}).json()["data"]["orders"] for skip in (0, 25, 50, 75)]
    assert [len(page["items"]) for page in pages] == [25, 25, 10, 0]
    assert {page["totalItems"] for page in pages} == {60}
    assert [row["id"] for page in pages for row in page["items"]] == [str(number) for number in range(1, 61)]


def test_after_is_exclusive_on_whole_seconds(here: Asker) -> None:
    here.login()
    assert_exclusive(here)


def assert_exclusive(asker: Asker) -> None:
    last = max(row["updatedAt"] for row in asker.found())
    of_it = [row for row in asker.found() if row["updatedAt"] == last]
    second = last.replace(".000Z", ".999Z")
    assert asker.found(filter={"updatedAt": {"after": last}}) == []
    assert asker.found(filter={"updatedAt": {"after": second}}) == []
    either = {"_or": [{"updatedAt": {"eq": last}}, {"orderPlacedAt": {"after": "2999-01-01T00:00:00.000Z"}}]}
    assert len(asker.found(filter=either)) in (0, len(of_it))


def test_a_key_counts_where_the_server_takes_keys() -> None:
    asked = "{ orders { totalItems } }"
    for methods, seen in ((("bearer",), False), (("api-key",), True)):
        with serve(vendure(methods=methods)) as url:
            answer = Asker(url, USER, PASSWORD).ask(asked, headers={"vendure-api-key": API_KEY}).json()
            assert ("errors" not in answer) is seen


def test_a_path_that_is_none_is_a_404_in_json(here: Asker) -> None:
    answer = requests.post(f"{here.url}/no-such", json={}, timeout=30)
    assert (answer.status_code, answer.json()["statusCode"]) == (404, 404)
    assert ROOT == "/admin-api"


# ------------------------------------------------------------ beside a real server


@pytest.fixture
def there(own_vendure: Vendure) -> Asker:
    zone = own_vendure.admin(ZONES)["items"][0]["id"]
    channel = {"code": "outlet", "token": "outlet", "defaultLanguageCode": "en", "pricesIncludeTax": True}
    zones = {"defaultTaxZoneId": zone, "defaultShippingZoneId": zone, "defaultCurrencyCode": "EUR"}
    own_vendure.admin(CHANNEL, i=channel | zones)
    return Asker(own_vendure.url, REAL_USER, REAL_PASSWORD)


@pytest.mark.real
def test_a_real_server_answers_faults_in_the_same_form(here: Asker, there: Asker) -> None:
    assert of_faults(here) == of_faults(there)


@pytest.mark.real
def test_a_real_server_filters_and_pages_in_the_same_way(there: Asker) -> None:
    there.login()
    assert_exclusive(there)
    pages = [there.orders(skip=skip, take=3, sort={"id": "ASC"}).json()["data"]["orders"] for skip in (0, 3, 6, 9)]
    assert [len(page["items"]) for page in pages] == [3, 3, 2, 0]
    assert {page["totalItems"] for page in pages} == {8}
    assert [row["id"] for page in pages for row in page["items"]] == [str(number) for number in range(1, 9)]


@pytest.mark.real
def test_the_schema_here_is_a_part_of_the_servers(own_vendure: Vendure) -> None:
    whole = build_client_schema({"__schema": own_vendure.admin(get_introspection_query())})
    different = []
    for name, kind in SCHEMA.type_map.items():
        if not isinstance(kind, GraphQLObjectType) or name.startswith("__"):
            continue
        other = whole.type_map[name]
        assert isinstance(other, GraphQLObjectType)
        for field, declared in kind.fields.items():
            if str(other.fields[field].type) != str(declared.type):
                different.append(f"{name}.{field}: {declared.type} for {other.fields[field].type}")
    assert different == [  # enumerations that are open here
        "InvalidCredentialsError.errorCode: String! for ErrorCode!",
        "Order.currencyCode: String! for CurrencyCode!",
    ]
