"""SuiteCRM's elder interface, ``service/v4_1/rest.php``: one address, a form a call, sessions, errors inside a 200.

The contract, with its sources, is in ``docs/contracts/suitecrm.md``.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from snello.sandbox.emulators.suitecrm_fields import OBJECTS
from snello.sandbox.emulators.suitecrm_rules import DATABASE
from snello.sandbox.emulators.suitecrm_store import Record, SuiteStore

USER = "crm_reader"
PASSWORD = "suitecrm-aurora-password"
PATH = "/service/v4_1/rest.php"
USUAL = 20  # rows of a page when no number is asked for
TERM = re.compile(r"(\w+)\.(\w+) (=|<>|<=|>=|<|>) '((?:[^'\\]|\\.)*)'")
FAULTS = {
    "invalid_login": (10, "Invalid Login", "Login attempt failed please check the username and password"),
    "invalid_session": (11, "Invalid Session ID", "The session ID is invalid"),
    "no_module": (20, "Module Does Not Exist", "This module is not available on this server"),
    "no_access": (40, "Access Denied", "You do not have access"),
    "invalid_call": (1001, "Invalid Call", "Invalid call error"),
}
Given = Mapping[str, Any]


class Fault(Exception):
    """A fault by its name, answered with 200."""


class Broken(Exception):
    """What the database does not understand."""


class Legacy:
    """The calls of one address; ``lacking`` as for the other interface: *Module/access* or *Module/list*."""

    def __init__(self, store: SuiteStore, lacking: Collection[str], session_life: float) -> None:
        self.store, self.lacking, self.session_life = store, lacking, session_life
        self.methods = {"login": self.login, "get_entry_list": self.entries}

    def routes(self) -> list[Route]:
        """The one path."""
        return [Route(PATH, self.serve, methods=["GET", "POST"])]

    async def serve(self, request: Request) -> Response:
        """One call: its method and how its arguments are written stand beside them."""
        form = {**request.query_params, **dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))}
        method = self.methods.get(str(form.get("method")))
        if str(form.get("input_type", "")).upper() != "JSON" or str(form.get("response_type", "")).upper() != "JSON":
            return PlainTextResponse("")  # another way of writing
        try:
            given = json.loads(str(form.get("rest_data") or "{}"))
            if method is None or not isinstance(given, dict):
                raise Fault("invalid_call")
            return JSONResponse(method(given))
        except (Fault, ValueError) as fault:
            name = str(fault) if isinstance(fault, Fault) else "invalid_call"
            number, title, told = FAULTS[name]
            return JSONResponse({"name": title, "number": number, "description": told})
        except Broken:
            return PlainTextResponse(DATABASE, 500)

    def login(self, given: Given) -> dict[str, Any]:
        """A session, for a user and the MD5 of a password."""
        user = given.get("user_auth") or {}
        known = hashlib.md5(PASSWORD.encode(), usedforsecurity=False).hexdigest()
        if (user.get("user_name"), user.get("password")) != (USER, known):
            raise Fault("invalid_login")
        session = secrets.token_hex(13)
        self.store.db.execute("INSERT INTO tokens VALUES (?, ?)", (session, time.time() + self.session_life))
        told = {name: _pair(name, value) for name, value in (("user_id", "1"), ("user_name", USER))}
        return {"id": session, "module_name": "Users", "name_value_list": told}

    def entries(self, given: Given) -> dict[str, Any]:
        """A page: the records that are there or, with ``deleted`` 1, those that were deleted, and no other."""
        self._inside(given.get("session"))
        module = str(given.get("module_name"))
        if module not in OBJECTS:
            raise Fault("no_module")
        if any(f"{module}/{right}" in self.lacking for right in ("access", "list")):
            raise Fault("no_access")
        where, values = self._where(module, str(given.get("query") or ""))
        size, offset = int(given.get("max_results") or 0) or USUAL, max(int(given.get("offset") or 0), 0)
        gone = str(given.get("deleted")) in ("1", "True")
        order = self._order(module, str(given.get("order_by") or ""))
        found = self.store.find(module, where, values, deleted=gone, order=order, limit=size, offset=offset)
        wanted = list(given.get("select_fields") or self.store.fields[module])
        return {
            "result_count": len(found),
            "total_count": str(self.store.count(module, where, values, gone)),
            "next_offset": offset + len(found),
            "entry_list": [_entry(module, each, wanted) for each in found],
            "relationship_list": [],
        }

    def _inside(self, session: Any) -> None:
        row = self.store.db.execute("SELECT until FROM tokens WHERE token = ?", (str(session),)).fetchone()
        if not row or row[0] < time.time():
            raise Fault("invalid_session")

    def _where(self, module: str, query: str) -> tuple[str, list[str]]:
        """The caller's SQL as ours: comparisons of the module's own columns, joined by AND."""
        terms, values = [], []
        for part in filter(None, re.split(r"\s+AND\s+", query.strip(), flags=re.IGNORECASE)):
            found = TERM.fullmatch(part.strip())
            if found is None:
                raise Broken
            table, name, operator, value = found.groups()
            kind = self.store.fields[module].get(name)
            if table != module.lower() or kind is None or kind.get("source"):
                raise Broken
            terms.append(self.store.column(module, name).format(f"{operator} ?"))
            values.append(value.replace("\\'", "'"))
        return " AND ".join(terms) or "1", values

    def _order(self, module: str, given: str) -> str:
        if not given:
            return ""
        found = re.fullmatch(r"(?:(\w+)\.)?(\w+)(?: (asc|desc))?", given, re.IGNORECASE)
        if found is None or found[1] not in (None, module.lower()) or found[2] not in self.store.fields[module]:
            raise Broken
        value = "id" if found[2] == "id" else f"json_extract(body, '$.{found[2]}')"
        return f"ORDER BY {value} {found[3] or 'asc'}"


def _entry(module: str, record: Record, wanted: list[str]) -> dict[str, Any]:
    """A record as names and values; a field that the module does not have is left out without a word."""
    told = {name: _pair(name, record[name]) for name in wanted if name in record}
    return {"id": record["id"], "module_name": module, "name_value_list": told}


def _pair(name: str, value: str) -> dict[str, str]:
    return {"name": name, "value": value}
