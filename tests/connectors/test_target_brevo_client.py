"""Every call that target-brevo makes is one that Brevo's own client makes too, and the client reads every answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import httpx
import pytest
from brevo import Brevo
from brevo.contacts.types import AddContactToListRequestBodyExtIds, RemoveContactFromListRequestBodyExtIds
from brevo.errors import BadRequestError, NotFoundError

from snello.kit.channel import Http
from snello.kit.channel.rehearsal import Rehearsal
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.brevo import API_KEY, brevo
from snello.sandbox.emulators.brevo_rules import Limits, Quota
from target_brevo import TargetBrevo

Ask = Callable[[Brevo, tuple[str, ...], dict[str, Any]], Any]
REFUSED = (BadRequestError, NotFoundError)
MANY = 60  # more than are written one by one: an import is made


@dataclass(frozen=True)
class Call:
    """A call as it travels: ``path`` without escapes, ``query`` as texts, ``body`` as the document sent."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    body: Any


def snake(given: Mapping[str, Any]) -> dict[str, Any]:
    """Names as the client's parameters have them."""
    return {re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower(): value for name, value in given.items()}


# What the client offers for each call: the values in the path, then query and body together.
OFFERED: dict[str, Ask] = {
    r"GET /contacts": lambda client, at, given: client.contacts.get_contacts(**given),
    r"POST /contacts": lambda client, at, given: client.contacts.create_contact(**given),
    r"POST /contacts/import": lambda client, at, given: client.contacts.import_contacts(**given),
    r"GET /contacts/attributes": lambda client, at, given: client.contacts.get_attributes(),
    r"POST /contacts/attributes/([^/]+)/([^/]+)": lambda client, at, given: client.contacts.create_attribute(
        *at, **given
    ),
    r"GET /contacts/lists": lambda client, at, given: client.contacts.get_lists(**given),
    r"POST /contacts/lists": lambda client, at, given: client.contacts.create_list(**given),
    r"GET /contacts/lists/(\d+)": lambda client, at, given: client.contacts.get_list(int(at[0])),
    r"GET /contacts/lists/(\d+)/contacts": lambda client, at, given: client.contacts.get_contacts_from_list(
        int(at[0]), **given
    ),
    r"POST /contacts/lists/(\d+)/contacts/add": lambda client, at, given: client.contacts.add_contact_to_list(
        int(at[0]), request=AddContactToListRequestBodyExtIds(**given)
    ),
    r"POST /contacts/lists/(\d+)/contacts/remove": lambda client, at, given: client.contacts.remove_contact_from_list(
        int(at[0]), request=RemoveContactFromListRequestBodyExtIds(**given)
    ),
    r"GET /contacts/([^/]+)": lambda client, at, given: client.contacts.get_contact_info(at[0], **given),
    r"PUT /contacts/([^/]+)": lambda client, at, given: client.contacts.update_contact(at[0], **given),
    r"DELETE /contacts/([^/]+)": lambda client, at, given: client.contacts.delete_contact(at[0], **given),
    r"GET /processes/(\d+)": lambda client, at, given: client.process.get_process(int(at[0])),
    r"GET /smtp/blockedContacts": lambda client, at, given: client.transactional_emails.get_transac_blocked_contacts(
        **given
    ),
}


def offered(call: Call) -> tuple[str, Ask, tuple[str, ...]]:
    """What the client offers for a call; the first pattern that fits, for fixed words stand before the others."""
    for pattern, ask in OFFERED.items():
        if found := re.fullmatch(pattern, f"{call.method} {call.path}"):
            return pattern, ask, found.groups()
    raise AssertionError(f"Brevo's client has no {call.method} {call.path}")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Call]:
    """The calls that the target makes from now on."""
    found: list[Call] = []
    usual = Http.call

    def call(http: Http, method: str, url: str, **given: Any) -> Any:
        parts = urlsplit(url)
        query = [*parse_qsl(parts.query), *((name, str(value)) for name, value in (given.get("params") or {}).items())]
        path = unquote(parts.path.partition("/v3")[2])
        found.append(Call(method, path, tuple(sorted(query)), given.get("json")))
        return usual(http, method, url, **given)

    monkeypatch.setattr(Http, "call", call)
    return found


@pytest.fixture
def account() -> Iterator[str]:
    limits = Limits(contacts=Quota(100_000, 1.0), others=Quota(100_000, 3600.0))
    with serve(brevo(limits=limits)) as url:
        yield f"{url}/v3"


def person(number: int, **more: Any) -> dict[str, Any]:
    row = {"customer_id": f"c{number:05}", "email": f"person{number}@example.it", "first_name": "Ada"}
    return {**row, "last_name": f"Rossi {number}", "spent": 3.5, **more}


def deliver(folder: Path, url: str) -> None:
    """A first run, changes one by one, a new address, somebody who leaves, and a list that is compared."""
    terms = {"purpose": "email_marketing", "channel": "email", "list": "loyal", "max_removal_share": 1}
    stage = Rehearsal(folder, "brevo__loyal", **terms)
    config = {"api_key": API_KEY, "api_url": url, "create_list": True, "create_attributes": True}
    config |= {"requests_per_second": 10_000, "attributes": {"spent": "SPENT"}}
    everybody = [person(number) for number in range(MANY)]
    for rows in (
        everybody,
        [person(0, first_name="Eva"), person(1, email="new@example.it"), *everybody[2:], person(MANY)],
        everybody[2:],
    ):
        stage.publish(rows)
        stage.run(TargetBrevo, config)


def called(request: httpx.Request) -> Call:
    """A request of the client."""
    body = json.loads(request.content) if request.content else None
    query = tuple(sorted(parse_qsl(request.url.query.decode())))
    return Call(request.method, request.url.path.partition("/v3")[2], query, body)


def test_brevos_own_client_makes_the_same_calls_and_reads_the_answers(
    made: list[Call], account: str, tmp_path: Path
) -> None:
    deliver(tmp_path, account)
    sent: list[Call] = []
    hooks = {"request": [lambda request: sent.append(called(request))]}
    with httpx.Client(event_hooks=hooks, trust_env=False) as transport:
        client = Brevo(api_key=API_KEY, base_url=account, httpx_client=transport, max_retries=0)
        for call in made:
            _, ask, at = offered(call)
            given = {name: int(value) if value.isdigit() else value for name, value in call.query}
            with suppress(*REFUSED):  # what was made is there by now: the form of the call is what counts
                ask(client, at, snake({**given, **(call.body or {})}))
    assert sent == made
    assert {
        "POST /contacts",
        "POST /contacts/import",
        "POST /contacts/lists",
        r"POST /contacts/lists/(\d+)/contacts/remove",
        r"PUT /contacts/([^/]+)",
        r"GET /processes/(\d+)",
    } <= {offered(call)[0] for call in made}
