"""target-odoo tried on a database that keeps Odoo's contract, over /json/2 and over /jsonrpc."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import requests
from stdnum import luhn

from snello.kit.conformance import Seen
from snello.kit.conformance.targets import Subject, starts
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.odoo import API_KEY, DATABASE, LOGIN, WRITING, odoo

LACKS: dict[Any, str] = {
    "own_purpose": "a tag on a contact serves any purpose",
}
TAG = "Canaries"
SETTINGS = {
    "database": DATABASE,
    "login": LOGIN,
    "api_key": API_KEY,
    "tag": TAG,
    "create": True,
    "fields": {"name": "name", "vat": "vat", "score": "x_snello_score"},
    "batch_size": 2,
    "requests_per_second": 10_000,
}


class Inside:
    """The database as somebody who works in it sees it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def records(self, model: str) -> list[dict[str, Any]]:
        """All records of a model."""
        found: list[dict[str, Any]] = requests.get(f"{self.url}/_inspect/records/{model}", timeout=60).json()
        return found

    def call(self, model: str, method: str, *args: Any) -> Any:
        """One call with every right."""
        answer = requests.post(f"{self.url}/_inspect/call/{model}/{method}", json=args, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def links(self) -> dict[str, int]:
        """Partners by customer_id."""
        return {link["name"]: link["res_id"] for link in self.records("ir.model.data") if link["module"] == "snello"}

    def ours(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Partners of ours with the tag."""
        tag = next(one["id"] for one in self.records("res.partner.category") if one["name"] == TAG)
        partners = {one["id"]: one for one in self.records("res.partner")}
        for key, number in self.links().items():
            if tag in partners[number]["category_id"]:
                yield key, {name: partners[number][name] for name in ("name", "vat", "x_snello_score")}

    def theirs(self) -> Any:
        """Partners of others, whole."""
        ours = set(self.links().values())
        return [one for one in self.records("res.partner") if one["id"] not in ours]

    def seed(self) -> None:
        """Two partners of others, one with our tag."""
        self.call("res.partner", "create", {"name": "Listed", "category_id": [[4, 1, 0]]})
        self.call("res.partner", "create", {"name": "Elsewhere", "email": "elsewhere@example.org"})

    def lose(self, key: str) -> None:
        """Somebody deletes the partner."""
        self.call("res.partner", "unlink", [self.links()[key]])


def columns(number: int, version: int) -> Mapping[str, Any]:
    """A customer whose score changes with each version."""
    stem = f"{number + 1:07}001"
    return {"name": f"canary {number}", "vat": f"IT{stem}{luhn.calc_check_digit(stem)}", "score": float(version)}


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A partner, as far as it is ours."""
    return {"name": row["name"], "vat": row["vat"], "x_snello_score": row["score"]}


def _writing(seen: Seen) -> bool:
    """Calls that change the database."""
    if seen.path.endswith("/jsonrpc"):
        args = json.loads(seen.body or b"{}").get("params", {}).get("args", [])
        return len(args) > 4 and args[4] in WRITING
    return seen.path.rpartition("/")[2] in WRITING


def _subject(version: int) -> Iterator[Subject]:
    with serve(odoo(tags=(TAG,), version=version)) as url:
        inside = Inside(url)
        yield Subject(
            command="target_odoo:main",
            url=url,
            config=lambda url: {**SETTINGS, "url": url},
            terms={"purpose": "profiling", "channel": "any"},
            columns=columns,
            held=lambda: list(inside.ours()),
            shown=shown,
            bad=(({"name": "canary", "vat": "IT12345678901", "score": 1.0}, "validation"),),
            seed=inside.seed,
            foreign=inside.theirs,
            lose=inside.lose,
            secrets=(API_KEY,),
            writes=_writing,
        )


@starts(LACKS)
def json2() -> Iterator[Subject]:
    """Version 19: a path a method, the key as bearer."""
    yield from _subject(19)


@starts(LACKS)
def jsonrpc() -> Iterator[Subject]:
    """Version 18: one path, login and key in each call."""
    yield from _subject(18)
