"""target-suitecrm tried on a SuiteCRM that keeps the V8 interface's contract, of a newer and of an elder version."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import requests

from snello.kit.conformance import Seen
from snello.kit.conformance.targets import Subject, starts
from snello.sandbox.emulators import serve
from snello.sandbox.emulators.suitecrm import CLIENT_ID, CLIENT_SECRET, suitecrm
from snello.sandbox.emulators.suitecrm_modules import ELDER

LIST, ID = "Canaries", "snello_customer_id_c"
LACKS: dict[Any, str] = {
    "own_purpose": "a target list serves any purpose",
    "answers_by_row": "each call is about one contact",
}
SETTINGS = {
    "client_id": CLIENT_ID,
    "client_secret": CLIENT_SECRET,
    "list_name": LIST,
    "create": True,
    "recreate": True,
    "fields": {"last_name": "last_name", "email": "email1", "segment": "snello_segment_c"},
    "batch_size": 2,
    "requests_per_second": 10_000,
}
REFUSED = (
    ({"last_name": "canary" * 20, "email": "canary@example.it", "segment": "s"}, "too_long"),
    ({"last_name": "canary", "email": "canary at example.it", "segment": "s"}, "invalid_email"),
)


class Crm:
    """The CRM as somebody who works in it sees it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def call(self, method: str, path: str, data: Any = None) -> Any:
        """One call that must succeed."""
        login = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        token = requests.post(f"{self.url}/Api/access_token", data=login, timeout=60).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        body = {} if data is None else {"json": {"data": data}}
        answer = requests.request(method, f"{self.url}/Api/V8/{path}", headers=headers, timeout=60, **body)
        answer.raise_for_status()
        return answer.json()["data"]

    def contacts(self) -> list[dict[str, Any]]:
        """All contacts that were not deleted, with the names of their lists."""
        found = requests.get(f"{self.url}/_inspect/records/Contacts", timeout=60).json()
        return [one for one in found if one["deleted"] == "0"]

    def ours(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Contacts on the list with a customer_id."""
        for one in self.contacts():
            if one[ID] and LIST in one["lists"]:
                yield one[ID], {name: one[name] for name in ("last_name", "email1", "snello_segment_c")}

    def theirs(self) -> Any:
        """Contacts of others, whole."""
        return [one for one in self.contacts() if not one[ID]]

    def seed(self) -> None:
        """Two contacts of others, one of them on our list."""
        lists = requests.get(f"{self.url}/_inspect/records/ProspectLists", timeout=60).json()
        for name in ("Listed", "Elsewhere"):
            made = self.call("POST", "module", {"type": "Contacts", "attributes": {"last_name": name}})
            if name == "Listed":
                joined = {"type": "ProspectLists", "id": lists[0]["id"]}
                self.call("POST", f"module/Contacts/{made['id']}/relationships", joined)

    def lose(self, key: str) -> None:
        """Somebody deletes the contact."""
        (number,) = [one["id"] for one in self.contacts() if one[ID] == key]
        self.call("DELETE", f"module/Contacts/{number}")


def columns(number: int, version: int) -> Mapping[str, Any]:
    """A customer whose segment changes with each version."""
    return {"last_name": f"canary {number}", "email": f"canary{number}@example.it", "segment": f"segment {version}"}


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A contact, as far as it is ours."""
    return {"last_name": row["last_name"], "email1": row["email"], "snello_segment_c": row["segment"]}


def writing(seen: Seen) -> bool:
    """Calls that change records or links; a login does not."""
    return seen.method in ("POST", "PATCH", "DELETE") and not seen.path.endswith("/access_token")


def _subject(**more: Any) -> Iterator[Subject]:
    with serve(suitecrm(lists=(LIST,), **more)) as url:
        crm = Crm(url)
        yield Subject(
            command="target_suitecrm:main",
            url=url,
            config=lambda url: {**SETTINGS, "url": url},
            terms={"purpose": "profiling", "channel": "any"},
            columns=columns,
            held=lambda: list(crm.ours()),
            shown=shown,
            bad=REFUSED,
            seed=crm.seed,
            foreign=crm.theirs,
            lose=crm.lose,
            secrets=(CLIENT_SECRET,),
            writes=writing,
        )


@starts(LACKS)
def newer() -> Iterator[Subject]:
    """Filters know *in*, pages are counted."""
    yield from _subject()


@starts(LACKS)
def elder() -> Iterator[Subject]:
    """One look-up a customer, and no page is counted where an own field is asked for."""
    yield from _subject(version=ELDER)
