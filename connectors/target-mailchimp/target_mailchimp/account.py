"""A Mailchimp account, version 3.0 of its Marketing API: the calls that a tag needs, within the published limits."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import md5
from typing import Any

import requests

from snello.kit.channel import BatchRefused, ConfigError, Http, Pace, Retry, choices

WHERE = "target-mailchimp"
MOST = 500  # contacts in a batch, addresses in a call to a tag
A_PAGE = 1_000
LONGEST_TAG = 10
DATACENTRE = re.compile(r"[A-Za-z0-9]+-([a-z]{2,3}\d+)")
WORDS = (
    ("permanently deleted", "forgotten_email"),
    ("compliance state", "compliance_state"),
    ("fake or invalid", "invalid_email"),
    ("valid email", "invalid_email"),
    ("role-based", "role_address"),
    ("signed up to a lot", "too_many_signups"),
    ("already a list member", "duplicate_email"),
    ("duplicate items", "duplicate_email"),
)
FULL = re.compile(r"(contact|audience|plan)\S* limit|limit of (your|its) plan", re.IGNORECASE)
FORBIDDEN = {
    "User Disabled": (
        "the user of the API key is disabled",
        "give the key of an active user in TARGET_MAILCHIMP_API_KEY",
    ),
    "Wrong Datacenter": (
        "the key belongs to another datacentre",
        "take api_url out, or let it name the key's datacentre",
    ),
    "Compliance Related": (
        "Mailchimp has stopped the account for compliance",
        "settle it with Mailchimp, then run again",
    ),
}


def root_of(key: str, given: str | None) -> str:
    """The address of the interface, which a key names by its ending. Raises ``ConfigError``."""
    found = DATACENTRE.fullmatch(key)
    if given:
        return given.rstrip("/")
    if found is None:
        cure = "copy it whole: it ends with the datacentre, as in -us21"
        raise ConfigError(WHERE, "api_key names no datacentre", cure)
    return f"https://{found[1]}.api.mailchimp.com/3.0"


def hash_of(email: str) -> str:
    """What names a contact in Mailchimp's paths."""
    return md5(email.lower().encode(), usedforsecurity=False).hexdigest()


class Account:
    """Calls under one key; faults that a row is to blame for leave as ``BatchRefused``."""

    def __init__(self, url: str, key: str, retry: Retry, per_second: float) -> None:
        self.url = url
        login = base64.b64encode(f"snello:{key}".encode()).decode()
        self.http = Http(
            WHERE,
            headers={"Authorization": f"Basic {login}", "Accept": "application/json"},
            retry=retry,
            pace=Pace(per_second),
            renew="renew the API key in TARGET_MAILCHIMP_API_KEY",
        )
        self.http.code_of, self.http.judge = _code, _judged

    def send(self, method: str, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        """One call about an audience or its parts. Raises ``ConfigError`` when that is gone."""
        try:
            answer = self.http.call(method, self.url + path, json=body, params=query or None, place=_place(path))
        except BatchRefused as fault:
            if fault.status == 404:
                cure = "set list_id and tag to what the account has, or set create_tag: true"
                raise ConfigError(WHERE, "the audience or its tag is not there any more", cure) from None
            raise
        said: dict[str, Any] = answer.json() if answer.content else {}
        return said

    def read(self, path: str, **query: Any) -> dict[str, Any]:
        """One GET."""
        return self.send("GET", path, None, **query)

    def pages(self, path: str, part: str, **query: Any) -> Iterator[dict[str, Any]]:
        """All entries of a listing, page by page."""
        offset = 0
        while page := self.read(path, count=A_PAGE, offset=offset, **query)[part]:
            yield from page
            if len(page) < A_PAGE:
                return
            offset += len(page)

    def of_contact(
        self, method: str, list_id: str, email: str, body: Any = None, action: str = ""
    ) -> dict[str, Any] | None:
        """One call about one contact; None when there is none of the address."""
        path = f"/lists/{list_id}/members/{hash_of(email)}{action}"
        try:
            answer = self.http.call(method, self.url + path, json=body, place="/lists/{list}/members/{contact}")
        except BatchRefused as fault:
            if fault.status == 404:
                return None
            raise
        said: dict[str, Any] = answer.json() if answer.content else {}
        return said

    def batch(self, list_id: str, members: Sequence[Mapping[str, Any]], update: bool) -> dict[str, Any]:
        """New contacts, or existing ones; ``errors`` has who was refused. Raises ``ConfigError`` for a full plan."""
        said = self.send("POST", f"/lists/{list_id}", {"members": list(members), "update_existing": update})
        if any(FULL.search(str(fault.get("error"))) for fault in said["errors"]):
            raise _full()
        return said

    def tag(self, list_id: str, segment: int, add: Sequence[str], remove: Sequence[str]) -> dict[str, Any]:
        """Give contacts the tag, and take it from others, by address."""
        body = {"members_to_add": list(add), "members_to_remove": list(remove)}
        return self.send(
            "POST", f"/lists/{list_id}/segments/{segment}", {part: mails for part, mails in body.items() if mails}
        )

    def list_called(self, number: str | None, name: str | None) -> str:
        """The id of the audience with this id or name, or of the only one. Raises ``ConfigError``."""
        if number:
            self.read(f"/lists/{number}", fields="id")
            return number
        lists = list(self.pages("/lists", "lists", fields="lists.id,lists.name"))
        found = [one["id"] for one in lists if name in (None, one["name"])]
        if len(found) == 1:
            return str(found[0])
        if found:
            raise ConfigError(WHERE, f"{len(found)} audiences would do", "set list_id")
        if not lists:
            raise ConfigError(WHERE, "the account has no audience", "make one in Mailchimp, then run again")
        cure = choices(name or "", (one["name"] for one in lists))
        raise ConfigError(WHERE, f"the account has no audience called {name!r}", f"set list_name; {cure}")

    def tag_called(self, list_id: str, name: str, create: bool) -> int:
        """The id of the tag with this name; made when there is none. Raises ``ConfigError``."""
        path = f"/lists/{list_id}/segments"
        tags = list(self.pages(path, "segments", type="static", fields="segments.id,segments.name"))
        found = [one["id"] for one in tags if one["name"] == name]
        if found:
            return int(found[0])
        if not create:
            cure = f"set create_tag: true, or another tag; {choices(name, (one['name'] for one in tags))}"
            raise ConfigError(WHERE, f"the audience has no tag called {name!r}", cure)
        return int(self.send("POST", path, {"name": name, "static_segment": []})["id"])

    def check_fields(self, list_id: str, wanted: Mapping[str, str], create: bool) -> dict[str, str]:
        """See that the audience has these merge fields, given with their types; all types. Raises ``ConfigError``.

        Mailchimp drops the values of fields that it does not know, without a word.
        """
        path = f"/lists/{list_id}/merge-fields"
        known = {one["tag"]: one["type"] for one in self.pages(path, "merge_fields")}
        for tag, kind in wanted.items():
            if tag in known:
                continue
            if not create or len(tag) > LONGEST_TAG:
                cure = f"map its column in merge_fields, or set create_merge_fields; {choices(tag, known)}"
                raise ConfigError(WHERE, f"the audience has no merge field {tag}", cure)
            self.send("POST", path, {"tag": tag, "name": tag, "type": kind, "public": False})
            known[tag] = kind
        return known


def word_of(text: str, field: str = "") -> str:
    """One word for Mailchimp's sentence about a contact."""
    said = text.lower()
    known = next((word for part, word in WORDS if part in said), "")
    return known or ("invalid_field" if field else "refused")


def word_for(fault: Mapping[str, Any]) -> str:
    """The word for one entry of a batch's ``errors``."""
    word = word_of(str(fault.get("error", "")), str(fault.get("field") or ""))
    blank = "blank" in str(fault.get("field_message", "")).lower()
    return "required_field" if word == "invalid_field" and blank else word


def _code(answer: requests.Response) -> str:
    body = _problem(answer)
    faults = body.get("errors") or [{}]
    about = {"field": faults[0].get("field"), "field_message": faults[0].get("message")}
    return word_for({"error": body.get("detail", ""), **about})


def _judged(answer: requests.Response) -> Exception | None:
    if answer.status_code == 403:
        known = FORBIDDEN.get(str(_problem(answer).get("title")))
        return ConfigError(WHERE, *known) if known else None
    if answer.status_code == 400 and FULL.search(str(_problem(answer).get("detail"))):
        return _full()
    return None


def _full() -> ConfigError:
    return ConfigError(
        WHERE, "the account holds as many contacts as its plan allows", "archive contacts, or take a larger plan"
    )


def _problem(answer: requests.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _place(path: str) -> str:
    """A path without ids."""
    return re.sub(r"^/lists/[^/]+", "/lists/{list}", path)
