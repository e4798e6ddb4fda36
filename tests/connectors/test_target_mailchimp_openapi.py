"""Every call that we make of Mailchimp is one of its OpenAPI document, and so is every answer of the stand-in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.servers.openapi import document

from snello.kit.channel import Http
from snello.kit.channel.rehearsal import Rehearsal
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.mailchimp import API_KEY, mailchimp
from target_mailchimp import TargetMailchimp

pytestmark = pytest.mark.real


class Published:
    """The document, and what of the calls was not as it says."""

    def __init__(self) -> None:
        paths = document("mailchimp.com")["paths"]
        patterns = {path: re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)) for path in paths}
        self.paths = {patterns[path]: operations for path, operations in paths.items()}
        self.calls: set[str] = set()
        self.faults: set[tuple[str, str, str]] = set()

    def check(self, method: str, path: str, given: Mapping[str, Any], answer: Any) -> None:
        """Note what of a call and its answer the document does not know."""
        found = [operations for pattern, operations in self.paths.items() if pattern.fullmatch(path)]
        operation = next((one[method.lower()] for one in found if method.lower() in one), None)
        if operation is None:
            self.faults.add((method, path, "no such call"))
            return
        self.calls.add(f"{method} {operation['summary']}")
        names = {one["name"] for one in operation["parameters"] if one["in"] == "query"}
        self.faults |= {(method, path, f"no parameter {name}") for name in set(given.get("params") or {}) - names}
        if given.get("json") is not None:
            self._fits(method, path, operation["requestBody"], given["json"])
        if answer.content and "200" in operation["responses"]:
            self._fits(method, path, operation["responses"]["200"], answer.json())

    def _fits(self, method: str, path: str, told: Mapping[str, Any], body: Any) -> None:
        schema = told["content"]["application/json"]["schema"]
        for fault in jsonschema.Draft4Validator(schema).iter_errors(body):
            self.faults.add((method, path, fault.message[:200]))


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Published:
    found, usual = Published(), Http.call

    def call(http: Http, method: str, url: str, **given: Any) -> Any:
        answer = usual(http, method, url, **given)
        found.check(method, url.partition("/3.0")[2], given, answer)
        return answer

    monkeypatch.setattr(Http, "call", call)
    return found


def person(number: int, **more: Any) -> dict[str, Any]:
    row = {"customer_id": f"c{number}", "email": f"p{number}@example.it", "first_name": "Ada", "born": "1980-01-01"}
    return {**row, "spent": 3.5, **more}


@pytest.mark.parametrize("on_leave", ["untag", "archive"])
def test_what_we_call_and_what_the_stand_in_answers_is_as_mailchimp_publishes_it(
    published: Published, tmp_path: Path, on_leave: str
) -> None:
    terms = {"purpose": "email_marketing", "channel": "email", "list": "tag", "max_removal_share": 1}
    stage = Rehearsal(tmp_path, "mailchimp__loyal", **terms)
    with serve(mailchimp()) as url:
        config = {"api_key": API_KEY, "api_url": f"{url}/3.0", "create_tag": True, "create_merge_fields": True}
        config |= {"requests_per_second": 10_000, "on_leave": on_leave}
        for rows in (
            [person(1), person(2), person(3)],
            [person(1, email="new@example.it"), person(2, first_name=None)],
            [person(2, first_name="Eva")],
        ):
            stage.publish(rows)
            stage.run(TargetMailchimp, config)
    assert published.faults == set()
    assert len(published.calls) >= 8
