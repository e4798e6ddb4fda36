"""A HubSpot account, version 3 of its CRM interface: the calls that an audience needs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests

from snello.kit.channel import BatchRefused, ConfigError, Http, Pace, Retry
from target_hubspot.faults import WHERE, code_of, judge, word

A_BATCH, A_PAGE, MEMBERS_A_PAGE = 100, 100, 250
BY_HAND = ("MANUAL", "SNAPSHOT")
CONTACTS = "0-1"  # HubSpot's number for the type


@dataclass
class Outcome:
    """What became of a batch: the records' ids and the words for refusals, by our keys."""

    done: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


class Account:
    """Calls under one private app; faults that a row is to blame for leave as ``BatchRefused``."""

    def __init__(self, url: str, token: str, retry: Retry, per_second: float, parallel: int) -> None:
        self.url = url.rstrip("/")
        self.http = Http(
            WHERE,
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            retry=retry,
            pace=Pace(per_second),
            parallel=parallel,
            renew="renew the private app's token in TARGET_HUBSPOT_ACCESS_TOKEN",
        )
        self.http.code_of, self.http.judge = code_of, judge

    def send(self, method: str, path: str, body: Any = None, *, place: str = "") -> requests.Response:
        """One call; ``place`` stands for the path in messages."""
        return self.http.call(method, self.url + path, place=place, json=body)

    def read(self, path: str, **query: Any) -> dict[str, Any]:
        """One GET."""
        found: dict[str, Any] = self.http.call("GET", self.url + path, params=query).json()
        return found

    # ---- contacts

    def write(self, action: str, inputs: Sequence[Mapping[str, Any]], id_property: str) -> Outcome:
        """Upsert or update a batch; each input bears its key as trace id, so that HubSpot judges row by row."""
        body = self.send("POST", f"/crm/v3/objects/contacts/batch/{action}", {"inputs": list(inputs)}).json()
        outcome, keys = Outcome(), {str(one["objectWriteTraceId"]) for one in inputs}
        for result in body.get("results") or ():
            key = result.get("objectWriteTraceId") or (result.get("properties") or {}).get(id_property)
            if key in keys:
                outcome.done[key] = str(result["id"])
        for error in body.get("errors") or ():
            context = error.get("context") or {}
            for name in ("objectWriteTraceId", "ids"):
                named = context.get(name) or []
                outcome.faults |= dict.fromkeys([named] if isinstance(named, str) else named, word(error))
        return outcome

    def find(
        self, values: Iterable[str], id_property: str | None, kind: str = "contacts", more: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """The records of a kind that have these values of a unique property, or these ids; some may be missing."""
        wanted = list(dict.fromkeys(values))
        found: list[dict[str, Any]] = []
        for start in range(0, len(wanted), A_BATCH):
            names = [name for name in (id_property, *more) if name]
            body: dict[str, Any] = {"properties": names, "propertiesWithHistory": []}
            body["inputs"] = [{"id": value} for value in wanted[start : start + A_BATCH]]
            if id_property:
                body["idProperty"] = id_property
            found += self.send("POST", f"/crm/v3/objects/{kind}/batch/read", body).json().get("results") or []
        return found

    def ids(self, keys: Iterable[str], id_property: str, kind: str = "contacts") -> dict[str, str]:
        """Record ids by the value of a unique property."""
        records = self.find(keys, id_property, kind)
        return {str(one["properties"][id_property]): str(one["id"]) for one in records}

    def archive(self, ids: Sequence[str]) -> None:
        """Take contacts away; within 90 days somebody can bring them back."""
        for start in range(0, len(ids), A_BATCH):
            inputs = [{"id": one} for one in ids[start : start + A_BATCH]]
            self.send("POST", "/crm/v3/objects/contacts/batch/archive", {"inputs": inputs})

    def forget(self, record: str) -> None:
        """Delete a contact for good; one that is gone is forgotten."""
        try:
            self.send("POST", "/crm/v3/objects/contacts/gdpr-delete", {"objectId": record})
        except BatchRefused as fault:
            if fault.status != 404:
                raise

    def everybody(self, id_property: str) -> Iterator[dict[str, Any]]:
        """All contacts, page by page."""
        yield from self._pages("/crm/v3/objects/contacts", limit=A_PAGE, properties=id_property)

    def count(self, name: str, value: str) -> int:
        """Contacts with this value of a property, as HubSpot's index has it, some seconds late."""
        one = {"propertyName": name, "operator": "EQ", "value": value}
        body = {"filterGroups": [{"filters": [one]}], "properties": [name], "limit": 1}
        return int(self.send("POST", "/crm/v3/objects/contacts/search", body).json()["total"])

    def associate(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Give contacts companies, by the default association."""
        inputs = [{"from": {"id": contact}, "to": {"id": company}} for contact, company in pairs]
        path = "/crm/v4/associations/contacts/companies/batch/associate/default"
        self.send("POST", path, {"inputs": inputs})

    # ---- lists

    def list_called(self, name: str, create: bool) -> str:
        """The id of the list with this name; made when there is none and that is allowed. Raises ``ConfigError``."""
        path = f"/crm/v3/lists/object-type-id/{CONTACTS}/name/{quote(name, safe='')}"
        found = self._list(path)
        if found is None and not create:
            cure = "set create_list: true, or another list_name"
            raise ConfigError(WHERE, f"the account has no list of contacts called {name!r}", cure)
        return _by_hand(found or self._made(name, path))

    def _made(self, name: str, path: str) -> dict[str, Any]:
        body = {"name": name, "objectTypeId": CONTACTS, "processingType": "MANUAL"}
        try:
            made: dict[str, Any] = self.send("POST", "/crm/v3/lists/", body).json()["list"]
        except BatchRefused as fault:
            found = self._list(path)  # an earlier try, whose answer was lost, may have made it
            if found is None:
                what = f"HubSpot does not make the list {name!r} ({fault.code})"
                raise ConfigError(WHERE, what, "make it in HubSpot, as a static list of contacts") from None
            return found
        return made

    def check_list(self, number: str) -> str:
        """The id, when the account has such a list. Raises ``ConfigError``."""
        found = self._list(f"/crm/v3/lists/{number}")
        if found is None:
            raise ConfigError(WHERE, f"the account has no list {number}", "set list_id to an existing list")
        return _by_hand(found)

    def _list(self, path: str) -> dict[str, Any] | None:
        try:
            answer = self.http.call("GET", self.url + path, place="/crm/v3/lists/{list}").json()
        except BatchRefused as fault:
            if fault.status != 404:
                raise
            return None
        found: dict[str, Any] = answer["list"]
        return found

    def change_members(self, number: str, action: str, ids: Sequence[str]) -> set[str]:
        """Put records on a list, or take them off; the ids that exist no longer. Raises ``ConfigError``."""
        path = f"/crm/v3/lists/{number}/memberships/{action}"
        try:
            answer = self.send("PUT", path, list(ids)).json()
        except BatchRefused as fault:
            if fault.status != 404:
                raise
            raise ConfigError(WHERE, f"the account has no list {number} any more", "name another list") from None
        return set(map(str, answer.get("recordIdsMissing") or ()))

    def members(self, number: str) -> Iterator[str]:
        """The record ids on a list, page by page."""
        for one in self._pages(f"/crm/v3/lists/{number}/memberships", limit=MEMBERS_A_PAGE):
            yield str(one["recordId"])

    def size_of(self, number: str) -> int:
        """How many are on a list."""
        found = self.read(f"/crm/v3/lists/{number}")["list"]
        size = found.get("size")
        return int(found.get("additionalProperties", {}).get("hs_list_size", 0) if size is None else size)

    def _pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        after: str | None = None
        while True:
            page = self.read(path, **query, **({"after": after} if after else {}))
            yield from page["results"]
            following = ((page.get("paging") or {}).get("next") or {}).get("after")
            if following is None or following == after:
                return
            after = str(following)


def _by_hand(found: Mapping[str, Any]) -> str:
    if found["processingType"] not in BY_HAND:
        what = f"HubSpot itself fills the list {found['name']!r}"
        raise ConfigError(WHERE, what, "name a static list, or keep a property with membership: property")
    return str(found["listId"])
