"""target-salesforce tried on an org that keeps Salesforce's contract: by collections, by bulk jobs, in a campaign."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import requests

from snello.kit.conformance.targets import Subject, starts
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.salesforce import CLIENT_ID, CLIENT_SECRET, ROOT, salesforce

ID, MEMBER, CAMPAIGN = "Snello_Customer_Id__c", "In_Segment__c", "Canaries"
FIELDS = {"email": "Email", "last_name": "LastName", "score": "Score__c", "source": "LeadSource"}
QUICK = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "requests_per_second": 10_000, "fields": FIELDS}
QUICK |= {"on_join": {MEMBER: True}, "on_leave": {MEMBER: False}, "bulk_rows": 2, "job_wait": 0.01}
BY_POSITION = "the results of a collection stand in the order of its rows, and bear no key"
REFUSED = (
    ({"email": "canary at example.it", "last_name": "canary", "score": 1, "source": "Web"}, "invalid_email_address"),
    ({"email": "canary801@example.it", "last_name": None, "score": 1, "source": "Web"}, "required_field_missing"),
    ({"email": None, "last_name": "canary", "score": 5000, "source": "Web"}, "field_custom_validation_exception"),
)


class Org:
    """What the org holds, seen from within."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One call that must succeed, under a login of its own."""
        form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        token = requests.post(f"{self.url}/services/oauth2/token", data=form, timeout=60).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.request(method, self.url + path, json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def contacts(self) -> list[dict[str, Any]]:
        """All contacts."""
        found: list[dict[str, Any]] = requests.get(f"{self.url}/_inspect/records/Contact", timeout=60).json()
        return found

    def ours(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Members with a customer_id, by it."""
        for one in self.contacts():
            if one.get(ID) and one.get(MEMBER):
                yield one[ID], {name: one.get(name) for name in FIELDS.values()}

    def members(self) -> list[str]:
        """Record ids of the campaign's members."""
        found = requests.get(f"{self.url}/_inspect/records/CampaignMember", timeout=60).json()
        return [one["ContactId"] for one in found]

    def joined(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Members of the campaign with a customer_id, by it."""
        known = {one["Id"]: one for one in self.contacts() if one.get(ID)}
        for one in map(known.get, self.members()):
            if one:
                yield one[ID], {name: one.get(name) for name in FIELDS.values()}

    def foreign(self) -> Any:
        """Contacts of others, whole, and whether they are in the campaign."""
        members = self.members()
        return [(one, one["Id"] in members) for one in self.contacts() if ID not in one]

    def seed(self) -> None:
        """Two contacts of others, one of them a member."""
        for name in ("listed", "elsewhere"):
            body = {"LastName": name, "Email": f"{name}@example.org", MEMBER: name == "listed"}
            made = self.call("POST", f"{ROOT}/sobjects/Contact", body)
            if name == "listed":
                campaign = requests.get(f"{self.url}/_inspect/records/Campaign", timeout=60).json()[0]["Id"]
                member = {"CampaignId": campaign, "ContactId": made["id"]}
                self.call("POST", f"{ROOT}/sobjects/CampaignMember", member)

    def lose(self, key: str) -> None:
        """Somebody deletes the contact."""
        gone = ",".join(one["Id"] for one in self.contacts() if one.get(ID) == key)
        self.call("DELETE", f"{ROOT}/composite/sobjects?ids={gone}")


def columns(number: int, version: int) -> Mapping[str, Any]:
    """A person, who marries with each version."""
    named = {"email": f"canary{number}@example.it", "last_name": f"canary {number} {version}"}
    return named | {"score": number, "source": "Web"}


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A contact, as far as it is ours."""
    return {field: row[column] for column, field in FIELDS.items()}


def _subject(config: dict[str, Any]) -> Iterator[Subject]:
    with serve(salesforce(campaigns=[CAMPAIGN])) as url:
        org = Org(url)
        yield Subject(
            command="target_salesforce:main",
            url=url,
            config=lambda proxied: {**QUICK, **config, "instance_url": proxied, "login_url": url},
            terms={"purpose": "profiling", "channel": "any"},
            columns=columns,
            held=org.joined if "campaign" in config else org.ours,
            shown=shown,
            bad=REFUSED,
            seed=org.seed,
            foreign=org.foreign,
            lose=org.lose,
            secrets=(CLIENT_SECRET,),
        )


@starts(lacks={"own_purpose": "a CRM serves any purpose", "answers_by_row": BY_POSITION})
def by_call() -> Iterator[Subject]:
    """Collections, with a verdict a row at once."""
    yield from _subject({"bulk_threshold": 1000})


@starts(lacks={"own_purpose": "a CRM serves any purpose", "answers_by_row": BY_POSITION})
def by_job() -> Iterator[Subject]:
    """Bulk jobs, which are worked on later."""
    yield from _subject({"bulk_threshold": 1})


@starts(lacks={"own_purpose": "a CRM serves any purpose", "answers_by_row": BY_POSITION})
def by_campaign() -> Iterator[Subject]:
    """A campaign tells the members."""
    yield from _subject({"bulk_threshold": 1000, "campaign": CAMPAIGN, "on_join": {}, "on_leave": {}})
