"""target-brevo tried on an account that keeps Brevo's published contract, contact by contact and by import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import requests

from snello.kit.conformance import Seen
from snello.kit.conformance.targets import Subject, starts
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.brevo import API_KEY, brevo
from snello.sandbox.emulators.brevo_rules import Limits, Quota

LIST, NUMBER = "Canaries", 1
QUICK = {"api_key": API_KEY, "list_name": LIST, "requests_per_second": 10_000}
REFUSED = (
    ({"email": "canary at example.it", "last_name": "canary"}, "invalid_email"),
    ({"email": None, "last_name": "canary"}, "no_email"),
    ({"email": "canary1@example.it", "last_name": "canary"}, "duplicate_email"),
)


class Account:
    """What the account holds, seen from within."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One call that must succeed."""
        answer = requests.request(method, self.url + path, json=body, headers={"api-key": API_KEY}, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def on_list(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Contacts on our list with a customer_id, by it."""
        for contact in self.call("GET", "/_inspect/contacts"):
            attributes = contact["attributes"]
            if "EXT_ID" in attributes and NUMBER in contact["listIds"]:
                yield attributes["EXT_ID"], {"email": contact["email"], "LASTNAME": attributes.get("LASTNAME")}

    def foreign(self) -> Any:
        """Contacts of others, whole, but for the moment of their last change."""
        return [one for one in self.call("GET", "/_inspect/contacts") if "EXT_ID" not in one["attributes"]]

    def seed(self) -> None:
        """Two contacts of others, one of them on our list."""
        self.call("POST", "/v3/contacts", {"email": "listed@example.org", "listIds": [NUMBER]})
        self.call("POST", "/v3/contacts", {"email": "elsewhere@example.org"})

    def lose(self, key: str) -> None:
        """Somebody deletes the contact."""
        self.call("DELETE", f"/v3/contacts/{key}?identifierType=ext_id")


def columns(number: int, version: int) -> Mapping[str, Any]:
    """A person, who marries with each version."""
    return {"email": f"canary{number}@example.it", "last_name": f"canary {number} {version}"}


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A contact, as far as it is ours."""
    return {"email": row["email"], "LASTNAME": row["last_name"]}


def importing(seen: Seen) -> bool:
    """Calls that change the account, and the waiting for an import."""
    return seen.method != "GET" or "/processes/" in seen.path


def _subject(**more: Any) -> Iterator[Subject]:
    limits = Limits(contacts=Quota(100_000, 1.0), others=Quota(100_000, 3600.0))
    with serve(brevo(lists=(LIST,), limits=limits)) as url:
        account = Account(url)
        yield Subject(
            command="target_brevo:main",
            url=f"{url}/v3",
            config=lambda url: {**QUICK, "api_url": url},
            terms={"purpose": "email_marketing", "channel": "email"},
            columns=columns,
            held=account.on_list,
            shown=shown,
            bad=REFUSED,
            seed=account.seed,
            foreign=account.foreign,
            lose=account.lose,
            secrets=(API_KEY,),
            pauses={"target_brevo.account:FIRST_POLL": 0.01},
            **more,
        )


@starts()
def contact_by_contact() -> Iterator[Subject]:
    """Few changes: a call or two each."""
    yield from _subject()


@starts()
def by_import() -> Iterator[Subject]:
    """Many changes: an import, and the account read back."""
    yield from _subject(rows=60, writes=importing)
