"""User lists of the Data Manager API."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from snello.sandbox.emulators.google_rules import Refused
from snello.sandbox.emulators.google_store import GoogleStore

MOST_A_PAGE, A_PAGE = 1_000, 50
NAMED = re.compile(r'display_name\s*=\s*"((?:[^"\\]|\\.)*)"')
WRITABLE = frozenset(
    {"displayName", "description", "membershipStatus", "integrationCode", "membershipDuration",
     "targetNetworkInfo", "ingestedUserListInfo"}
)  # fmt: skip
KEY_TYPES = ("UPLOAD_KEY_TYPE_UNSPECIFIED", "CONTACT_ID", "MOBILE_ID", "USER_ID", "PAIR_ID", "PSEUDONYMOUS_ID")
STATUSES = ("MEMBERSHIP_STATUS_UNSPECIFIED", "OPEN", "CLOSED")


class Lists:
    """The routes of user lists."""

    def __init__(self, store: GoogleStore, account: str) -> None:
        self.store, self.account = store, account

    def routes(self) -> list[Route]:
        """Their paths."""
        parent = "/v1/accountTypes/{type}/accounts/{account}/userLists"
        return [
            Route(parent, self.lists, methods=["GET"]),
            Route(parent, self.create, methods=["POST"]),
            Route(parent + "/{list}", self.one, methods=["GET"]),
        ]

    def _admitted(self, request: Request) -> str:
        """The parent's name, when the caller may see it."""
        parent = f"accountTypes/{request.path_params['type']}/accounts/{request.path_params['account']}"
        ours = f"accountTypes/GOOGLE_ADS/accounts/{self.account}"
        manager = self.store.switches.manager or self.account
        if parent != ours or request.headers.get("login-account", parent).rpartition("/")[2] != manager:
            raise Refused(403, "PERMISSION_DENIED")
        return parent

    def _shown(self, number: int, parent: str) -> dict[str, Any]:
        about = self.store.about(number)
        if about is None:
            raise Refused(404, "NOT_FOUND")
        return {"name": f"{parent}/userLists/{number}", **about}

    async def one(self, request: Request) -> Response:
        """One list."""
        parent, number = self._admitted(request), request.path_params["list"]
        if not number.isdigit():
            raise Refused(400, "INVALID_ARGUMENT", [("name", "INVALID_RESOURCE_NAME")])
        return JSONResponse(self._shown(int(number), parent))

    async def lists(self, request: Request) -> Response:
        """A page of lists, all of them or those of one name."""
        parent, query = self._admitted(request), request.query_params
        found = [self._shown(number, parent) for number in self.store.numbers()]
        if wanted := query.get("filter"):
            named = NAMED.fullmatch(wanted.strip())
            if named is None:
                raise Refused(400, "INVALID_ARGUMENT", [("filter", "INVALID_FILTER")])
            name = re.sub(r"\\(.)", r"\1", named[1])
            found = [one for one in found if one["displayName"] == name]
        size = min(int(query.get("pageSize") or A_PAGE), MOST_A_PAGE)
        start = int(query.get("pageToken") or 0)
        page = {"userLists": found[start : start + size]}
        return JSONResponse(page | ({"nextPageToken": str(start + size)} if len(found) > start + size else {}))

    async def create(self, request: Request) -> Response:
        """A new list."""
        parent, given = self._admitted(request), await request.json()
        if unknown := sorted(given.keys() - WRITABLE):
            raise Refused(400, "INVALID_ARGUMENT", [(name, "INVALID_ARGUMENT") for name in unknown])
        if not self.store.switches.customer_match:
            raise Refused(403, "ADVERTISER_NOT_ALLOWLISTED_FOR_UPLOADED_DATA")
        info, name = given.get("ingestedUserListInfo", {}), given.pop("displayName", "")
        info["uploadKeyTypes"] = [KEY_TYPES[one] if isinstance(one, int) else one for one in info["uploadKeyTypes"]]
        if isinstance(status := given.get("membershipStatus"), int):
            given["membershipStatus"] = STATUSES[status]
        seconds = given.get("membershipDuration", "0s").removesuffix("s")
        if not seconds.isdigit() or int(seconds) % 86_400:
            raise Refused(400, "INVALID_ARGUMENT", [("user_list.membership_duration", "INVALID_ARGUMENT")])
        if not name:
            raise Refused(400, "INVALID_ARGUMENT", [("user_list.display_name", "REQUIRED_FIELD_MISSING")])
        if reason := self.store.switches.makes_no_list:
            raise Refused(400, "INVALID_ARGUMENT", [("user_list", reason)])
        if self.store.list_called(name) is not None:
            raise Refused(400, "INVALID_ARGUMENT", [("user_list.display_name", "DISPLAY_NAME_ALREADY_USED")])
        return JSONResponse(self._shown(self.store.add_list(name, given), parent))
