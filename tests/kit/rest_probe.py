"""Taps for tests of REST streams, declared in a line, and a source whose rows, pages and filters are the real thing."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import Field, SecretStr
from tests.kit.http_server import Call, Reply, serving

from snello.kit.entry import entry
from snello.kit.rest import RestSettings, RestStream, RestTap, Retry, page_number
from snello.kit.testing import Run, run

CANARY = "canary.person@aurora.example"
TOKEN = "hunter22-token"
DAY = datetime(2026, 1, 1, tzinfo=UTC)
BY_TIME = {"replication_key": "changed_at", "since": "since", "since_format": "%Y-%m-%dT%H:%M:%SZ"}
ROWS_AT = {"records_jsonpath": "$.data[*]"}
PAGES = page_number("page", ("size", 2), total_pages="X-Pages", total_rows="X-Total")
QUICK = Retry(tries=3, first=0.01, longest=1.0)
Row = dict[str, Any]
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "name": {"type": ["string", "null"]},
        "changed_at": {"type": ["string", "null"], "format": "date-time"},
    },
    "required": ["id"],
}


class Settings(RestSettings):
    """Settings of the probe."""

    url: str = Field(description="Address.")
    user: str = Field("reader", description="User.")
    token: SecretStr = Field(SecretStr(TOKEN), description="Secret.")
    shelf: str = Field("a/b", description="A part of the path.")


class Probe(RestStream):
    """A stream whose schema is an attribute."""

    url_base, path, primary_keys, retry = "{url}/v1", "/things", ("id",), QUICK
    declared: Mapping[str, Any] = SCHEMA

    def __init__(self, tap: Any, host: Any) -> None:
        super().__init__(tap, host, schema=json.loads(json.dumps(self.declared)))


def stream(name: str = "things", **declared: Any) -> type[Probe]:
    """A stream class of this declaration."""
    return type(name.title(), (Probe,), {"__doc__": "Probe.", "__module__": __name__, "name": name, **declared})


def main_of(*streams: type[RestStream]) -> Callable[[], None]:
    """The command of a tap with these streams."""
    given = {"__doc__": "Probe.", "name": "tap-probe", "stream_classes": streams, "settings": Settings}
    return entry(type("TapProbe", (RestTap,), given))


def read(url: str, *streams: type[RestStream], arguments: tuple[str, ...] = (), **given: Any) -> Run:
    """Run a tap of these streams; ``state`` and ``catalog`` as they are, what else is given is a setting."""
    state, catalog = given.pop("state", None), given.pop("catalog", None)
    done = run(main_of(*streams), {"url": url} | given, *arguments, state=state, catalog=catalog)
    assert CANARY not in done.err
    assert TOKEN not in done.err
    return done


def catalog_of(*streams: type[RestStream], left_out: tuple[str, ...] = ()) -> dict[str, Any]:
    """The catalog, without these streams or fields (``stream.field``)."""
    catalog: dict[str, Any] = json.loads(run(main_of(*streams), {"url": "http://x"}, "--discover").out)
    for each in catalog["streams"]:
        for entry_ in each["metadata"]:
            name = ".".join([each["tap_stream_id"], *entry_["breadcrumb"][1:]])
            if name in left_out:
                entry_["metadata"]["selected"] = False
    return catalog


def schema(**fields: Any) -> dict[str, Any]:
    """A schema of these fields, and an id."""
    return {"type": "object", "properties": {"id": {"type": "integer"}, **fields}}


def family(orders: int) -> dict[str, Any]:
    """Orders, and none to three lines of each."""
    lines = {f"orders/{n}/lines": [{"id": n * 10 + m} for m in range(n % 4)] for n in range(1, orders + 1)}
    return {"orders": [thing(n) for n in range(1, orders + 1)], **lines}


def at(second: float) -> str:
    """A moment of the first of January."""
    return (DAY + timedelta(seconds=second)).isoformat()


def moments(count: int) -> list[Row]:
    """Rows a hundred seconds apart."""
    return [thing(n, at(n * 100)) for n in range(1, count + 1)]


def bookmark(done: Run) -> Any:
    """What the state says of the things."""
    return done.state["bookmarks"]["things"]


def ids(done: Run, name: str = "things") -> list[int]:
    return [record["id"] for record in done.records(name)]


def thing(number: int, at: str | None = None, **more: Any) -> Row:
    return {"id": number, "name": CANARY, "changed_at": at} | more


@dataclass
class Source:
    """Rows behind an interface.

    - ``rows``: in the order of the listing, by the path's last part
    - ``most``: rows that a page holds at most, whatever is asked for
    - ``show``: how a row is handed out; ``filters``: whether ``since`` is heeded
    - ``flights``: the most requests that were answered at one time
    """

    rows: dict[str, list[Row]]
    most: int = 1000
    show: Callable[[Row], Row] = lambda row: row
    filters: bool = True
    calls: list[Call] = field(default_factory=list)
    flights: int = 0
    url: str = ""
    before: Callable[[Call], Reply | None] = lambda call: None
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, call: Call) -> Reply:
        with self._lock:
            self._now += 1
            self.flights = max(self.flights, self._now)
            self.calls.append(call)
        try:
            return self.before(call) or self._answer(call)
        finally:
            with self._lock:
                self._now -= 1

    def _answer(self, call: Call) -> Reply:
        asked: dict[str, Any] = {**call.query, **(call.json if call.body else {})}
        name = call.path.removeprefix("/v1/")
        if name not in self.rows:
            return Reply({"message": CANARY}, 404)
        rows = self._listed(name, asked)
        size = min(int(asked.get("size", self.most)), self.most)
        start = self._start(asked, size)
        page = [self.show(row) for row in rows[start : start + size]]
        after = str(start + size) if start + size < len(rows) else None
        pages = -(-len(rows) // size)
        headers = [("X-Total", str(len(rows))), ("X-Pages", str(pages))]
        if after:
            headers.append(("Link", f'<{call.path}?after={after}&size={size}>; rel="next"'))
        body = {"data": page, "next": after, "total": len(rows), "pages": pages, "more": after is not None}
        return Reply(page if asked.get("bare") else body, headers=headers)

    def _listed(self, name: str, asked: dict[str, Any]) -> list[Row]:
        rows = list(self.rows[name])
        if asked.get("order") == "keyset":
            rows.sort(key=lambda row: (row["changed_at"], row["id"]))
            if "behind" in asked:
                at, _, number = asked["behind"].rpartition("/")
                rows = [row for row in rows if (row["changed_at"], row["id"]) > (at, int(number))]
        if asked.get("order") == "newest":
            rows.sort(key=lambda row: (row["changed_at"], row["id"]), reverse=True)
        if self.filters and "since" in asked:
            since = datetime.fromisoformat(asked["since"])
            rows = [row for row in rows if datetime.fromisoformat(row["changed_at"]) >= since]
        return rows

    def _start(self, asked: dict[str, Any], size: int) -> int:
        if "page" in asked:
            return (int(asked["page"]) - 1) * size
        if "page0" in asked:
            return int(asked["page0"]) * size
        return int(asked.get("offset", asked.get("after", 0)))

    @property
    def asked(self) -> list[dict[str, str]]:
        """The queries so far."""
        return [call.query for call in self.calls]


@contextmanager
def source(rows: list[Row] | dict[str, list[Row]], **given: Any) -> Iterator[Source]:
    """A source of these rows; a list is that of ``/v1/things``."""
    found = Source({"things": rows} if isinstance(rows, list) else rows, **given)
    with serving(found) as server:
        found.url = server.url
        yield found
