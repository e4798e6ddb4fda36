"""tap-suitecrm tried on a SuiteCRM with generated records, over V8 and over the elder interface."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import requests

from snello.kit.conformance.taps import Key, Subject, starts
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.suitecrm import CLIENT_ID, CLIENT_SECRET, suitecrm
from snello.sandbox.emulators.suitecrm_fields import fields_of
from snello.sandbox.emulators.suitecrm_legacy import PASSWORD, USER
from snello.sandbox.emulators.suitecrm_rows import records_of

CONTACTS, OF_EACH = 60, 2.6
CANARIES = ("contact3@example.org", CLIENT_SECRET, PASSWORD)
V8 = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "page_size": 25}
V4 = {"interface": "v4_1", "user": USER, "password": PASSWORD, "page_size": 25}


class Crm:
    """Somebody who works in SuiteCRM."""

    def __init__(self, url: str) -> None:
        login = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        token = requests.post(f"{url}/Api/access_token", json=login, timeout=30).json()["access_token"]
        self.root, self.headers = f"{url}/Api/V8/module", {"Authorization": f"Bearer {token}"}

    def call(self, method: str, path: str = "", **given: Any) -> Any:
        """One call that must succeed."""
        answer = requests.request(method, self.root + path, headers=self.headers, timeout=30, **given)
        answer.raise_for_status()
        return answer.json()["data"]

    def patch(self, number: str, **attributes: str) -> None:
        """Change a contact."""
        self.call("PATCH", json={"data": {"type": "Contacts", "id": number, "attributes": attributes}})

    def some(self, sort: str, many: int) -> list[dict[str, Any]]:
        """Contacts in an order."""
        found: list[dict[str, Any]] = self.call("GET", f"/Contacts?sort={sort}&page[size]={many}")
        return found


def _subject(settings: dict[str, Any], wrong: dict[str, str]) -> Iterator[Subject]:
    with ExitStack() as stack:
        url = stack.enter_context(serve(suitecrm(contacts=CONTACTS)))
        grown: list[str] = []
        crm = Crm(url)

        def change() -> tuple[str, Key]:
            number = crm.some("id", 5)[4]["id"]
            crm.patch(number, last_name="Changed")
            return "contacts", (number,)

        def tie() -> tuple[str, list[Key]]:
            last = crm.some("-date_modified", 1)[0]["attributes"]["date_modified"]
            moment = last[:19].replace("T", " ")
            early = crm.some("date_modified", 2)
            for each in early:
                crm.patch(each["id"], date_modified=moment)
            return "contacts", [(each["id"],) for each in early]

        def remove() -> tuple[str, Key]:
            number = crm.some("id", 2)[1]["id"]
            crm.call("DELETE", f"/Contacts/{number}")
            return "contacts", (number,)

        def grow(rows: int) -> None:
            grown.append(stack.enter_context(serve(suitecrm(contacts=int(rows / OF_EACH)))))

        made = records_of(CONTACTS, fields_of({}))
        yield Subject(
            command="tap_suitecrm:main",
            plugin="tap_suitecrm:TapSuiteCRM",
            url=url,
            config=lambda url: {"url": [url, *grown][-1], **settings},
            rows={name.lower(): sum(each["deleted"] == "0" for each in rows) for name, rows in made.items()},
            canaries=CANARIES,
            change=change,
            tie=tie,
            remove=remove,
            grow=grow,
            wrong=wrong,
        )


@starts({"removes": "V8 does not list deleted records, and nothing is compared that was not asked for"})
def v8() -> Iterator[Subject]:
    """By the moment of change, for a client."""
    for subject in _subject(V8, {"client_secret": "Tr0ub4dor"}):
        yield replace(subject, remove=None)


@starts()
def v8_compared() -> Iterator[Subject]:
    """Contacts are read whole and compared; for a user."""
    yield from _subject(
        {**V8, "user": USER, "password": PASSWORD, "deletions": ["contacts"]}, {"password": "Tr0ub4dor"}
    )


@starts()
def v4_1() -> Iterator[Subject]:
    """The elder interface: deleted records are listed."""
    yield from _subject(V4, {"password": "Tr0ub4dor"})
