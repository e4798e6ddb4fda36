"""Odoo's JSON-2: a path for each method, named arguments, faults with a status."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from snello.kit.rest import Answer, Request
from snello.kit.rest.asking import found
from snello.kit.rest.jsonrpc import JsonRpcStream
from tap_odoo.faults import not_there


class Json2:
    """A model of a server from version 19 on."""

    def __init__(self, stream: JsonRpcStream) -> None:
        self.stream = stream

    @cached_property
    def about(self) -> Any:
        """The model's fields and their types."""
        asked, stream = self.request("fields_get", {"attributes": ["type"]}), self.stream
        client = stream.host.client(stream)
        given = {"json": asked.json, "headers": asked.headers, "where": stream.where, "refusal": self.refusal}
        return client.send(asked.method, asked.url, **given).document

    def request(self, method: str, named: Mapping[str, Any]) -> Request:
        """The call of a method of the model."""
        headers = {"X-Odoo-Database": self.stream.config["database"]}
        url = self.stream.address_of(f"/json/2/{self.stream.model}/{method}", {})
        return Request("POST", url, json=named, headers=headers)

    def check(self, answer: Answer) -> None:
        """Nothing: a fault has a status of its own."""

    def refusal(self, answer: Answer) -> None:
        """Raise for a missing right, and tell a model that is not there from an interface that is not there."""
        if answer.status == 403:
            raise self.stream.no_right()
        if answer.status != 404:
            return
        told = found(answer, "$.message")
        if isinstance(told, str) and told.startswith("the model "):
            raise self.stream.no_model()
        raise not_there(self.stream.where, answer.place)
