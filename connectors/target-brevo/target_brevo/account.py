"""A Brevo account, version 3 of its interface: the calls that a list needs, within the published limits."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import requests

from snello.kit.channel import BatchRefused, ConfigError, Http, Pace, Retry, RetryLater, choices, code_of

WHERE = "target-brevo"
CONTACTS_A_PAGE = 1_000
MEMBERS_A_PAGE = 500
LISTS_A_PAGE = 50
FIRST_POLL, LONGEST_POLL = 0.5, 30.0  # seconds; an account may ask 100 times an hour
ACCOUNT_FAULTS = {
    "not_enough_credits": ("the account has no room for more contacts, or no credits", "take a larger plan in Brevo"),
    "permission_denied": ("the key's user may not do this", "give the user of the key the right to contacts in Brevo"),
    "account_under_validation": ("Brevo is still looking at the account", "wait for its approval, then run again"),
}
DUPLICATES = {"email": "duplicate_email", "ext_id": "duplicate_ext_id", "sms": "duplicate_phone"}


class Account:
    """Calls under one key; faults that a row is to blame for leave as ``BatchRefused``."""

    def __init__(self, url: str, key: str, retry: Retry, per_second: float) -> None:
        self.url = url.rstrip("/")
        self.http = Http(
            WHERE,
            headers={"api-key": key, "Accept": "application/json"},
            retry=retry,
            pace=Pace(per_second),
            renew="renew the API key in TARGET_BREVO_API_KEY",
        )
        self.http.code_of, self.http.judge = code, _judged

    def send(self, method: str, path: str, body: Any = None, *, place: str = "") -> requests.Response:
        """One call; ``place`` stands for the path in messages where the path names a person."""
        return self.http.call(method, self.url + path, place=place, json=body)

    def read(self, path: str, **query: Any) -> dict[str, Any]:
        """One GET."""
        found: dict[str, Any] = self.http.call("GET", self.url + path, params=query).json()
        return found

    def contact(self, identifier: str, kind: str) -> dict[str, Any] | None:
        """The contact with this ``email_id`` or ``ext_id``; None when there is none."""
        path = f"/contacts/{quote(identifier, safe='')}?identifierType={kind}"
        try:
            found: dict[str, Any] = self.send("GET", path, place="/contacts/{identifier}").json()
        except BatchRefused as fault:
            if fault.status == 404:
                return None
            raise
        return found

    def contacts(self, **query: Any) -> Iterator[dict[str, Any]]:
        """All contacts that the query admits, page by page, oldest first so that new ones do not shift the pages."""
        offset = 0
        while page := self.read("/contacts", limit=CONTACTS_A_PAGE, offset=offset, sort="asc", **query)["contacts"]:
            yield from page
            if len(page) < CONTACTS_A_PAGE:
                return
            offset += len(page)

    def delete(self, ext_id: str) -> None:
        """Forget the contact with this ``ext_id``; one that is gone is forgotten."""
        path = f"/contacts/{quote(ext_id, safe='')}?identifierType=ext_id"
        try:
            self.send("DELETE", path, place="/contacts/{identifier}")
        except BatchRefused as fault:
            if fault.status != 404:
                raise

    def members(self, number: int) -> Iterator[dict[str, Any]]:
        """The contacts on a list, page by page, oldest first."""
        offset, path = 0, f"/contacts/lists/{number}/contacts"
        while page := self.read(path, limit=MEMBERS_A_PAGE, offset=offset, sort="asc")["contacts"]:
            yield from page
            if len(page) < MEMBERS_A_PAGE:
                return
            offset += len(page)

    def list_called(self, name: str, folder: int | None) -> int:
        """The id of the list with this name; made in ``folder`` when there is none. Raises ``ConfigError``."""
        lists = list(self._lists())
        found = [one["id"] for one in lists if one["name"] == name]
        if len(found) > 1:
            raise ConfigError(WHERE, f"{len(found)} lists are called {name!r}", "set list_id instead of list_name")
        if found:
            return int(found[0])
        if folder is None:
            cure = f"set create_list: true, or another list_name; {choices(name, (one['name'] for one in lists))}"
            raise ConfigError(WHERE, f"the account has no list called {name!r}", cure)
        return int(self.send("POST", "/contacts/lists", {"name": name, "folderId": folder}).json()["id"])

    def check_list(self, number: int) -> int:
        """The id, when the account has such a list. Raises ``ConfigError``."""
        try:
            self.read(f"/contacts/lists/{number}")
        except BatchRefused:
            raise ConfigError(WHERE, f"the account has no list {number}", "set list_id to an existing list") from None
        return number

    def _lists(self) -> Iterator[dict[str, Any]]:
        offset = 0
        while page := self.read("/contacts/lists", limit=LISTS_A_PAGE, offset=offset).get("lists"):
            yield from page
            if len(page) < LISTS_A_PAGE:
                return
            offset += len(page)

    def check_attributes(self, wanted: Mapping[str, str], create: bool) -> None:
        """See that the account has these attributes, given with their types. Raises ``ConfigError``.

        Brevo drops the values of attributes that it does not know, without a word.
        """
        known = [one["name"] for one in self.read("/contacts/attributes")["attributes"]]
        for name, kind in wanted.items():
            if name in known:
                continue
            if not create:
                cure = f"map its column in attributes, or set create_attributes; {choices(name, known)}"
                raise ConfigError(WHERE, f"the account has no attribute {name}", cure)
            self.send("POST", f"/contacts/attributes/normal/{quote(name, safe='')}", {"type": kind})

    def start_import(self, rows: list[dict[str, Any]], list_id: int) -> tuple[int, str]:
        """Import rows into a list; the process to wait for, and the moment from which contacts may have changed.

        Nothing is said of blacklists: whoever unsubscribed in Brevo stays so.
        """
        body = {
            "jsonBody": rows,
            "listIds": [list_id],
            "updateExistingContacts": True,
            "emptyContactsAttributes": True,
            "disableNotification": True,
        }
        answer = self.send("POST", "/contacts/import", body)
        said = answer.headers.get("Date")
        began = parsedate_to_datetime(said) if said else datetime.now(UTC) - timedelta(minutes=1)
        since = (began - timedelta(seconds=5)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        return int(answer.json()["processId"]), since

    def wait_for(self, process: int, seconds: float) -> bool:
        """Whether the process completed; False when Brevo gave it up. Raises ``RetryLater`` when time runs out."""
        pause, waited = FIRST_POLL, 0.0
        while waited <= seconds:
            time.sleep(pause)
            waited += pause
            status = self.read(f"/processes/{process}")["status"]
            if status == "completed":
                return True
            if status in ("failed", "cancelled"):
                return False
            pause = min(2 * pause, LONGEST_POLL)
        raise RetryLater(WHERE, f"an import is not through after {seconds:.0f} s", "run again later; nothing is lost")


def _judged(answer: requests.Response) -> Exception | None:
    """What the account is to blame for, where the status alone would blame a row or the key."""
    if answer.status_code not in (402, 403):
        return None
    known = ACCOUNT_FAULTS.get(code_of(answer))
    return ConfigError(WHERE, *known) if known else None


def code(answer: requests.Response) -> str:
    """Brevo's word for a refusal, sharper than its ``invalid_parameter`` and ``duplicate_parameter``."""
    word = code_of(answer)
    if word not in ("invalid_parameter", "duplicate_parameter"):
        return word
    body = answer.json()
    said = str(body.get("message", "")).lower()
    if word == "invalid_parameter":
        return "invalid_email" if "email" in said else "invalid_phone" if "phone" in said or "sms" in said else word
    named = [one for one in (body.get("metadata") or {}).get("duplicate_identifiers") or [] if one in DUPLICATES]
    return DUPLICATES[named[0]] if named else word
