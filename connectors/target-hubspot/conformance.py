"""target-hubspot tried on an account that keeps HubSpot's published contract, by list and by property."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import requests

from snello.kit.conformance import Seen
from snello.kit.conformance.targets import Subject, starts
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.hubspot import ACCESS_TOKEN, hubspot
from snello.sandbox.emulators.hubspot_rules import Limits

LIST, MEMBER, ID = "Canaries", "snello_canaries", "snello_customer_id"
QUICK = {"access_token": ACCESS_TOKEN, "create_properties": True, "requests_per_second": 10_000, "batch_size": 2}
REFUSED = (
    ({"email": "canary at example.it", "last_name": "canary", "stage": "lead"}, "invalid_email"),
    ({"email": "canary800@example.it", "last_name": "canary", "stage": "no such"}, "invalid_option"),
    ({"email": "canary1@example.it", "last_name": "canary", "stage": "lead"}, "duplicate_email"),
)
READING = ("/batch/read", "/search")


class Account:
    """What the account holds, seen from within."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One call that must succeed."""
        headers = {"Authorization": f"Bearer {ACCESS_TOKEN}"}
        answer = requests.request(method, self.url + path, json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def ours(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Members with a customer_id, by it."""
        for contact in self.call("GET", "/_inspect/contacts"):
            has = contact["properties"]
            if ID in has and (LIST in contact["lists"] or has.get(MEMBER) == "true"):
                yield has[ID], {"email": has["email"], "lastname": has["lastname"], "stage": has["lifecyclestage"]}

    def foreign(self) -> Any:
        """Contacts of others, whole."""
        return [one for one in self.call("GET", "/_inspect/contacts") if ID not in one["properties"]]

    def seed(self) -> None:
        """Two contacts of others, one of them on our list."""
        for name in ("listed", "elsewhere"):
            made = self.call("POST", "/crm/v3/objects/contacts", {"properties": {"email": f"{name}@example.org"}})
            if name == "listed":
                self.call("PUT", "/crm/v3/lists/1/memberships/add", [made["id"]])

    def lose(self, key: str) -> None:
        """Somebody deletes the contact."""
        found = [one["id"] for one in self.call("GET", "/_inspect/contacts") if one["properties"].get(ID) == key]
        self.call("POST", "/crm/v3/objects/contacts/batch/archive", {"inputs": [{"id": one} for one in found]})


def columns(number: int, version: int) -> Mapping[str, Any]:
    """A person, who marries with each version."""
    return {"email": f"canary{number}@example.it", "last_name": f"canary {number} {version}", "stage": "lead"}


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A contact, as far as it is ours."""
    return {"email": row["email"], "lastname": row["last_name"], "stage": row["stage"]}


def writing(seen: Seen) -> bool:
    """Calls that change contacts or members."""
    return seen.method != "GET" and not seen.path.endswith(READING) and "/properties/" not in seen.path


def _subject(config: dict[str, Any], **more: Any) -> Iterator[Subject]:
    app = hubspot(lists=(LIST,), limits=Limits(burst=100_000), **more)
    with serve(app) as url:
        account = Account(url)
        yield Subject(
            command="target_hubspot:main",
            url=url,
            config=lambda url: {**QUICK, **config, "api_url": url, "properties": {"stage": "lifecyclestage"}},
            terms={"purpose": "profiling", "channel": "any"},
            columns=columns,
            held=account.ours,
            shown=shown,
            bad=REFUSED,
            seed=account.seed,
            foreign=account.foreign,
            lose=account.lose,
            secrets=(ACCESS_TOKEN,),
            writes=writing,
        )


@starts(lacks={"own_purpose": "a CRM serves any purpose"})
def by_list() -> Iterator[Subject]:
    """A static list tells the members; HubSpot judges row by row."""
    yield from _subject({"list_name": LIST})


@starts(lacks={"own_purpose": "a CRM serves any purpose"})
def by_property() -> Iterator[Subject]:
    """A property tells the members; HubSpot refuses a batch as a whole for one bad row."""
    yield from _subject({"membership": "property", "member_property": MEMBER}, multi_status=False)
