"""target-meta-audiences tried on an ad account that keeps Meta's published contract, and has forgotten external ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from hmac import HMAC
from typing import Any

import requests

from snello.kit.conformance.targets import Subject, starts
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.meta import ACCESS_TOKEN, AD_ACCOUNT, APP_SECRET, Rights, meta
from snello.sandbox.emulators.meta_store import FIRST_ID

NAME = "Canaries"
QUICK = {"ad_account": AD_ACCOUNT, "audience_name": NAME, "requests_per_second": 10_000, "batch_size": 4}
SECRETS = {"access_token": ACCESS_TOKEN, "app_secret": APP_SECRET}

PROOF = HMAC(APP_SECRET.encode(), ACCESS_TOKEN.encode(), "sha256").hexdigest()


class Audience:
    """What the audience holds, seen from within."""

    def __init__(self, url: str) -> None:
        self.url = url

    def rows(self) -> list[dict[str, str]]:
        """All members, as Meta was told of them."""
        answer = requests.get(f"{self.url}/_inspect/audiences/{FIRST_ID}", timeout=60)
        answer.raise_for_status()
        found: list[dict[str, str]] = answer.json()
        return found

    def ours(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Members with a customer_id, by it."""
        for row in self.rows():
            if "EXTERN_ID" in row:
                yield row.pop("EXTERN_ID"), row

    def foreign(self) -> list[dict[str, str]]:
        """Members whom others added."""
        return [row for row in self.rows() if "EXTERN_ID" not in row]

    def send(self, method: str, schema: list[str], *rows: list[str]) -> None:
        """Somebody else changes the audience."""
        address = f"{self.url}/v26.0/{FIRST_ID}/users"
        body = {"payload": {"schema": schema, "data": list(rows)}}
        headers = {"Authorization": f"Bearer {ACCESS_TOKEN}"}
        requests.request(
            method, address, json=body, headers=headers, params={"appsecret_proof": PROOF}, timeout=60
        ).raise_for_status()

    def seed(self) -> None:
        """Two members of others."""
        self.send("POST", ["EMAIL"], [_hashed("theirs@example.org")], [_hashed("others@example.org")])

    def lose(self, key: str) -> None:
        """Somebody takes the member away."""
        for held, row in self.ours():
            if held == key:
                self.send("DELETE", ["EMAIL"], [row["EMAIL"]])


def columns(number: int, version: int) -> Mapping[str, Any]:
    """A person, whose address changes with each version."""
    return {"email": f"canary{number}.{version}@Example.it ", "first_name": f"Ada{number}"}


def shown(row: Mapping[str, Any]) -> dict[str, str]:
    """A member, as far as Meta is told; a digit is no letter of a name."""
    return {"EMAIL": _hashed(row["email"].strip().lower()), "FN": _hashed("ada")}


def _hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


@starts(
    lacks={
        "answers_by_row": "Meta counts what it cannot read, and names no row",
        "whole": "the first call of Meta's session empties the audience; no session begins before all rows have come",
    }
)
def audience() -> Iterator[Subject]:
    """Members of a customer file audience."""
    with serve(meta(audiences=(NAME,), rights=Rights(signed=True), forgets_external_ids=True)) as url:
        held = Audience(url)

        def config(url: str) -> dict[str, Any]:
            return {**QUICK, **SECRETS, "api_url": url}

        yield Subject(
            command="target_meta_audiences:main",
            url=url,
            config=config,
            terms={"purpose": "ads_audiences", "channel": "ads"},
            columns=columns,
            held=held.ours,
            shown=shown,
            bad=(({"email": None, "first_name": "canary"}, "no_match_key"),),
            seed=held.seed,
            foreign=held.foreign,
            lose=held.lose,
            secrets=tuple(SECRETS.values()),
        )
