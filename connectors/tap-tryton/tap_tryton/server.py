"""What a Tryton server says of itself to the user who asks: models, fields, rights, company."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from snello.kit.rest import Request
from snello.kit.rest.jsonrpc import JsonRpcStream
from tap_tryton.questions import Question, method


@dataclass
class Server:
    """The server as the model of one stream sees it; asked when it is first needed.

    - ``by_key``: over REST, with the key of an application; else over JSON-RPC, in a session
    """

    stream: JsonRpcStream
    by_key: bool

    @cached_property
    def fields(self) -> frozenset[str]:
        """The fields of the model. Raises ``ConfigError`` for an unknown model and for a missing right."""
        found = frozenset(row["name"] for row in self._said(self._asked_fields()))
        if not found:
            raise self.stream.no_model()
        rights = self._call("ir.model.access.get_access", models=[self.stream.model])
        if not rights[self.stream.model]["read"]:
            raise self.stream.no_right()
        return found | {"id"}

    @cached_property
    def company(self) -> int | None:
        """The company that is set, or the user's own."""
        given: int | None = self.stream.config.get("company")
        return given or self._call("res.user.get_preferences", context_only=True).get("company")

    def _asked_fields(self) -> Request:
        domain, names = [["model", "=", self.stream.model]], ["name"]
        if self.by_key:
            return Question("ir.model.field", domain, names).request(self.stream.address_of("", {}), {})
        return self.stream.call("model.ir.model.field.search_read", [domain, 0, None, None, names, {}])

    def _call(self, name: str, **arguments: Any) -> Any:
        if self.by_key:
            return self._said(method(self.stream.address_of("", {}), name, arguments))
        return self._said(self.stream.call(f"model.{name}", [*arguments.values(), {}]))

    def _said(self, asked: Request) -> Any:
        stream = self.stream
        given = {"params": asked.params or None, "json": asked.json, "headers": asked.headers, "where": stream.where}
        document = stream.host.client(stream).send(asked.method, asked.url, check=stream.check, **given).document
        return document if self.by_key else document["result"]
