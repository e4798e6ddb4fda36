"""What every module of SuiteCRM shares: records by id, changed since a moment, deleted ones as their key alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, ClassVar

from snello.kit.rest import Answer, Ask, Compare, Request, RestStream, Row, Values
from tap_suitecrm import records
from tap_suitecrm.asking import Interface, Question
from tap_suitecrm.legacy import Legacy
from tap_suitecrm.pages import AFTER, GONE, pages
from tap_suitecrm.v8 import V8


class SuiteStream(RestStream):
    """One module, by the interface that the settings name."""

    url_base, primary_keys, replication_key, values = "{url}", ("id",), "date_modified", Values(tells_gone=True)
    module: ClassVar[str]

    def __init__(self, tap: Any, host: Any) -> None:
        elder, by_user = tap.config.get("interface") == "v4_1", bool(tap.config.get("user"))
        self.interface: Interface = Legacy() if elder else V8(by_user)
        if compared := self.name in (tap.config.get("deletions") or ()):
            self.compare, self.values = Compare(proof="end"), Values()
        self.auth, self.shape = self.interface.auth, f"{self.module} behind an id"
        self.paging = pages(self.interface, with_gone=self.interface.lists_gone and not compared)
        super().__init__(tap, host)
        self.known = records.converters(self.schema["properties"])

    @cached_property
    def asked_fields(self) -> list[str]:
        """The selected fields and the customer's own, those that this SuiteCRM has."""
        wanted = records.wanted(self.names, self.config.get("custom_fields") or ())
        if (asked := self.interface.fields_of(self.module)) is None:
            return wanted
        client, url = self.host.client(self), self.address_of(asked.url, {})
        answer = client.send("GET", url, headers=asked.headers, where=self.where, check=self.check, refusal=self.check)
        return [name for name in wanted if name in self.interface.names(answer) or name == "id"]

    def request(self, ask: Ask, context: Mapping[str, Any], begin: Any) -> Request:
        """The request for a page; of deleted records nothing but the key is asked for."""
        phase, after = ask.body[AFTER]
        fields, size = records.DELETED if phase == GONE else self.asked_fields, self.config.get("page_size", 200)
        asked = self.interface.request(Question(self.module, fields, size, after, begin, phase == GONE))
        return replace(asked, url=self.address_of(asked.url, {}))

    def check(self, answer: Answer) -> None:
        """Raise for an error, inside a success or a refusal."""
        self.interface.check(answer, self.where, self.module)

    refusal = check

    def rows(self, answer: Answer) -> list[Row]:
        """The records. Raises ``ContractError`` for an answer that is no list of them."""
        return records.rows_of(self.interface.records(answer.document), self.known, self.where, answer)
