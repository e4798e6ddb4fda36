"""target-google-audiences tried on an account that keeps the published contract of the Data Manager API."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import requests

from snello.kit.conformance import Seen
from snello.kit.conformance.targets import Subject, starts
from snello.sandbox.emulators.google import ACCOUNT, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, google
from snello.sandbox.emulators.google_rules import Quota
from snello.sandbox.emulators.serving import serve

LIST, NUMBER, PEOPLE, VERSIONS = "Canaries", 1, 40, 4
QUICK = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": REFRESH_TOKEN, "account_id": ACCOUNT}
QUICK |= {"list_name": LIST, "requests_per_second": 10_000, "status_wait": 0.01, "members_per_request": 2}
FOREIGN = [f"emailAddress {hashlib.sha256(b'stranger').hexdigest()}"]
REFUSED = (
    ({"email": "canary at example.it", "phone": None}, "no_match_key"),
    ({"email": None, "phone": "canary"}, "no_match_key"),
)


def columns(number: int, version: int) -> Mapping[str, Any]:
    """A person, with another number in each version."""
    return {"email": f"canary{number}@example.it", "phone": f"+39 333 {version:03}{number:04}"}


def known_by(kind: str, text: str) -> str:
    """An identifier as the emulator keeps it."""
    return f"{kind} {hashlib.sha256(text.encode()).hexdigest()}"


def shown(row: Mapping[str, Any]) -> list[str]:
    """A member, as the list holds it."""
    phone = row["phone"].replace(" ", "")
    return sorted([known_by("emailAddress", row["email"]), known_by("phoneNumber", phone)])


OWNERS = {
    identifier: f"c{number:03}"
    for number in range(PEOPLE)
    for version in range(VERSIONS)
    for identifier in shown(columns(number, version))
}
OWNERS |= dict.fromkeys(shown(columns(900, 0)), "c000x")  # the suite's row that was mended


class List:
    """What the list holds, seen from within."""

    def __init__(self, url: str) -> None:
        self.url = f"{url}/_inspect/members/{NUMBER}"

    def identifiers(self) -> list[str]:
        """Everything on the list."""
        found: list[str] = requests.get(self.url, timeout=60).json()
        return found

    def held(self) -> Iterator[tuple[str, list[str]]]:
        """By customer, all that the list knows them by: an identifier of an earlier version would stand out."""
        found: dict[str, list[str]] = {}
        for identifier in self.identifiers():
            if owner := OWNERS.get(identifier):
                found.setdefault(owner, []).append(identifier)
        yield from ((owner, sorted(known)) for owner, known in found.items())

    def foreign(self) -> list[str]:
        """Members of others."""
        return sorted(one for one in self.identifiers() if one not in OWNERS)

    def seed(self) -> None:
        """Somebody else uploads to the same list."""
        requests.post(self.url, json=FOREIGN, timeout=60).raise_for_status()

    def lose(self, key: str) -> None:
        """Somebody takes a member away."""
        gone = [identifier for identifier, owner in OWNERS.items() if owner == key]
        requests.delete(self.url, json=gone, timeout=60).raise_for_status()


def writes(seen: Seen) -> bool:
    """Calls that change the list."""
    return seen.method == "POST"


@starts(lacks={"answers_by_row": "an answer is about a request as a whole"})
def members() -> Iterator[Subject]:
    """A few members a request, so that several are needed."""
    with serve(google(lists=(LIST,), quotas=(Quota(100_000), Quota(100_000)))) as url:
        there = List(url)
        yield Subject(
            command="target_google_audiences:main",
            url=f"{url}/v1",
            config=lambda proxied: {**QUICK, "api_url": proxied, "token_url": f"{url}/token"},
            terms={"purpose": "ads_audiences", "channel": "ads"},
            columns=columns,
            held=there.held,
            shown=shown,
            bad=REFUSED,
            seed=there.seed,
            foreign=there.foreign,
            lose=there.lose,
            secrets=(CLIENT_SECRET, REFRESH_TOKEN),
            writes=writes,
        )
