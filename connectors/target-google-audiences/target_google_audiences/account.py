"""A Google Ads account behind the Data Manager API, version 1: the calls that a Customer Match list needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import requests

from snello.kit.channel import BatchRefused, ConfigError, Http, choices
from target_google_audiences.refusals import NAME_TAKEN, WHERE

LISTS_A_PAGE = 1_000
CONTACTS = "CONTACT_ID"
Kind = Literal["ingest", "remove"]
State = Literal["processing", "done", "partial", "failed", "unknown"]
STATES: Mapping[str, State] = {"SUCCESS": "done", "PARTIAL_SUCCESS": "partial", "FAILED": "failed"}


@dataclass(frozen=True)
class Outcome:
    """What became of a request; ``reason``: the word for most of its failures, empty when Google gave none."""

    state: State
    reason: str = ""
    records: int = 0
    mixed: bool = False


@dataclass(frozen=True)
class Account:
    """One account, reached through ``login`` where that is another; ``linked``: through a link of that one.

    - accounts are pairs of their type and their number
    - ``personalise``: whether the people agreed to ads that fit them
    """

    http: Http
    url: str
    operating: tuple[str, str]
    login: tuple[str, str] | None = None
    linked: tuple[str, str] | None = None
    personalise: bool = True

    def send(self, kind: Kind, list_id: int, members: Sequence[Mapping[str, Any]]) -> str:
        """Have members put on a list or taken off it; the id of the request, which is then processed.

        Raises ``RowsAtFault`` when some of the members are to blame: Google took none of them then.
        """
        body: dict[str, Any] = {"destinations": [self._destination(list_id)], "audienceMembers": list(members)}
        body["encoding"] = "HEX"
        if kind == "ingest":
            personal = "CONSENT_GRANTED" if self.personalise else "CONSENT_DENIED"
            body["consent"] = {"adUserData": "CONSENT_GRANTED", "adPersonalization": personal}
            body["termsOfService"] = {"customerMatchTermsOfServiceStatus": "ACCEPTED"}
        return str(self.http.call("POST", f"{self.url}/audienceMembers:{kind}", json=body).json()["requestId"])

    def outcome(self, request: str) -> Outcome:
        """What became of a request so far; Google remembers for about 50 days."""
        try:
            answer = self.http.call("GET", f"{self.url}/requestStatus:retrieve", params={"requestId": request})
        except BatchRefused as fault:
            if fault.code in ("not_found", "invalid_request_id", "request_too_old"):
                return Outcome("unknown")
            raise
        told = (answer.json().get("requestStatusPerDestination") or [{}])[0]
        return _outcome(told)

    def user_list(self, number: int) -> dict[str, Any]:
        """A list by its number. Raises ``ConfigError`` when the account has no such list."""
        try:
            found: dict[str, Any] = self._read(f"{self._lists}/{number}").json()
        except BatchRefused as fault:
            if fault.status not in (400, 404):
                raise
            what, cure = f"the account has no list {number}", "set list_id to the list's number, or list_name"
            raise ConfigError(WHERE, what, cure) from None
        return found

    def list_called(self, name: str) -> dict[str, Any] | None:
        """The list with this name; None when there is none."""
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        page = self._read(self._lists, filter=f'display_name = "{quoted}"', pageSize=LISTS_A_PAGE).json()
        found = [one for one in page.get("userLists") or [] if one.get("displayName") == name]
        return found[0] if found else None

    def create_list(self, name: str, days: int | None) -> dict[str, Any]:
        """A new list of people known by contact information, or the one that was made meanwhile."""
        body: dict[str, Any] = {"displayName": name, "membershipStatus": "OPEN"}
        info = {"dataSourceType": "DATA_SOURCE_TYPE_FIRST_PARTY"}
        body["ingestedUserListInfo"] = {"uploadKeyTypes": [CONTACTS], "contactIdInfo": info}
        if days is not None:
            body["membershipDuration"] = f"{days * 86_400}s"
        try:
            made: dict[str, Any] = self.http.call("POST", self._lists, json=body, headers=self._headers).json()
        except BatchRefused as fault:
            # an earlier try, whose answer was lost, may have made it
            if fault.code == NAME_TAKEN and (there := self.list_called(name)):
                return there
            cure = "see list_name and membership_days, or make the list in Google Ads and set list_id"
            raise ConfigError(WHERE, f"Google would not make the list ({fault.code})", cure) from None
        return made

    def no_such_list(self, name: str) -> ConfigError:
        """The fault that the account has no list of this name."""
        known = [one.get("displayName", "") for one in self._read(self._lists, pageSize=50).json().get("userLists", [])]
        cure = f"set create_list: true, or another list_name; {choices(name, known)}"
        return ConfigError(WHERE, f"the account has no list called {name!r}", cure)

    @property
    def _lists(self) -> str:
        return f"{self.url}/{_resource(self.operating)}/userLists"

    @property
    def _headers(self) -> dict[str, str]:
        """Who asks, where a request names no destination."""
        through = {"login-account": self.login, "linked-account": self.linked}
        return {name: _resource(account) for name, account in through.items() if account}

    def _read(self, url: str, **query: Any) -> requests.Response:
        return self.http.call("GET", url, params=query, headers=self._headers)

    def _destination(self, list_id: int) -> dict[str, Any]:
        accounts = {
            "operatingAccount": self.operating,
            "loginAccount": self.login,
            "linkedAccount": self.linked,
        }
        told = {
            name: {"accountType": account[0], "accountId": account[1]} for name, account in accounts.items() if account
        }
        return {**told, "productDestinationId": str(list_id)}


def _resource(account: tuple[str, str]) -> str:
    return f"accountTypes/{account[0]}/accounts/{account[1]}"


def _outcome(told: Mapping[str, Any]) -> Outcome:
    state = STATES.get(told.get("requestStatus", ""), "processing")
    counts = (told.get("errorInfo") or {}).get("errorCounts") or []
    most: Mapping[str, Any] = max(counts, key=lambda one: int(one.get("recordCount", 0)), default={})
    word = str(most.get("reason", "")).removeprefix("PROCESSING_ERROR_REASON_").lower()
    either = told.get("audienceMembersIngestionStatus") or told.get("audienceMembersRemovalStatus") or {}
    inner = either.get("userDataIngestionStatus") or either.get("userDataRemovalStatus") or {}
    return Outcome(state, word, int(inner.get("recordCount", 0)), len(counts) > 1)
