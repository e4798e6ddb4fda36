"""What a refusal of the Data Manager API means: a row's fault, the account's, or weather.

Google answers with a ``Status``: an ``ErrorInfo`` with the reason, the fields at fault, how long to wait.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import requests

from snello.kit.channel import BatchRefused, ConfigError, Transient

WHERE = "target-google-audiences"
NAME_TAKEN = "display_name_already_used"
A_DAY = 3_600.0  # asks for more patience than a run has: the quota of a day is spent
MEMBER = re.compile(r"audience_?members\[(\d+)\]", re.IGNORECASE)
REASON = re.compile(r"[A-Z][A-Z0-9_]{0,80}")
ACCESS = "give the login access to the account in Google Ads, or name the manager account in login_account_id"
CURES = {
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": ("the login lacks the scope datamanager", "make a token with that scope"),
    "SERVICE_DISABLED": ("the Data Manager API is off in the Google Cloud project", "enable it there"),
    "PERMISSION_DENIED": ("the login may not use the account", ACCESS),
    "USER_PROJECT_DENIED": ("the login may not use the quota project", "give it the role Service Usage Consumer"),
    "OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH": ("login_account_id does not reach account_id", ACCESS),
    "NOT_ALLOWLISTED": ("the account may not use Customer Match", "see that it meets Google's policy for it"),
    "ADVERTISER_NOT_ALLOWLISTED_FOR_UPLOADED_DATA": (
        "the account may not use Customer Match", "see that it meets Google's policy for it",
    ),
    "TERMS_AND_CONDITIONS_NOT_SIGNED": (
        "the account has not accepted the terms of Customer Match", "accept them in Google Ads",
    ),
    "INVALID_USER_LIST_ID": ("the list is not in the account any more", "name another in list_id or list_name"),
    "INVALID_USER_LIST_TYPE": ("the list takes no contact information", "name a Customer Match list of that type"),
    "DATA_PARTNER_USER_LIST_MUTATE_NOT_ALLOWED": ("the list belongs to the account, not to its partner", ACCESS),
    "INVALID_DESTINATION": ("the account or the list is not one", "check account_id, login_account_id and list_id"),
    "DESTINATION_ACCOUNT_TYPE_MISMATCH": ("the account is of another type", "set account_type to its own"),
    "INVALID_RESOURCE_NAME": ("the account's number is not one", "check account_id and login_account_id"),
    "EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED": (
        "the account lacks the declaration on political advertising", "make it in Google Ads",
    ),
    "USER_LIST_TYPE_NOT_SUPPORTED_FOR_ACCOUNT": ("the account may have no such list", "use another account"),
}  # fmt: skip


class RowsAtFault(BatchRefused):
    """Some members of a request are to blame: ``reasons`` by their place in it. None was taken."""

    def __init__(self, status: int, reasons: Mapping[int, str]) -> None:
        super().__init__(next(iter(reasons.values())), status)
        self.reasons = dict(reasons)


def judge(answer: requests.Response) -> Exception | None:
    """The fault that an answer tells in its own words; None leaves it to the status."""
    if answer.status_code < 400 or answer.status_code == 401:
        return None
    details = list(_details(answer))
    reasons = [one["reason"] for one in details if isinstance(one.get("reason"), str)]
    violations = [part for one in details for part in one.get("fieldViolations") or [] if isinstance(part, dict)]
    if answer.status_code == 429:
        wait = _wait(details)
        return None if wait is None else Transient("429", wait)
    if at_fault := _members(violations):
        return RowsAtFault(answer.status_code, at_fault)
    named = [str(part.get("reason", "")) for part in violations] + reasons
    for reason in named:
        if reason in CURES:
            what, cure = CURES[reason]
            return ConfigError(WHERE, what, cure)
    if answer.status_code == 403:
        what, cure = CURES["PERMISSION_DENIED"]
        return ConfigError(WHERE, what, cure)
    if answer.status_code < 500:
        return BatchRefused(_word(named), answer.status_code)
    return None


def _details(answer: requests.Response) -> Iterator[dict[str, Any]]:
    try:
        body = answer.json()
    except ValueError:
        return
    error = body.get("error") if isinstance(body, dict) else None
    found = error.get("details") if isinstance(error, dict) else None
    yield from (one for one in found or [] if isinstance(one, dict))


def _members(violations: list[dict[str, Any]]) -> dict[int, str]:
    """Places of the members that are to blame, with a word for each."""
    found: dict[int, str] = {}
    for part in violations:
        if place := MEMBER.search(str(part.get("field", ""))):
            found.setdefault(int(place[1]), _word([str(part.get("reason", ""))]))
    return found


def _word(reasons: list[str]) -> str:
    """A code for receipts, out of Google's own words; never a text that could quote a row."""
    fit = [reason for reason in reasons if REASON.fullmatch(reason)]
    word = fit[0].lower() if fit else "invalid_argument"
    return {"too_many_audience_members": "too_many_rows"}.get(word, word)


def _wait(details: list[dict[str, Any]]) -> float | None:
    """Seconds that Google asks to wait: what it says, and long where the quota of a day is spent."""
    for one in details:
        if "perday" in str((one.get("metadata") or {}).get("quota_limit", "")).lower():
            return A_DAY
    for one in details:
        if said := re.fullmatch(r"(\d+(?:\.\d+)?)s", str(one.get("retryDelay", ""))):
            return float(said[1])
    return None
