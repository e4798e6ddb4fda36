"""JSON-RPC interfaces of ERPs that are asked by model and domain: Tryton's, and Odoo's ``execute_kw``.

class AcmeStream(JsonRpcStream):
    url_base, path = "{url}", "/{database}/rpc/"
    rpc_method = "model.{model}.search_read"
    rpc_params = ("{domain}", 0, "{limit}", "{order}", "{fields}", "{context}")
    changed = (["last_modified_at", ">=", "{since}"],)

A text that is one name in braces stands for a value: a setting, ``model``, ``domain``, ``order``, ``limit``,
``fields``, ``context``, or ``since``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar

from singer_sdk import Tap

from snello.errors import ConfigError, ContractError
from snello.kit.http import Answer
from snello.kit.rest.asking import Ask, Request, Row, found
from snello.kit.rest.bookmarks import Mark
from snello.kit.rest.errors import Errors
from snello.kit.rest.host import Host
from snello.kit.rest.paging import keyset
from snello.kit.rest.stream import RestStream
from snello.kit.rest.values import EXTRA, GONE

AFTER = "after"


class JsonRpcStream(RestStream):
    """The rows of one model, by pages that begin behind the last row of the page before.

    - ``model``: what is read; ``fields``: its fields, those of the schema when not given; ``domain``: which rows
    - ``rpc_method``, ``rpc_params``: the call; ``envelope``: what stands beside them and the ``id``
    - ``changed``: the domain of rows changed since a moment
    - ``ordered``: the fields that order rows and tell where a page ends: ``(moment, id)`` where moments are shown as
      they are stored, ``(id,)`` where a part of them is hidden, as Odoo hides microseconds
    - ``order``: how the interface is told of that order; rows without a moment come first
    - ``page_size``: rows of a page; the setting ``page_size`` goes first
    - ``typed``: moments are written as objects with a ``__class__``, else as ``since_format``
    - ``errors``: ``denied`` are codes of a missing right to read the model
    """

    method = "POST"
    model: ClassVar[str]
    rpc_method: ClassVar[str] = "call"
    rpc_params: ClassVar[Any] = ()
    envelope: ClassVar[Mapping[str, Any]] = {"jsonrpc": "2.0"}
    domain: ClassVar[Sequence[Any]] = ()
    changed: ClassVar[Sequence[Any]] = ()
    ordered: ClassVar[tuple[str, ...]] = ("id",)
    order: ClassVar[Any] = ()
    page_size: ClassVar[int] = 1000
    typed: ClassVar[bool] = False
    errors: Errors | None = Errors("$.error", code="$.error.code")

    def __init__(self, tap: Tap, host: Host, schema: dict[str, Any] | None = None, name: str | None = None) -> None:
        super().__init__(tap, host, schema, name)
        self.paging = keyset(self.ordered, lambda token: Ask(body={AFTER: token} if token else {}), size=self.size)

    @property
    def size(self) -> int:
        """Rows of a page."""
        return int(self.config.get("page_size") or self.page_size)

    @property
    def shape(self) -> str:
        """Digest of what decides the listing; the model and its rows are part of it."""
        return f"{self.model} {list(self.ordered)} {list(self.domain)}"

    # ------------------------------------------------------------ the call

    def fields(self) -> list[str]:
        """The fields to ask for."""
        return [name for name in self.names if name not in (EXTRA, GONE)]

    def surroundings(self) -> dict[str, Any]:
        """The ``context``: what the model is told beside the question."""
        return {}

    def asked_domain(self, ask: Ask, begin: Mark) -> list[Any]:
        """The rows of a page: those of the model, changed since a moment, behind the last row of the page before."""
        since = filled(self.changed, {"since": self.written(begin)}) if begin is not None else []
        return [*self.domain, *since, *self._behind(ask.body.get(AFTER))]

    def _behind(self, after: Sequence[Any] | None) -> list[Any]:
        if after is None:
            return []
        if len(self.ordered) == 1:
            return [[self.ordered[0], ">", after[0]]]
        (first, second), (value, tie) = self.ordered, after
        if value is None:  # rows without a moment come first
            return [["OR", [[first, "!=", None]], [[first, "=", None], [second, ">", tie]]]]
        moment = self.written(datetime.fromisoformat(value).replace(tzinfo=UTC))
        return [["OR", [[first, ">", moment]], [[first, "=", moment], [second, ">", tie]]]]

    def request(self, ask: Ask, context: Mapping[str, Any], begin: Mark) -> Request:
        """The call for a page."""
        asked = {"model": self.model, "domain": self.asked_domain(ask, begin), "order": self.order, "limit": self.size}
        told = {"fields": self.fields(), "context": self.surroundings()}
        return self.call(self.rpc_method, filled(self.rpc_params, {**self.config, **asked, **told}))

    def call(self, method: str, params: Any) -> Request:
        """The call of a method; ``{model}`` in its name is the stream's."""
        body = {**self.envelope, "id": 1, "method": method.replace("{model}", self.model), "params": params}
        return Request(self.method, self.address({}), json=body, headers=self.headers)

    def written(self, begin: Mark) -> Any:
        """A moment as the interface takes it, in UTC."""
        if not (self.typed and isinstance(begin, datetime)):
            return super().written(begin)
        parts = ("year", "month", "day", "hour", "minute", "second", "microsecond")
        moment = begin.astimezone(UTC)
        return {"__class__": "datetime", **{part: getattr(moment, part) for part in parts}}

    # ------------------------------------------------------------ the answer

    def check(self, answer: Answer) -> None:
        """Raise for an error inside a success: a missing right and an unknown model are told with the model's name."""
        document = answer.document
        error = document.get("error") if isinstance(document, dict) else None
        if error:
            self._refuse(answer)
        if not isinstance(document, dict) or "result" not in document:
            what = f"the answer of {answer.place} is none of JSON-RPC"
            raise ContractError(self.where, what, "check the URL, and the server's version")

    def _refuse(self, answer: Answer) -> None:
        assert self.errors is not None
        code = str(found(answer, self.errors.code))
        if code in self.errors.denied:
            raise self.no_right()
        if code == repr(self.model):
            raise self.no_model()
        super().check(answer)

    def no_right(self) -> ConfigError:
        """The user may not read the model."""
        cure = "give the user that right, or deselect the stream"
        return ConfigError(self.where, f"no right to read {self.model}", cure)

    def no_model(self) -> ConfigError:
        """The server does not know the model."""
        cure = "activate the module that brings it, or deselect the stream"
        return ConfigError(self.where, f"the server has no {self.model}", cure)

    def rows(self, answer: Answer) -> list[Row]:
        """The records of the answer, values plain."""
        document = answer.document
        listed = document.get("result") if isinstance(document, dict) else document
        if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
            what = f"the answer of {answer.place} holds no list of records"
            raise ContractError(self.where, what, "check that the server's version of the interface fits")
        rows = [{name: plain(value) for name, value in row.items()} for row in listed]
        for name in self._booleans:
            for row in rows:
                if row.get(name) in (0, 1):  # as SQLite keeps them
                    row[name] = bool(row[name])
        return rows

    @cached_property
    def _booleans(self) -> list[str]:
        properties: dict[str, Any] = self.schema["properties"]
        return [name for name, each in properties.items() if "boolean" in each["type"]]


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """A template with its names in braces replaced by values."""
    if isinstance(template, str):
        return values[template[1:-1]] if template[:1] == "{" and template[-1:] == "}" else template
    if isinstance(template, Mapping):
        return {name: filled(each, values) for name, each in template.items()}
    return [filled(each, values) for each in template] if isinstance(template, list | tuple) else template


def plain(value: Any) -> Any:
    """A typed value as JSON has it: decimals and moments as text, durations in seconds, bytes in base64."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("__class__")
    if kind == "Decimal":
        return value["decimal"]
    if kind == "timedelta":
        return value["seconds"]
    if kind == "bytes":
        return "".join(value["base64"].split())
    date = "{year:04}-{month:02}-{day:02}" if kind in ("date", "datetime") else ""
    time = "{hour:02}:{minute:02}:{second:02}.{microsecond:06}" if kind in ("time", "datetime") else ""
    if not date and not time:
        return {name: plain(each) for name, each in value.items()}
    return "T".join(part for part in (date, time) if part).format_map(value)
