"""target-webhook tried on a receiver that checks signatures and remembers what it took under which key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import requests

from snello.kit.conformance.targets import Subject, starts
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.webhook import SECRET, STANDARD_SECRET, webhook

LACKS: dict[Any, str] = {
    "foreign": "a receiver takes posts; it holds no rows of others that a post could touch",
    "lost": "what became of a row at the receiver is not ours to see",
    "own_purpose": "a webhook serves any purpose",
    "says_json": "any 2xx is an acceptance, with a body or without",
}


def _subject(refusal: Literal["row", "body"], secret: str = SECRET, path: str = "", **more: Any) -> Iterator[Subject]:
    with serve(webhook(refuses=_too_old, refusal=refusal, secret=secret)) as url:

        def taken() -> list[dict[str, Any]]:
            rows: list[dict[str, Any]] = requests.get(f"{url}/_inspect/taken", timeout=60).json()
            return rows

        def held() -> list[tuple[str, Any]]:
            last: dict[str, dict[str, Any]] = {}
            for row in taken():
                last.pop(row.get("moved_from", ""), None)
                last[row["key"]] = row
            return [(key, _payload(row)) for key, row in last.items() if row["op"] == "upsert"]

        yield Subject(
            command="target_webhook:main",
            url=f"{url}/hooks/t0ken{path}",
            config=lambda url: {"url": url, "secret": secret, "batch_size": 2, **more},
            terms={"purpose": "profiling", "channel": "any"},
            columns=lambda number, version: {"name": f"canary {number}.", "visits": version},
            held=held,
            shown=dict,
            effects=lambda: [(row["op"], row["key"], row["fingerprint"]) for row in taken()],
            secrets=(secret, "t0ken"),
            bad=(({"name": "canary", "visits": 1_000}, "too_old"), ({"name": "canary II", "visits": 2_000}, "too_old")),
        )


def _too_old(row: Mapping[str, Any]) -> str | None:
    return "too_old" if (row.get("visits") or 0) >= 1_000 else None


def _payload(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in ("op", "key", "fingerprint", "moved_from")}


@starts(LACKS)
def judging_rows() -> Iterator[Subject]:
    """A receiver with a verdict a row."""
    yield from _subject("row")


@starts({**LACKS, "answers_by_row": "it says yes or no to a body"})
def judging_bodies() -> Iterator[Subject]:
    """A receiver that refuses a body for one row in it."""
    yield from _subject("body")


@starts({**LACKS, "answers_by_row": "it says yes or no to a body"})
def a_call_a_row() -> Iterator[Subject]:
    """A receiver of one change a call, at an address of its own, signed as Standard Webhooks are."""
    manner = {"body": "row", "method": "PUT", "signature": "standard", "ordering": "key"}
    yield from _subject("body", STANDARD_SECRET, "/{key}", **manner)
