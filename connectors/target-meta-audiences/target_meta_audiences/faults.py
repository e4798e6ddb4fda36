"""What Meta's errors mean: whose fault, what to do, and how long to wait. Their status says little, their codes all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import requests

from snello.kit.channel import BatchRefused, ConfigError, ContractError, Transient

WHERE = "target-meta-audiences"
LIMITS = frozenset({4, 17, 32, 341, 613, *range(80000, 80015)})
PASSING = frozenset({1, 2, 803, 2650})  # 803: the audience was made a moment ago
INVALID, TOO_MANY = 100, 105
USUAL_WAIT = 60.0  # seconds for which Meta blocks an ad account of the standard tier

TOKEN = "make a new token of a system user and set TARGET_META_AUDIENCES_ACCESS_TOKEN"
RIGHTS = "grant ads_management to the token, and its user the right to manage the ad account and its audiences"
FLAGGED = (
    "Meta has frozen the audience for integrity reasons",
    "appeal in Audience Manager, or name another audience: members cannot be changed before",
)
TERMS = ("nobody accepted the terms of custom audiences", "accept them in Ads Manager for the business of the account")
GONE = (
    "there is no such audience or ad account, or the token may not see it",
    "check audience_id and ad_account; a deleted audience needs another name, or audience_id left out",
)
MEANINGS: Mapping[tuple[int, int], tuple[str, str]] = {
    (3, 0): ("the app may not manage audiences", "add the Marketing API to the app"),
    (10, 0): ("a permission is missing", RIGHTS),
    (100, 33): GONE,
    (100, 1713228): FLAGGED,
    (100, 1713230): FLAGGED,
    (100, 1713231): FLAGGED,
    (190, 0): ("the access token is not valid", TOKEN),
    (190, 458): ("the access token's user has taken the app out", TOKEN),
    (190, 459): ("the access token's user has to log in to Facebook first", "log in once, then run again"),
    (190, 460): ("the access token's user has changed the password", TOKEN),
    (190, 463): ("the access token has expired", TOKEN),
    (190, 464): ("the access token's user is not confirmed", TOKEN),
    (190, 467): ("the access token was revoked", TOKEN),
    (200, 0): ("a permission is missing", RIGHTS),
    (200, 1870050): ("a permission is missing", "link the ad account to the business of the token"),
    (200, 1870090): TERMS,
    (270, 0): ("the app has development access alone", "ask for advanced access to ads_management in App Review"),
    (294, 0): ("the token lacks ads_management", RIGHTS),
    (368, 0): ("Meta blocks the account for now", "see Account Quality in Business Suite"),
    (2635, 0): ("the version of the interface is too old", "set api_version to a version that Meta still serves"),
    (2650, 1870144): ("100 million people and more cannot be replaced as a whole", "use mode mirror"),
    (2655, 0): TERMS,
    (2663, 0): TERMS,
}


def judge(answer: requests.Response) -> Exception | None:
    """The fault in an answer, whatever its status; None where there is none that Meta names."""
    error = _error_of(answer)
    if error is None:
        return None
    code, sub = _number(error.get("code")), _number(error.get("error_subcode"))
    meaning = MEANINGS.get((code, sub)) or MEANINGS.get((code, 0))
    if code in LIMITS:
        return Transient(f"Meta's limit of calls is reached (code {code})", wait_of(answer.headers) or USUAL_WAIT)
    if meaning:
        return ConfigError(WHERE, f"{meaning[0]} ({_named(code, sub)})", meaning[1])
    if code in PASSING or error.get("is_transient") is True:
        return Transient(f"Meta could not do it now ({_named(code, sub)})")
    if code in (INVALID, TOO_MANY):
        return BatchRefused("invalid_parameter" if code == INVALID else "too_large", answer.status_code)
    what = f"Meta answers with an error that is not known here ({_named(code, sub)})"
    return ContractError(WHERE, what, "look the code up in Meta's reference of errors")


def wait_of(headers: Mapping[str, str]) -> float | None:
    """Seconds until Meta lets the app or the ad account in again, by the longest that its headers name."""
    waits = [minutes * 60 for minutes in _of_business(headers)]
    waits.append(float(_object(headers.get("X-Ad-Account-Usage")).get("reset_time_duration") or 0))
    return max(waits) or None


def used_up(headers: Mapping[str, str]) -> bool:
    """Whether the next call would meet a limit."""
    account = _object(headers.get("X-Ad-Account-Usage")).get("acc_id_util_pct", 0)
    app = _object(headers.get("X-App-Usage"))
    shares = [account, *(app.get(name, 0) for name in ("call_count", "total_time", "total_cputime"))]
    return any(_of_business(headers)) or any(isinstance(share, int | float) and share >= 100 for share in shares)


def _of_business(headers: Mapping[str, str]) -> Iterator[float]:
    """Minutes to wait for each kind of call, as told of each business or account."""
    for kinds in _object(headers.get("X-Business-Use-Case-Usage")).values():
        for kind in kinds if isinstance(kinds, list) else ():
            minutes = kind.get("estimated_time_to_regain_access") if isinstance(kind, dict) else None
            if isinstance(minutes, int | float):
                yield float(minutes)


def _error_of(answer: requests.Response) -> Mapping[str, Any] | None:
    error = _object(answer.content).get("error")
    return error if isinstance(error, dict) else None


def _object(text: str | bytes | None) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text or b"{}", type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _named(code: int, sub: int) -> str:
    return f"code {code}, subcode {sub}" if sub else f"code {code}"
