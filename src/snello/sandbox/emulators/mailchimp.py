"""Mailchimp's Marketing API, version 3.0: an audience's contacts, merge fields and tags.

The contract, with its sources, is in ``docs/contracts/mailchimp.md``.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from snello.sandbox.emulators import mailchimp_rules as rules
from snello.sandbox.emulators.mailchimp_lists import Audiences
from snello.sandbox.emulators.mailchimp_members import Members
from snello.sandbox.emulators.mailchimp_rules import Problem, RowRefused
from snello.sandbox.emulators.mailchimp_store import MailchimpStore
from snello.sandbox.emulators.watch import CALM, Watch, Weather

API_KEY = "0123456789abcdef0123456789abcdef-us21"
LIST_ID = "a1b2c3d4e5"
LISTS: Mapping[str, str] = {LIST_ID: "Aurora"}
NORMAL = rules.Account()


def mailchimp(
    database: Path | str = ":memory:",
    *,
    lists: Mapping[str, str] = LISTS,
    account: rules.Account = NORMAL,
    weather: Weather = CALM,
    home: str = "",
) -> ASGIApp:
    """A Mailchimp account kept in ``database``; ``lists``: its audiences, id to name; ``account``: its switches."""
    store = MailchimpStore(database, lists, account)
    members = Members(store)
    handlers: Any = {Problem: rules.refusal, RowRefused: rules.refusal, HTTPException: _no_route}
    app = Starlette(routes=[*members.routes(), *Audiences(members).routes()], exception_handlers=handlers)
    return Watch(Gate(app, account), "mailchimp", store.counts, weather, home)


async def _no_route(request: Request, error: Exception) -> Response:
    if getattr(error, "status_code", 404) == 405:
        detail = "The requested method and resource are not compatible. See the Allow header for this resource."
        return Problem(405, "Method Not Allowed", detail).response()
    return rules.not_found().response()


class Gate:
    """Key, user and the number of calls under way, before any route."""

    def __init__(self, app: ASGIApp, account: rules.Account) -> None:
        self.app, self.account = app, account
        self.under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a call through, or refuse it."""
        if scope["type"] != "http" or scope["path"].startswith("/_inspect"):
            await self.app(scope, receive, send)
            return
        problem = self._stopped(Request(scope).headers.get("authorization", ""))
        self.under_way += 1
        try:
            await (problem.response() if problem else self.app)(scope, receive, send)
        finally:
            self.under_way -= 1

    def _stopped(self, given: str) -> Problem | None:
        if self.under_way >= self.account.at_once:
            most = self.account.at_once
            return Problem(429, "Too Many Requests", f"You have exceeded the limit of {most} simultaneous connections.")
        if not given:
            return Problem(401, "API Key Missing", "Your request did not include an API key.")
        kind, _, value = given.partition(" ")
        key = base64.b64decode(value).decode().partition(":")[2] if kind == "Basic" else value
        if key != API_KEY:
            return Problem(401, "API Key Invalid", "Your API key may be invalid, or you've used the wrong datacenter.")
        if self.account.disabled:
            return Problem(403, "User Disabled", "This account has been disabled.")
        return None
