"""What the Data Manager API checks before it takes a request, and the words in which it refuses one.

``SHAPES`` names the fields that each message has; any other is refused, as JSON for protocol buffers is.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

DOMAIN = "datamanager.googleapis.com"
MOST_MEMBERS, MOST_IDENTIFIERS, MOST_DESTINATIONS = 10_000, 10, 10
ENUMS = {
    "Encoding": ("ENCODING_UNSPECIFIED", "HEX", "BASE64"),
    "ConsentStatus": ("CONSENT_STATUS_UNSPECIFIED", "CONSENT_GRANTED", "CONSENT_DENIED"),
    "TermsOfServiceStatus": ("TERMS_OF_SERVICE_STATUS_UNSPECIFIED", "ACCEPTED", "REJECTED"),
    "AccountType": (
        "ACCOUNT_TYPE_UNSPECIFIED", "GOOGLE_ADS", "DISPLAY_VIDEO_PARTNER", "DISPLAY_VIDEO_ADVERTISER", "DATA_PARTNER",
        "GOOGLE_ANALYTICS_PROPERTY", "GOOGLE_AD_MANAGER_AUDIENCE_LINK", "FLOODLIGHT_CONFIG", "GOOGLE_AD_MANAGER",
    ),
}  # fmt: skip
DESTINATIONS, MEMBERS = ("destinations", "[Destination"), ("audienceMembers", "[AudienceMember")
SHAPES: Mapping[str, Mapping[str, str]] = {
    "IngestAudienceMembersRequest": dict(
        [DESTINATIONS, MEMBERS], consent="Consent", validateOnly="bool", encoding="Encoding",
        termsOfService="TermsOfService", encryptionInfo="",
    ),
    "RemoveAudienceMembersRequest": dict(
        [DESTINATIONS, MEMBERS], validateOnly="bool", encoding="Encoding", encryptionInfo=""
    ),
    "Destination": {
        "reference": "str", "loginAccount": "ProductAccount", "linkedAccount": "ProductAccount",
        "operatingAccount": "ProductAccount", "productDestinationId": "str",
    },
    "ProductAccount": {"product": "", "accountId": "str", "accountType": "AccountType"},
    "Consent": {"adUserData": "ConsentStatus", "adPersonalization": "ConsentStatus"},
    "TermsOfService": {"customerMatchTermsOfServiceStatus": "TermsOfServiceStatus"},
    "AudienceMember": {
        "destinationReferences": "", "userData": "UserData", "pairData": "", "mobileData": "", "userIdData": "",
        "ppidData": "", "compositeData": "", "googleUserIdData": "", "partnerProvidedIdData": "", "consent": "Consent",
    },
    "UserData": {"userIdentifiers": "[UserIdentifier"},
    "UserIdentifier": {"emailAddress": "str", "phoneNumber": "str", "address": "AddressInfo"},
    "AddressInfo": {
        "givenName": "str", "familyName": "str", "regionCode": "str", "postalCode": "str", "addressLine": "str",
        "city": "str", "administrativeArea": "str",
    },
}  # fmt: skip
STATUS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"}
STATUS |= {409: "ALREADY_EXISTS", 429: "RESOURCE_EXHAUSTED"}
HASH = re.compile(r"[0-9a-fA-F]{64}")
Violation = tuple[str, str]  # where, and the reason


class Refused(Exception):
    """An answer in Google's error envelope: a ``Status`` with an ``ErrorInfo``, and violations where there are some."""

    def __init__(self, code: int, reason: str, violations: list[Violation] | None = None, **metadata: str) -> None:
        super().__init__(reason)
        info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": DOMAIN}
        self.details: list[dict[str, Any]] = [info | ({"metadata": metadata} if metadata else {})]
        if violations:
            said = [{"field": where, "description": "It is not valid.", "reason": why} for where, why in violations]
            self.details.append({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": said})
        self.code = code

    def answer(self) -> Response:
        """The same, as it is sent."""
        message = "There was a problem with the request."
        error = {"code": self.code, "message": message, "status": STATUS[self.code], "details": self.details}
        return JSONResponse({"error": error}, self.code)


async def refusal(request: Request, error: Exception) -> Response:
    """Starlette's handler of ``Refused``."""
    assert isinstance(error, Refused)
    return error.answer()


def exhausted(seconds: float, quota: str) -> Refused:
    """Too many requests; ``quota`` names the limit."""
    fault = Refused(429, "RATE_LIMIT_EXCEEDED", quota_limit=quota)
    wait = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{seconds:g}s"}
    fault.details.append(wait)
    return fault


@dataclass
class Quota:
    """At most ``most`` requests in any ``seconds``."""

    most: int = 300
    seconds: float = 60.0
    seen: deque[float] = field(default_factory=deque)

    def wait(self) -> float:
        """Seconds until the next request may come; 0 when it is counted now."""
        now = time.monotonic()
        while self.seen and self.seen[0] <= now - self.seconds:
            self.seen.popleft()
        if len(self.seen) >= self.most:
            return self.seen[0] + self.seconds - now
        self.seen.append(now)
        return 0.0


async def body_of(request: Request, shape: str) -> dict[str, Any]:
    """The message sent, with the names of its enumerations; unknown fields and wrong types are refused."""
    try:
        body = await request.json()
    except ValueError:
        raise Refused(400, "INVALID_ARGUMENT") from None
    if wrong := list(_misshapen(body, shape, "")):
        raise Refused(400, "INVALID_ARGUMENT", wrong[:50])
    found: dict[str, Any] = body
    return found


def _misshapen(value: Any, shape: str, where: str) -> Iterator[Violation]:
    if not isinstance(value, dict):
        yield where, "INVALID_FORMAT"
        return
    for name, part in value.items():
        place = f"{where}.{name}".lstrip(".")
        kind = SHAPES[shape].get(name)
        if kind is None:
            yield place, "INVALID_ARGUMENT"
        elif kind in ENUMS:
            if part not in ENUMS[kind] and not (isinstance(part, int) and 0 <= part < len(ENUMS[kind])):
                yield place, "INVALID_ENUM_VALUE"
            elif isinstance(part, int):
                value[name] = ENUMS[kind][part]
        elif kind.startswith("["):
            rows = part if isinstance(part, list) else [None]
            for number, row in enumerate(rows):
                yield from _misshapen(row, kind[1:], f"{place}[{number}]")
        elif kind in SHAPES:
            yield from _misshapen(part, kind, place)
        elif kind in ("str", "bool") and type(part).__name__ != kind:
            yield place, "INVALID_FORMAT"


def check_members(members: list[dict[str, Any]]) -> None:
    """See that each member can be told by something. Raises ``Refused``, for all of them, when one cannot."""
    if not members:
        raise Refused(400, "INVALID_ARGUMENT", [("audience_members", "REQUIRED_FIELD_MISSING")])
    if len(members) > MOST_MEMBERS:
        raise Refused(400, "INVALID_ARGUMENT", [("audience_members", "TOO_MANY_AUDIENCE_MEMBERS")])
    wrong = [one for number, member in enumerate(members) for one in _of_member(member, f"audience_members[{number}]")]
    if wrong:
        raise Refused(400, "INVALID_ARGUMENT", wrong)


def _of_member(member: dict[str, Any], where: str) -> Iterator[Violation]:
    place, identifiers = f"{where}.user_data.user_identifiers", member.get("userData", {}).get("userIdentifiers")
    if not identifiers:
        yield place, "REQUIRED_FIELD_MISSING"
        return
    if len(identifiers) > MOST_IDENTIFIERS:
        yield place, "TOO_MANY_USER_IDENTIFIERS"
    for number, one in enumerate(identifiers):
        if len(one) != 1:
            yield f"{place}[{number}]", "INVALID_AUDIENCE_MEMBER"
        elif "address" in one:
            yield from _of_address(one["address"], f"{place}[{number}].address")
        elif why := _hashed(next(iter(one.values()))):
            yield f"{place}[{number}]", why


def _of_address(address: dict[str, str], where: str) -> Iterator[Violation]:
    for name in ("givenName", "familyName"):
        if why := _hashed(address.get(name, "")):
            yield f"{where}.{name}", why
    if not re.fullmatch(r"[A-Z]{2}", address.get("regionCode", "")):
        yield f"{where}.region_code", "INVALID_REGION_CODE"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 -]{1,10}", address.get("postalCode", "")):
        yield f"{where}.postal_code", "INVALID_POSTAL_CODE"


def _hashed(text: str) -> str:
    """Why a text is no SHA-256 in hexadecimal; empty when it is."""
    if not text:
        return "REQUIRED_FIELD_MISSING"
    if not re.fullmatch(r"(?:[0-9a-fA-F]{2})+", text):
        return "INVALID_HEX_ENCODING"
    return "" if HASH.fullmatch(text) else "INVALID_SHA256_FORMAT"
