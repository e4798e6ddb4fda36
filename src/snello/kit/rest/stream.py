"""One endpoint of a REST interface as a Singer stream, declared by class attributes."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, quote, urlsplit

import msgspec
import requests
from singer_sdk import RESTStream, Tap
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.helpers.jsonpath import extract_jsonpath
from singer_sdk.streams.rest import HTTPRequest, PageContext

from snello.errors import ConfigError, ContractError, RetryLater, SnelloError
from snello.kit.rest.auth import Auth
from snello.kit.rest.paging import Pages, Paging, single_page
from snello.kit.rest.retry import Retry, Transient, seconds_of

AGAIN = {408, 425, 429}
OFFSET = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")
_decode = msgspec.json.Decoder().decode


class RestStream(RESTStream[Any]):
    """What every endpoint shares.

    - ``url_base``, ``path``: settings, or values of the context, fill the braces
    - ``auth``, ``paging``, ``retry``: values from this package
    - ``params``: query parameters of every request, as in ``order=asc&status=all``
    - ``since``: the parameter that filters by ``replication_key``, written as ``since_format``
    - ``overlap``: how far behind the bookmark the next run begins, so that rows of one moment are not lost
    - the schema is ``schemas/<name>.json`` beside the module; other fields of a record are left out
    """

    auth: ClassVar[Auth | None] = None
    paging: ClassVar[Paging] = single_page()
    retry: ClassVar[Retry] = Retry()
    params: ClassVar[str] = ""
    since: ClassVar[str | None] = None
    since_format: ClassVar[str] = "%Y-%m-%dT%H:%M:%SZ"
    overlap: ClassVar[timedelta] = timedelta(minutes=1)
    timeout = 60
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(self, tap: Tap) -> None:
        self.where = f"{tap.name}: {self.name}"
        folder = Path(inspect.getfile(type(self))).parent
        super().__init__(tap, schema=json.loads((folder / "schemas" / f"{self.name}.json").read_text()))
        self._left_out: set[str] = set()
        self._document: Any = None

    # ------------------------------------------------------------ the request

    def get_url(self, context: Any) -> str:
        """The address; a setting goes into the base as it is, into the path quoted."""
        values = {**self.config, **(context or {})}
        base = self.url_base.format_map({name: str(value).rstrip("/") for name, value in values.items()})
        return base + self.path.format_map({name: quote(str(value), safe="") for name, value in values.items()})

    def get_http_request(self, *, page: PageContext[Any]) -> HTTPRequest:
        """The request for a page; a token that is an address is followed as it is."""
        request = super().get_http_request(page=page)
        if isinstance(page.next_page_token, str) and "://" in page.next_page_token:
            request.url, request.params = page.next_page_token, {}
        return request

    def get_url_params(self, context: Any, next_page_token: Any) -> dict[str, Any]:
        """Parameters of every request, of the page, and of the moment to begin with."""
        begin = self.get_starting_timestamp(context) if self.since and self.replication_key else None
        since = {self.since: (begin - self.overlap).strftime(self.since_format)} if self.since and begin else {}
        return {**dict(parse_qsl(self.params)), **since, **self.paging.params(next_page_token)}

    def build_prepared_request(self, *args: Any, **kwargs: Any) -> requests.PreparedRequest:
        """The signed request. Raises ``ConfigError`` when its address is none."""
        try:
            return super().build_prepared_request(*args, **kwargs)
        except (requests.RequestException, ValueError) as error:
            raise ConfigError(self.where, f"no request possible ({type(error).__name__})", "check the URL") from None

    @property
    def authenticator(self) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
        """Puts the credentials on a request."""
        headers = self.auth.headers(self.config) if self.auth else {}

        def signed(request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers.update(headers)
            return request

        return signed

    def get_new_paginator(self) -> Pages:
        """A walk over the pages from the first."""
        return Pages(self.paging, self.where)

    # ------------------------------------------------------------ the answer

    def request_decorator(self, func: Callable[..., requests.Response]) -> Callable[..., requests.Response]:
        """Send until there is an answer, as long as the fault may pass by itself."""

        def send(*args: Any) -> requests.Response:
            try:
                return self.retry.call(lambda: func(*args), self._tell_wait)
            except Transient as fault:
                asked = f"; it asks to wait {fault.wait:.0f} s" if fault.wait else ""
                cure = "run again later: nothing is lost"
                raise RetryLater(self.where, f"{fault.what}, {self.retry.tries} tries{asked}", cure) from None

        return send

    def _tell_wait(self, what: str, seconds: float) -> None:
        self.logger.warning("%s: %s; asking again in %.1f s", self.where, what, seconds)

    def _request(self, prepared_request: requests.PreparedRequest, context: Any) -> requests.Response:
        try:
            response = super()._request(prepared_request, context)
        except (requests.Timeout, requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise Transient(f"no whole answer from the server ({type(error).__name__})") from None
        except requests.exceptions.ContentDecodingError:
            raise Transient("the answer's compression is damaged") from None
        except requests.TooManyRedirects:
            raise ConfigError(self.where, "the server redirects in circles", "check the URL") from None
        self._document = self._decoded(response)
        return response

    def validate_response(self, response: requests.Response) -> None:
        """Raise for every status that is no success, without the response's body."""
        status = response.status_code
        if status < 300:
            return
        what = f"{status} from {response.request.method} {urlsplit(response.url).path}"
        if status in AGAIN or status >= 500:
            raise Transient(what, seconds_of(response.headers.get("Retry-After")))
        raise self._refusal(status, what)

    def _refusal(self, status: int, what: str) -> SnelloError:
        if status in (401, 403):
            names = " and ".join(self.auth.settings) if self.auth else "the access rights"
            return ConfigError(self.where, what, f"renew {names}, or give them the right to read")
        if status in (404, 410) or status < 400:
            return ConfigError(self.where, what, "check the URL: the interface is not there")
        return ContractError(self.where, what, "check that the server's version of the interface fits")

    def _decoded(self, response: requests.Response) -> Any:
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        path = urlsplit(response.url).path
        if kind.endswith("html"):
            what = f"a web page came instead of data from {response.request.method} {path}"
            raise ContractError(self.where, what, "check the URL, and that the interface is switched on")
        try:
            return _decode(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Transient(f"the answer of {response.request.method} {path} is not whole JSON") from None

    def parse_response(self, response: requests.Response) -> Iterable[dict[str, Any]]:
        """The records of the answer. Raises ``ContractError`` when it has none of that kind."""
        listed = self.records_jsonpath.endswith("[*]")
        found = list(extract_jsonpath(self.records_jsonpath.removesuffix("[*]"), self._document))
        records = found[0] if listed and len(found) == 1 and isinstance(found[0], list) else found
        if (listed and records is found) or not all(isinstance(record, dict) for record in records):
            what = f"the answer of {urlsplit(response.url).path} holds no list of records at {self.records_jsonpath}"
            raise ContractError(self.where, what, "check that the server's version of the interface fits")
        return records

    # ------------------------------------------------------------ the record

    @cached_property
    def _fields(self) -> dict[str, bool]:
        """The declared fields, and whether each is a moment."""
        properties: dict[str, Any] = self.schema["properties"]
        return {name: each.get("format") == "date-time" for name, each in properties.items()}

    def post_process(self, row: dict[str, Any], context: Any = None) -> dict[str, Any]:
        """The declared fields; a moment without an offset is in UTC. Raises ``ContractError`` without a key."""
        for key in self.primary_keys:
            if row.get(key) is None:
                what = f"a record has no {key!r}, its key"
                raise ContractError(self.where, what, "check that the server's version of the interface fits")
        self._left_out |= row.keys() - self._fields.keys()
        return {
            name: f"{row[name]}Z" if moment and row.get(name) and not OFFSET.search(row[name]) else row.get(name)
            for name, moment in self._fields.items()
        }

    def log_sync_costs(self) -> None:
        """Tell the fields that were left out; the SDK calls this for each stream when all are through."""
        if self._left_out:
            self.logger.info(
                "%s: fields not in the schema, left out: %s", self.where, ", ".join(sorted(self._left_out))
            )

    def get_replication_key_signpost(self, context: Any = None) -> datetime | None:
        """None: moments are the server's, whose clock need not agree with ours; the overlap covers late rows."""
        return None
