"""Calls to Odoo behind one seam: /jsonrpc up to version 18, /json/2 from 19 on; faults of either in the kit's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

import requests

from snello.kit.channel import BatchRefused, ConfigError, ContractError, Http, Pace, Retry, Transient

WHERE = "target-odoo"
KEY = "renew the key in TARGET_ODOO_API_KEY, and see that login and database are right"
JSON2_SINCE = 19
NO_LONGER = frozenset({400, 404, 405})
RIGHTS = {"access": "read", "modify": "write", "create": "create", "delete": "unlink"}
CODES = {"ValidationError": "validation", "UserError": "user_error", "MissingError": "missing"}
AGAIN = frozenset({"SerializationFailure", "LockNotAvailable", "DeadlockDetected", "ConcurrencyError", "LockError"})
Protocols = Literal["auto", "jsonrpc", "json2"]


class Way(Protocol):
    """One of the two ways to call a method of a model."""

    def call(self, model: str, method: str, ids: list[int] | None, named: Mapping[str, Any]) -> Any:
        """What the method returns; ``ids`` are the records that it is called on."""


class Odoo:
    """One database under one user; ``call`` speaks the protocol that the server knows."""

    def __init__(self, url: str, database: str, login: str, key: str, protocol: Protocols) -> None:
        self.url, self.database, self.login, self.key = url.rstrip("/"), database, login, key
        self.protocol = protocol

    def connect(self, retry: Retry, per_second: float) -> None:
        """Open the session through which every call goes."""
        self.http = Http(WHERE, headers={"Accept": "application/json"}, retry=retry, pace=Pace(per_second), renew=KEY)
        self.http.judge = judge

    def call(self, model: str, method: str, ids: list[int] | None = None, **named: Any) -> Any:
        """One call of a method. Raises ``BatchRefused`` for what the records are to blame for."""
        return self._way.call(model, method, ids, named)

    @cached_property
    def _way(self) -> Way:
        newer = self.protocol == "json2" or (self.protocol == "auto" and self._version() >= JSON2_SINCE)
        return Json2(self) if newer else JsonRpc(self)

    def _version(self) -> int:
        """The server's version where it tells it to anybody, as it does from 19 on; else 0."""
        try:
            about = self.http.call("GET", f"{self.url}/web/version").json()
        except BatchRefused as fault:
            if fault.status in NO_LONGER:
                return 0
            raise
        told = re.search(r"\d+", str(about.get("version", ""))) if isinstance(about, dict) else None
        return int(told[0]) if told else 0


class Json2:
    """Versions from 19 on: a path a method, named arguments, the API key as bearer."""

    def __init__(self, odoo: Odoo) -> None:
        self.odoo = odoo
        self.headers = {"Authorization": f"bearer {odoo.key}", "X-Odoo-Database": odoo.database}

    def call(self, model: str, method: str, ids: list[int] | None, named: Mapping[str, Any]) -> Any:
        """What the method returns."""
        body = dict(named) if ids is None else {**named, "ids": ids}
        url = f"{self.odoo.url}/json/2/{model}/{method}"
        return self.odoo.http.call("POST", url, headers=self.headers, json=body).json()


class JsonRpc:
    """Versions up to 18: one path, positional arguments, login and key in each call."""

    def __init__(self, odoo: Odoo) -> None:
        self.odoo = odoo

    def call(self, model: str, method: str, ids: list[int] | None, named: Mapping[str, Any]) -> Any:
        """What the method returns."""
        named = dict(named)
        args: list[Any] = [] if ids is None else [ids]
        if method == "create":  # Odoo looks whether the first positional argument is one record or a list
            args.append(named.pop("vals_list"))
        return self._asked("object", "execute_kw", self._user, self.odoo.key, model, method, args, named)

    @cached_property
    def _user(self) -> int:
        user = self._asked("common", "authenticate", self.odoo.login, self.odoo.key, {})
        if not user:
            raise ConfigError(WHERE, "Odoo does not know this login with this key", KEY)
        return int(user)

    def _asked(self, service: str, method: str, *args: Any) -> Any:
        params = {"service": service, "method": method, "args": [self.odoo.database, *args]}
        body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
        answer = self.odoo.http.call("POST", f"{self.odoo.url}/jsonrpc", json=body).json()
        if not isinstance(answer, dict) or "result" not in answer:
            raise ContractError(WHERE, "an answer of /jsonrpc has no result", "check that url is the root of an Odoo")
        return answer["result"]


def judge(answer: requests.Response) -> Exception | None:
    """The fault inside an answer: an exception of Odoo, by its class, whatever the status says."""
    told = _exception(answer)
    if told is None:
        return None
    kind, message = str(told.get("name", "")).rpartition(".")[2], str(told.get("message", ""))
    if kind in AGAIN:
        return Transient("another transaction was at the same records")
    if kind in CODES:
        return BatchRefused(CODES[kind], 422)
    if kind in ("AccessDenied", "Unauthorized"):
        return ConfigError(WHERE, "Odoo refuses the key", KEY)
    if kind == "AccessError":
        return _lacking(message)
    if kind == "OperationalError" and "does not exist" in message:
        return ConfigError(WHERE, "the server has no such database", "set database to one that it has")
    if kind in ("NotFound", "AttributeError"):
        cure = "check url and database, and that the modules of the settings are installed"
        return ConfigError(WHERE, f"Odoo has nothing at {_path(answer)}", cure)
    if answer.status_code == 200 or kind in ("ValueError", "TypeError"):
        return BatchRefused("server_error", 422)
    return None


def _exception(answer: requests.Response) -> Mapping[str, Any] | None:
    """What Odoo says of an exception; None where there is none."""
    if answer.status_code == 200 and not answer.content.startswith(b'{"'):
        return None
    try:
        body = answer.json()
    except ValueError:
        return None
    if not isinstance(body, dict):
        return None
    error = body.get("error")
    if isinstance(error, dict) and isinstance(error.get("data"), dict):
        return dict(error["data"])
    return body if answer.status_code >= 400 and {"name", "message", "arguments"} <= body.keys() else None


def _lacking(message: str) -> ConfigError:
    """The right that is lacking, as far as Odoo names it; nothing of its message is shown but model and right."""
    right = re.search(r"not allowed to (access|modify|create|delete) ", message)
    model = re.search(r"\(([a-z_]+(?:\.[a-z_]+)+)\)", message)
    if not right or not model:
        return ConfigError(WHERE, "the user lacks a right", "give it the rights of README, Permissions")
    what = f"the user lacks the right {RIGHTS[right[1]]} on {model[1]}"
    return ConfigError(WHERE, what, "give it a group that has it; see README, Permissions")


def _path(answer: requests.Response) -> str:
    return urlsplit(answer.url).path or "/"
