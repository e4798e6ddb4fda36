"""An ad account and one custom audience in it: the calls of the Graph API that keep its members."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import requests

from snello.kit import redact
from snello.kit.channel import BatchRefused, ConfigError, ContractError, Http, Pace, Retry, RetryLater, choices
from target_meta_audiences.faults import FLAGGED, TOKEN, WHERE, judge, used_up, wait_of
from target_meta_audiences.people import Row, payload_of

AUDIENCES_A_PAGE = 100
FIRST_POLL, LONGEST_POLL = 1.0, 60.0  # seconds
REPLACING = 414
NO_USE = {  # of operation_status
    470: ("the account that made the audience is no longer active", "name another audience"),
    471: FLAGGED,
    500: ("Meta reports an error of the audience", "see what Audience Manager says of it"),
}
MOST_AUDIENCES = 500  # of customer lists in one account
CLOSED = {2: "disabled", 7: "under review", 100: "about to be closed", 101: "closed"}  # of account_status
FIELDS = "id,name,subtype,operation_status,delivery_status,approximate_count_lower_bound,approximate_count_upper_bound"


@dataclass(frozen=True)
class Answer:
    """What became of rows: how many Meta received, and about how many it could not read."""

    received: int
    invalid: int


class Account:
    """Calls under one token; faults that a row may be to blame for leave as ``BatchRefused``."""

    def __init__(self, root: str, number: str, token: str, secret: str, retry: Retry, per_second: float) -> None:
        self.root, self.number = root, f"act_{number.removeprefix('act_')}"
        self._query: dict[str, str] = {}
        if secret:
            proof = hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()
            redact.hide(proof)
            self._query["appsecret_proof"] = proof
        once = Retry(attempts=1, timeout=retry.timeout, max_wait=retry.max_wait)
        self._http, self._once = (self._client(token, each, per_second) for each in (retry, once))
        self._longest = retry.max_wait
        self._headers: Mapping[str, str] = {}

    @staticmethod
    def _client(token: str, retry: Retry, per_second: float) -> Http:
        headers = {"Authorization": f"Bearer {token}"}
        http = Http(WHERE, headers=headers, retry=retry, pace=Pace(per_second), renew=TOKEN)
        http.judge = judge
        return http

    def close(self) -> None:
        """Close the connections."""
        self._http.close()
        self._once.close()

    def call(
        self, method: str, path: str, body: Any = None, *, once: bool = False, place: str = "", **query: Any
    ) -> dict[str, Any]:
        """The document of one call; ``once``: it is not repeated when its answer was lost."""
        self._rest()
        http = self._once if once else self._http
        given = {"params": {**self._query, **query}, "json": body}
        answer = http.call(method, f"{self.root}/{path}", place=place or f"/{path.partition('?')[0]}", **given)
        self._headers = answer.headers
        document = answer.json()
        if not isinstance(document, dict):
            raise requests.exceptions.JSONDecodeError("not an object", "", 0)
        return document

    def check(self) -> None:
        """See that the account may be used. Raises ``ConfigError``."""
        try:
            status = self.call("GET", self.number, place="/act", fields="account_status").get("account_status")
        except BatchRefused:
            cure = "check ad_account, and that TARGET_META_AUDIENCES_APP_SECRET is of the token's app"
            raise ConfigError(WHERE, "Meta does not take the call for the ad account", cure) from None
        if status in CLOSED:
            raise ConfigError(WHERE, f"the ad account is {CLOSED[status]}", "mend it in Ads Manager, or name another")

    def audience(self, number: str) -> dict[str, Any]:
        """What Meta says of an audience. Raises ``ConfigError`` when there is none."""
        try:
            return self.call("GET", number, place="/audience", fields=FIELDS)
        except BatchRefused:
            raise ConfigError(WHERE, "audience_id names no audience", "check audience_id") from None

    def audience_called(self, name: str, source: str | None) -> str:
        """The id of the audience with this name; made of that ``source`` when there is none. Raises ``ConfigError``."""
        there = list(self._audiences())
        found = [str(one["id"]) for one in there if one.get("name") == name and one.get("subtype") == "CUSTOM"]
        if len(found) > 1:
            raise ConfigError(WHERE, f"{len(found)} audiences are called {name!r}", "set audience_id instead")
        if found:
            return found[0]
        if source is None:
            cure = (
                f"set create_audience: true, or another audience_name; {choices(name, (one['name'] for one in there))}"
            )
            raise ConfigError(WHERE, f"the ad account has no audience called {name!r}", cure)
        return self._made(name, source, sum(one.get("subtype") == "CUSTOM" for one in there))

    def _made(self, name: str, source: str, lists: int) -> str:
        """The id of a new audience, in an account with so many ``lists``; no row is to blame when Meta makes none."""
        body = {"name": name, "subtype": "CUSTOM", "customer_file_source": source}
        path, place = f"{self.number}/customaudiences", "/act/customaudiences"
        try:
            # never twice: were the answer lost, the next run finds the audience by its name
            return str(self.call("POST", path, body, once=True, place=place)["id"])
        except (BatchRefused, ContractError) as fault:
            what, cure = "Meta would not make the audience", "make it in Audience Manager, and set audience_id"
            if lists >= MOST_AUDIENCES:
                what += f": the ad account has {lists} of the {MOST_AUDIENCES} customer lists that it may have"
                cure = "delete one that is not used, or name one that is there in audience_name"
            elif isinstance(fault, ContractError):
                raise
            raise ConfigError(WHERE, what, cure) from None

    def _audiences(self) -> Iterator[dict[str, Any]]:
        query: dict[str, Any] = {"fields": "id,name,subtype", "limit": AUDIENCES_A_PAGE}
        while True:
            page = self.call("GET", f"{self.number}/customaudiences", place="/act/customaudiences", **query)
            yield from page.get("data", [])
            paging = page.get("paging") or {}
            after = (paging.get("cursors") or {}).get("after")
            if not paging.get("next") or not after:
                return
            query["after"] = after

    def usable(self, number: str, seconds: float) -> None:
        """Return once the audience's members may be changed.

        Raises ``ConfigError`` when a person has to mend something, ``RetryLater`` when it takes longer than that.
        """
        pause, waited = FIRST_POLL, 0.0
        while (code := self._status(number)) == REPLACING:
            if waited >= seconds:
                what = f"another replacement of the audience is not through after {seconds:.0f} s"
                raise RetryLater(WHERE, what, "run again later; nothing is lost")
            pause = min(pause, max(seconds - waited, 0.01))
            time.sleep(pause)
            waited, pause = waited + pause, min(2 * pause, LONGEST_POLL)
        if code in NO_USE:
            what, cure = NO_USE[code]
            raise ConfigError(WHERE, f"{what} (operation_status {code})", cure)

    def _status(self, number: str) -> int:
        found = self.audience(number)
        if found.get("subtype") not in (None, "CUSTOM"):
            cure = "name an audience that was made of a customer list"
            raise ConfigError(WHERE, "the members of such an audience are not given by lists", cure)
        return code_of(found, "operation_status")

    def users(self, method: str, number: str, rows: Sequence[Row], fields: Sequence[str]) -> Answer:
        """Add (``POST``) or take away (``DELETE``) members; the same rows once more change nothing."""
        body = {"payload": payload_of(rows, fields)}
        return _answer(self.call(method, f"{number}/users", body, place="/audience/users"))

    def replace(self, number: str, session: Mapping[str, Any], rows: Sequence[Row], fields: Sequence[str]) -> Answer:
        """One batch of a session that replaces all members; its first batch is never repeated: it begins a session."""
        body = {"session": session, "payload": payload_of(rows, fields)}
        first = session["batch_seq"] == 1
        return _answer(self.call("POST", f"{number}/usersreplace", body, once=first, place="/audience/usersreplace"))

    def _rest(self) -> None:
        """Wait as the last answer asks to, rather than meet the limit."""
        headers, self._headers = self._headers, {}
        wait = wait_of(headers) if used_up(headers) else None
        if wait and wait > self._longest:
            raise RetryLater(WHERE, f"Meta asks to wait {wait:.0f} s", "run again after that time; nothing is lost")
        if wait:
            time.sleep(wait)


def code_of(audience: Mapping[str, Any], name: str) -> int:
    """The code of one of an audience's states; 0 when Meta does not say."""
    state = audience.get(name)
    code = state.get("code") if isinstance(state, dict) else None
    return code if isinstance(code, int) else 0


def _answer(document: Mapping[str, Any]) -> Answer:
    received, invalid = document.get("num_received"), document.get("num_invalid_entries")
    if not isinstance(received, int) or not isinstance(invalid, int):
        cure = "set api_version to a version that the target knows"
        raise ContractError(WHERE, "Meta's answer does not say how many rows it received", cure)
    return Answer(received, invalid)
