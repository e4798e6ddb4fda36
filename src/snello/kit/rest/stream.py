"""One endpoint of an interface over HTTP as a Singer stream, declared by class attributes."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote

from jsonpath_ng.exceptions import JSONPathError
from singer_sdk import Stream, Tap
from singer_sdk.contrib.msgspec import MsgSpecWriter
from singer_sdk.helpers._batch import BatchConfig
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.helpers.jsonpath import extract_jsonpath
from singer_sdk.mapper import SameRecordTransform

from snello.errors import ContractError
from snello.kit.http import Answer, Auth, Limit, Retry
from snello.kit.rest.asking import Ask, Paging, Request, Row, Send
from snello.kit.rest.bookmarks import Mark
from snello.kit.rest.compare import Compare
from snello.kit.rest.errors import Errors
from snello.kit.rest.host import Host
from snello.kit.rest.outlet import Batches, Lines, Outlet
from snello.kit.rest.paging import single_page
from snello.kit.rest.schemas import declared_schema
from snello.kit.rest.values import EXTRA, GONE, Values


class RestStream(Stream):
    """What every endpoint shares.

    - ``url_base``, ``path``: settings, or values of the context, fill the braces; ``method``, ``params``, ``body``,
      ``headers``: the rest of every request, ``params`` as in ``order=asc&status=all``
    - ``auth``, ``paging``, ``retry``, ``limit``, ``values``, ``errors``: values of this package
    - ``workers``: requests in flight where pages or children can be asked for at once
    - ``since``: the parameter that filters by ``replication_key``, written as ``since_format``: a ``strftime`` pattern,
      ``epoch`` or ``epoch_ms``; ``newest_first`` where there is no filter and the newest rows come first; ``compare``
      where there is neither
    - ``overlap``: how far behind the bookmark the next run asks, so that rows of one moment are not lost
    - ``parent``, ``by``: a walk for each row of another stream; ``by`` takes the path's braces to the parent's fields;
      ``only_with``: the parent's field that is not empty where there is anything to read
    - the schema is ``schemas/<name>.json`` beside the module, or a component of a document there, named in ``openapi``
    """

    url_base: str = ""
    path: str = ""
    method: str = "GET"
    params: str = ""
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = {}
    records_jsonpath: str = "$[*]"
    auth: Auth | None = None
    paging: Paging = single_page()
    retry: Retry = Retry()
    limit: Limit | None = None
    workers: int = 1
    cached: bool = False
    values: Values = Values()
    errors: Errors | None = None
    since: str | None = None
    since_format: str = "%Y-%m-%dT%H:%M:%SZ"
    newest_first: bool = False
    compare: Compare | None = None
    overlap: timedelta = timedelta(minutes=1)
    parent: type[RestStream] | None = None
    by: Mapping[str, str] = {}
    only_with: str | None = None
    openapi: tuple[str, str] | None = None
    state_partitioning_keys: Sequence[str] | None = ()  # the parent's state speaks for its children
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE  # rows are made to the schema already

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.parent_stream_type = cls.parent

    def __init__(self, tap: Tap, host: Host, schema: dict[str, Any] | None = None, name: str | None = None) -> None:
        self.host = host
        self.where = f"{tap.name}: {name or self.name}"
        folder = Path(inspect.getfile(type(self))).parent
        found = schema or declared_schema(folder, name or self.name, self.openapi)
        gone = self.compare is not None or self.values.tells_gone
        super().__init__(tap, schema=_with_own_columns(found, gone=gone), name=name)
        try:
            list(extract_jsonpath(self.records_jsonpath.removesuffix("[*]"), {}))
        except JSONPathError:
            cure = "write it as in $.data[*]"
            raise ContractError(
                self.where, f"records_jsonpath {self.records_jsonpath!r} is no JSONPath", cure
            ) from None
        self.reading = host.reading(self)

    # ------------------------------------------------------------ the request

    def address(self, context: Mapping[str, Any]) -> str:
        """Where the stream is."""
        return self.address_of(self.path, context)

    def address_of(self, path: str, context: Mapping[str, Any]) -> str:
        """Where a path is; a setting goes into the base as it is, into the path quoted."""
        values = {**self.config, **context}
        base = self.url_base.format_map({name: str(value).rstrip("/") for name, value in values.items()})
        return base + path.format_map({name: quote(str(value), safe="") for name, value in values.items()})

    def request(self, ask: Ask, context: Mapping[str, Any], begin: Mark) -> Request:
        """The request for a page: ``begin`` is the moment, or the number, to ask from."""
        headers = {**self.headers, **ask.headers}
        if ask.url:
            return Request("GET", ask.url, headers=headers)
        since = {self.since: self.written(begin)} if self.since and begin is not None else {}
        static = parse_qs(self.params, keep_blank_values=True)  # a name may stand there more than once
        if self.method == "GET" and self.body is None:
            return Request("GET", self.address(context), {**static, **since, **ask.params}, headers=headers)
        body = {**(self.body or {}), **since, **ask.body}
        return Request(self.method, self.address(context), {**static, **ask.params}, body, headers)

    def written(self, begin: Mark) -> Any:
        """A moment as the interface takes it."""
        if not isinstance(begin, datetime):
            return begin
        if self.since_format in ("epoch", "epoch_ms"):
            return int(begin.timestamp() * (1 if self.since_format == "epoch" else 1000))
        return begin.astimezone(UTC).strftime(self.since_format)

    # ------------------------------------------------------------ the answer

    def check(self, answer: Answer) -> None:
        """Raise for an error inside a success."""
        if self.errors:
            self.errors.check(answer, self.where, self.auth.settings if self.auth else ())

    def refusal(self, answer: Answer) -> None:
        """Raise for a refusal whose code says more than its status."""
        if self.errors:
            self.errors.refusal(answer, self.where, self.auth.settings if self.auth else ())

    def rows(self, answer: Answer) -> list[Row]:
        """The records of the answer. Raises ``ContractError`` when it has none of that kind."""
        listed = self.records_jsonpath.endswith("[*]")
        found: list[Any] = list(extract_jsonpath(self.records_jsonpath.removesuffix("[*]"), answer.document))
        if listed and not found and self.paging.total(answer) is not None:
            return []  # some leave an empty list out; whether rows are missing, their total tells
        records = found[0] if listed and len(found) == 1 and isinstance(found[0], list) else found
        if (listed and records is found) or not all(isinstance(record, dict) for record in records):
            what = f"the answer of {answer.path} holds no list of records at {self.records_jsonpath}"
            raise ContractError(self.where, what, "check that the server's version of the interface fits")
        return records

    def completed(self, rows: Sequence[Row], send: Send) -> Sequence[Row]:
        """The rows of a page with what its answer could not hold, such as the rest of a long list inside a row."""
        return rows

    def apart(self, context: Mapping[str, Any], begin: Mark, send: Send) -> Iterator[tuple[Answer, list[Row]]] | None:
        """The whole listing in another way than by pages, where the interface has one for so many rows; None if not.

        Each part comes with the answer that began the listing; a listing that is cut off begins anew.
        """
        return None

    # ------------------------------------------------------------ what the SDK asks for

    @cached_property
    def shape(self) -> str:
        """Digest of what decides the listing."""
        told = [type(self).__name__, self.url_base, self.path, self.params, self.since, self.method, self.body]
        return hashlib.blake2b(json.dumps(told).encode(), digest_size=8).hexdigest()

    @cached_property
    def names(self) -> list[str]:
        """The selected fields, in the schema's order; always the keys, and what children are read by."""
        own = {*self.primary_keys, self.replication_key}
        own |= {field for child in self.children() for field in (*child.by.values(), child.only_with)}
        return [name for name in self.schema["properties"] if name in own or self.mask["properties", name]]

    @property
    def selected_schema(self) -> dict[str, Any]:
        """The schema of the selected fields."""
        return self.schema | {"properties": {name: self.schema["properties"][name] for name in self.names}}

    @property
    def effective_schema(self) -> dict[str, Any]:
        """The declared schema: a catalog's may be older, and loses the precision of decimals."""
        return self.schema

    def children(self) -> list[RestStream]:
        """The streams that are read for each row of this one."""
        wanted = (child for child in self.child_streams if child.selected or child.has_selected_descendents)
        return [child for child in wanted if isinstance(child, RestStream)]

    def is_plain(self) -> bool:
        """Whether rows leave as they are: no stream map, no flattening, no limit of a trial run, the usual writer."""
        maps = self.stream_maps
        same = len(maps) == 1 and type(maps[0]) is SameRecordTransform and not maps[0].flattening_enabled
        plain = self.ABORT_AT_RECORD_COUNT is None and isinstance(self._tap.message_writer, MsgSpecWriter)
        return same and plain and all(child.is_plain() for child in self.children())

    def outlet(self, config: BatchConfig | None) -> Outlet:
        """The way out for rows: files where the target takes them."""
        if config is None:
            return Lines(self.name)
        encoding = config.encoding
        return Batches(self.host.folder(config), lambda url: self._write_batch_message(encoding, [url]))

    def announce(self) -> None:
        """Write the SCHEMA."""
        self._write_schema_message()

    def settle(self) -> None:
        """Write the state as it is now."""
        self.state_manager.is_flushed = False
        self._write_state_message()

    def get_batch_config(self, config: Mapping[str, Any]) -> BatchConfig | None:
        """The batch settings, unless rows must pass one by one."""
        return super().get_batch_config(config) if self.is_plain() else None

    def _sync_batches(self, batch_config: BatchConfig, context: Any = None) -> None:
        self.reading.run(batch_config)

    def _sync_records(self, context: Any = None, *, write_messages: bool = True) -> Generator[dict[str, Any]]:
        if not (write_messages and self.is_plain()):
            yield from super()._sync_records(context, write_messages=write_messages)
            return
        self.reading.run(None)

    def get_records(self, context: Any) -> Iterable[dict[str, Any]]:
        """Single records, for stream maps and trial runs."""
        return self.reading.records(dict(context or {}))

    def get_child_context(self, record: dict[str, Any], context: Any) -> dict[str, Any] | None:
        """What the children are read by, where rows pass one by one; else they are read by the page."""
        return {name: record.get(field) for child in self.children() for name, field in child.by.items()} or None

    def _increment_stream_state(self, latest_record: Any, *, context: Any = None) -> None:
        """Nothing: the state moves on by pages, after they were written."""

    def get_replication_key_signpost(self, context: Any = None) -> None:
        """None: the state holds itself back to the start of the walk."""

    def log_sync_costs(self) -> None:
        """Tell what was read; the SDK calls this for each stream when all are through."""
        self.reading.tell()
        self.host.stream_done(self.name)


def _with_own_columns(schema: dict[str, Any], *, gone: bool) -> dict[str, Any]:
    own: dict[str, Any] = {
        EXTRA: {"type": ["object", "null"], "description": "Fields of the row that this schema does not declare."}
    }
    if gone:
        own[GONE] = {
            "type": ["string", "null"],
            "format": "date-time",
            "description": "When the row was found to be gone; all but its key is null then.",
        }
    return {"type": "object", **schema, "properties": {**schema["properties"], **own}}
