"""A Salesforce org over its REST API: the calls that an audience needs, but for bulk jobs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

import requests

from snello.kit.channel import BatchRefused, ConfigError, ContractError, Http, Pace, RetryLater
from snello.kit.http import Auth
from snello.kit.http.auth import Credentials, Login
from target_salesforce.faults import WHERE, RowFault, code_of, judge, of_row
from target_salesforce.fields import record_of
from target_salesforce.settings import Settings

A_CALL = 200
A_PAGE = 2000
MOST_QUERY = 12_000  # of the 16,384 characters that an address may have
USAGE = re.compile(r"api-usage=(\d+)/(\d+)")
Told = tuple[str, RowFault | None]


@dataclass(frozen=True)
class Row:
    """A row under way: its key, the record's id where it is known, and the fields to write."""

    key: str
    values: Mapping[str, Any]
    record: str = ""


class Known:
    """A login that remembers where the org lives, which the answer with the token says."""

    def __init__(self, auth: Auth) -> None:
        self._auth = auth
        self._credentials: Credentials | None = None
        self._url = ""

    @property
    def settings(self) -> tuple[str, ...]:
        """Those of the login."""
        return self._auth.settings

    def bind(self, config: Mapping[str, Any], login: Login) -> Credentials:
        """The login's own credentials; their answers are looked at on the way."""

        def post(*given: Any, **more: Any) -> Any:
            answer = login.post(*given, **more)
            if isinstance(answer.document, Mapping):
                self._url = str(answer.document.get("instance_url") or "")
            return answer

        self._credentials = self._auth.bind(config, Login(login.where, post))
        return self._credentials

    def url(self) -> str:
        """Where the org lives; logs in when nobody has. Raises ``ConfigError``, ``RetryLater``, ``ContractError``."""
        if not self._url and self._credentials:
            self._credentials.current()
        if not self._url:
            raise ContractError(WHERE, "the login does not say where the org lives", "set instance_url")
        return self._url


class Org:
    """Calls under one login; faults that a row is to blame for leave as ``BatchRefused``."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._login = Known(settings.login)
        self._used, self._allowed = 0, 0
        self.http = Http(
            WHERE,
            headers={"Accept": "application/json"},
            retry=settings.retry,
            pace=Pace(settings.requests_per_second),
            renew="renew the login in the settings of target-salesforce, and see what its user may do",
            auth=self._login,
            config=settings.model_dump(),
        )
        self.http.code_of, self.http.judge = code_of, self._judge

    @cached_property
    def instance(self) -> str:
        """Where the org lives."""
        return (self.settings.instance_url or self._login.url()).rstrip("/")

    @property
    def root(self) -> str:
        """Path of the version."""
        return f"/services/data/v{self.settings.api_version}"

    def call(self, method: str, path: str, *, place: str = "", **body: Any) -> requests.Response:
        """One call below the version, or to a path that Salesforce gave. Raises ``RetryLater`` beyond ``api_share``."""
        if self._allowed and self._used >= self._allowed * self.settings.api_share:
            what = f"{self._used:,} of the org's {self._allowed:,} calls of 24 hours are used up"
            raise RetryLater(WHERE, what, "run again tomorrow, or raise api_share; nothing is lost")
        whole = path if path.startswith("/services/") else self.root + path
        return self.http.call(method, self.instance + whole, place=place or path.partition("?")[0], **body)

    def _judge(self, answer: requests.Response) -> Exception | None:
        if found := USAGE.search(answer.headers.get("Sforce-Limit-Info", "")):
            self._used, self._allowed = int(found[1]), int(found[2])
        return judge(answer)

    # ---- reading

    def describe(self, name: str) -> list[dict[str, Any]]:
        """The fields of an object that the user sees. Raises ``ConfigError`` when there is no such object."""
        try:
            found: list[dict[str, Any]] = self.call("GET", f"/sobjects/{name}/describe").json()["fields"]
        except BatchRefused as fault:
            if fault.status != 404:
                raise
            cure = "check object and api_version, and that the user may see the object"
            raise ConfigError(WHERE, f"the org has no object {name}", cure) from None
        return found

    def me(self) -> str:
        """The id of the user that the login is for."""
        return str(self.call("GET", "/").json().get("identity", "")).rpartition("/")[2]

    def query(self, soql: str) -> Iterator[dict[str, Any]]:
        """The records of a question, page by page."""
        page = self.call("GET", "/query", params={"q": soql}).json()
        yield from page["records"]
        while not page["done"]:
            page = self.call("GET", page["nextRecordsUrl"], place="/query/{page}").json()
            yield from page["records"]

    def count(self, kind: str, where: str) -> int:
        """How many records a condition holds for."""
        soql = f"SELECT COUNT() FROM {kind} WHERE {where}"
        return int(self.call("GET", "/query", params={"q": soql}).json()["totalSize"])

    def ids(self, keys: Sequence[str], field: str, kind: str = "", where: str = "") -> dict[str, str]:
        """Record ids by a customer_id in ``field``: asked for by name, or all read, whichever takes fewer calls.

        ``kind``: of records, the customers' own when not given; ``where``: what else holds for them
        """
        kind = kind or self.settings.object
        also = f"{where} AND " if where else ""
        asked = [f"{also}{field} IN ({one})" for one in _lists(keys)]
        every = f"{also}{field} != null"
        if len(asked) > 2 and 1 + self.count(kind, every) // A_PAGE < len(asked):
            asked = [every]
        ours = {key.lower(): key for key in keys}
        found: dict[str, str] = {}
        for one in (one for where in asked for one in self.named(kind, field, where)):
            if key := ours.get(one[0].lower()):
                found[key] = one[1]
        return found

    def named(self, kind: str, field: str, where: str) -> Iterator[tuple[str, str]]:
        """Customer_id, which may stand in a parent, and record id of the records for which a condition holds."""
        head, _, name = field.rpartition(".")
        for one in self.query(f"SELECT Id, {field} FROM {kind} WHERE {where}"):
            yield str((one[head] if head else one)[name]), str(one["Id"])

    # ---- writing

    def upsert(self, rows: Sequence[Row], field: str) -> Iterator[Told]:
        """Create or change records by external id; what became of each, in the order of the rows."""
        kind = self.settings.object
        named = [{field: row.key, **record_of(row.values)} for row in rows]
        yield from self._told("PATCH", f"/composite/sobjects/{kind}/{field}", kind, rows, named)

    def update(self, rows: Sequence[Row]) -> Iterator[Told]:
        """Change records by their id; none is made."""
        named = [{"id": row.record, **record_of(row.values)} for row in rows]
        yield from self._told("PATCH", "/composite/sobjects", self.settings.object, rows, named)

    def create(self, kind: str, rows: Sequence[Row]) -> Iterator[Told]:
        """Make records of another object."""
        yield from self._told("POST", "/composite/sobjects", kind, rows, [record_of(row.values) for row in rows])

    def delete(self, rows: Sequence[Row]) -> Iterator[Told]:
        """Delete records; they lie in the recycle bin for 15 days."""
        for start in range(0, len(rows), A_CALL):
            some = rows[start : start + A_CALL]
            query = {"ids": ",".join(row.record for row in some), "allOrNone": "false"}
            yield from _judged(some, self.call("DELETE", "/composite/sobjects", params=query).json())

    def _told(
        self, method: str, path: str, kind: str, rows: Sequence[Row], named: Sequence[Mapping[str, Any]]
    ) -> Iterator[Told]:
        for start in range(0, len(rows), A_CALL):
            records = [{"attributes": {"type": kind}, **one} for one in named[start : start + A_CALL]]
            answer = self.call(method, path, json={"allOrNone": False, "records": records}).json()
            yield from _judged(rows[start : start + A_CALL], answer)


def quoted(value: Any) -> str:
    """A value as SOQL writes it."""
    if value is None:
        return "null"
    if isinstance(value, bool | int | float):
        return str(value).lower()
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def _lists(keys: Iterable[str]) -> Iterator[str]:
    """Keys as lists that fit into an address each."""
    some: list[str] = []
    length = 0
    for key in keys:
        one = quoted(key)
        long = len(quote(one, safe="")) + len("%2C")
        if some and length + long > MOST_QUERY:
            yield ",".join(some)
            some, length = [], 0
        some.append(one)
        length += long
    if some:
        yield ",".join(some)


def _judged(rows: Sequence[Row], results: Any) -> Iterator[Told]:
    """Results bear no key: they stand in the order of the rows."""
    if not isinstance(results, list) or len(results) != len(rows):
        raise RetryLater(WHERE, "the results are not those of the rows", "run again later; nothing is lost")
    for row, result in zip(rows, results, strict=True):
        error: dict[str, Any] = next(iter(result.get("errors") or ()), {})
        code, message = str(error.get("statusCode", "")), str(error.get("message", ""))
        yield row.key, None if result.get("success") else of_row(code, message)
