"""Odoo's JSON-RPC: one path, the user's number and key in every call, faults with status 200."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from snello.kit.rest import Answer, Request
from snello.kit.rest.asking import found
from snello.kit.rest.jsonrpc import JsonRpcStream
from tap_odoo.account import Account
from tap_odoo.faults import CLASS, NO_DATABASE, NO_MODEL, REFUSED, no_database, refused


class JsonRpc:
    """A model of a server up to version 18, and for some versions more."""

    def __init__(self, stream: JsonRpcStream, account: Account) -> None:
        self.stream, self.account = stream, account

    @cached_property
    def about(self) -> Any:
        """The model's fields and their types."""
        return self._said(self.request("fields_get", {"attributes": ["type"]}), self._check_model)

    def request(self, method: str, named: Mapping[str, Any]) -> Request:
        """The call of a method of the model."""
        database, user = self.stream.config["database"], self.account.user(self._authenticated)
        args = [database, user, self.account.key, self.stream.model, method, [], named]
        return self._asked("object", "execute_kw", args)

    def check(self, answer: Answer) -> None:
        """Raise for an error inside a success."""
        code = str(found(answer, CLASS))
        if code in REFUSED:
            raise refused()
        if code in NO_DATABASE:
            raise no_database(self.stream.where)
        JsonRpcStream.check(self.stream, answer)

    def refusal(self, answer: Answer) -> None:
        """Nothing: a fault comes with status 200."""

    def _check_model(self, answer: Answer) -> None:
        if found(answer, CLASS) == NO_MODEL:
            raise self.stream.no_model()
        self.check(answer)

    def _authenticated(self, login: str) -> Any:
        args = [self.stream.config["database"], login, self.account.key, {}]
        return self._said(self._asked("common", "authenticate", args), self.check)

    def _asked(self, service: str, method: str, args: list[Any]) -> Request:
        body = self.stream.call("call", {"service": service, "method": method, "args": args})
        return Request("POST", self.stream.address_of("/jsonrpc", {}), json=body.json)

    def _said(self, asked: Request, check: Callable[[Answer], None]) -> Any:
        client, where = self.stream.host.client(self.stream), self.stream.where
        return client.send(asked.method, asked.url, json=asked.json, where=where, check=check).document["result"]
