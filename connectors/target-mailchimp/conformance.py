"""target-mailchimp tried on an account that keeps Mailchimp's published contract, with few rows and with many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import requests

from snello.kit.conformance.targets import Subject, starts
from snello.sandbox.emulators.mailchimp import API_KEY, LIST_ID, mailchimp
from snello.sandbox.emulators.serving import serve

TAG = "Canaries"
QUICK = {"api_key": API_KEY, "tag": TAG, "create_tag": True, "create_merge_fields": True, "requests_per_second": 10_000}
REFUSED = (
    ({"email": "canary at example.it", "last_name": "canary"}, "invalid_email"),
    ({"email": "canary901@example.com", "last_name": "canary"}, "invalid_email"),
    ({"email": None, "last_name": "canary"}, "no_email"),
    ({"email": "canary1@example.it", "last_name": "canary"}, "duplicate_email"),
    ({"email": "canary900@example.it", "last_name": "canary" * 50}, "invalid_field"),
)


class Account:
    """What the account holds, seen from within."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One call that must succeed."""
        answer = requests.request(method, self.url + path, json=body, auth=("snello", API_KEY), timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def tagged(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Contacts with our tag and a customer_id, by it."""
        for contact in self.call("GET", "/_inspect/members"):
            fields = contact["merge_fields"]
            if fields.get("EXTID") and TAG in [tag["name"] for tag in contact["tags"]]:
                yield fields["EXTID"], {"email": contact["email_address"], "LNAME": fields.get("LNAME")}

    def foreign(self) -> Any:
        """Contacts of others, whole."""
        return [one for one in self.call("GET", "/_inspect/members") if not one["merge_fields"].get("EXTID")]

    def seed(self) -> None:
        """Two contacts of others, one of whom has unsubscribed."""
        members = [{"email_address": f"other{n}@example.it", "status": "subscribed"} for n in range(2)]
        self.call("POST", f"/3.0/lists/{LIST_ID}", {"members": members})
        left = {"list": LIST_ID, "email": "other1@example.it", "status": "unsubscribed"}
        self.call("POST", "/_inspect/own-will", left)

    def lose(self, key: str) -> None:
        """Somebody takes the tag from a contact."""
        found = dict(self.tagged())[key]
        segments = self.call("GET", f"/3.0/lists/{LIST_ID}/segments")["segments"]
        body = {"members_to_remove": [found["email"]]}
        self.call("POST", f"/3.0/lists/{LIST_ID}/segments/{segments[0]['id']}", body)


def columns(number: int, version: int) -> Mapping[str, Any]:
    """A person, who marries with each version."""
    return {"email": f"canary{number}@example.it", "last_name": f"canary {number} {version}"}


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A contact, as far as it is ours."""
    return {"email": row["email"], "LNAME": row["last_name"]}


def _subject(**more: Any) -> Iterator[Subject]:
    with serve(mailchimp()) as url:
        account = Account(url)
        yield Subject(
            command="target_mailchimp:main",
            url=f"{url}/3.0",
            config=lambda url: {**QUICK, "api_url": url},
            terms={"purpose": "email_marketing", "channel": "email"},
            columns=columns,
            held=account.tagged,
            shown=shown,
            bad=REFUSED,
            seed=account.seed,
            foreign=account.foreign,
            lose=account.lose,
            secrets=(API_KEY,),
            **more,
        )


@starts()
def few() -> Iterator[Subject]:
    """Few changes: each address is asked for."""
    yield from _subject()


@starts()
def many() -> Iterator[Subject]:
    """Many changes: the Mailchimp audience is read first."""
    yield from _subject(rows=30)
