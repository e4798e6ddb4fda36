"""What SOQL asks of Salesforce's records, as far as somebody asks it here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from snello.sandbox.emulators import salesforce_rules as rules
from snello.sandbox.emulators.salesforce_store import SalesforceStore

SOQL = re.compile(r"SELECT (?P<what>.+?) FROM (?P<kind>\w+)(?: WHERE (?P<where>.+?))?(?: ORDER BY Id)?(?: LIMIT 1)?")
VALUE = r"null|true|false|\d{4}-\d\d-\d\d(?:T[\d:.]+Z)?|[\d.]+|'(?:[^'\\]|\\.)*'|\(.*?\)"
TERM = re.compile(rf"(?P<name>[\w.]+) (?P<how>=|!=|IN) (?P<value>{VALUE})")
PLAIN = ("double", "boolean", "date", "datetime")
TEXT = re.compile(r"'((?:[^'\\]|\\.)*)'")
MOST_URI = 16_384
Test = Callable[[Mapping[str, Any]], bool]


class Questions:
    """The routes of questions, below ``root``."""

    def __init__(self, store: SalesforceStore, root: str) -> None:
        self.store, self.root = store, root
        self.pages: dict[str, list[dict[str, Any]]] = {}

    def routes(self) -> list[Route]:
        """Their paths."""
        found = [("/query", self.query), ("/query/", self.query), ("/query/{locator}", self.more)]
        looks = Route("/_inspect/records/{kind}", self.everything, methods=["GET"])
        return [*(Route(self.root + path, route, methods=["GET"]) for path, route in found), looks]

    async def query(self, request: Request) -> Response:
        """The records that a question is about, 2,000 a page; or how many they are."""
        if len(str(request.url)) > MOST_URI:
            return Response("URI Too Long", 414)
        asked = SOQL.fullmatch(request.query_params.get("q", "").strip())
        if not asked:
            raise rules.Refused(400, "MALFORMED_QUERY", "unexpected token")
        kind, names = asked["kind"], [one.strip() for one in asked["what"].split(",")]
        terms = list(TERM.finditer(asked["where"] or ""))
        if " AND ".join(term[0] for term in terms) != (asked["where"] or ""):
            raise rules.Refused(400, "MALFORMED_QUERY", "unexpected token")
        tests = [self._test(kind, term) for term in terms]
        found = [one for one in self.store.everybody(kind) if all(test(one) for test in tests)]
        if names == ["COUNT()"]:
            return JSONResponse({"totalSize": len(found), "done": True, "records": []})
        for name in names:
            self._field(kind, name)
        shown = [self._shown(kind, one, names) for one in found]
        return self._page(shown, len(shown))

    async def more(self, request: Request) -> Response:
        """The next page."""
        rest = self.pages.pop(request.path_params["locator"], None)
        if rest is None:
            raise rules.Refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(rest, len(rest))

    def _page(self, rows: list[dict[str, Any]], total: int) -> Response:
        page, rest = rows[: rules.PAGE], rows[rules.PAGE :]
        body: dict[str, Any] = {"totalSize": total, "done": not rest, "records": page}
        if rest:
            locator = f"01g{len(self.pages):012d}-{rules.PAGE}"
            self.pages[locator] = rest
            body["nextRecordsUrl"] = f"{self.root}/query/{locator}"
        return JSONResponse(body)

    def _field(self, kind: str, name: str) -> str:
        """The name of a field, or of a parent's, as the org writes it."""
        head, _, key = name.rpartition(".")
        if head and (reference := self.store.relation(kind, head)):
            return f"{reference['relationshipName']}.{self._field(reference['referenceTo'][0], key)}"
        field = self.store.fields(kind).get(name.lower())
        if field is None:
            raise rules.no_column(name, kind)
        return str(field["name"])

    def _value(self, kind: str, one: Mapping[str, Any], name: str) -> Any:
        head, _, key = name.rpartition(".")
        if not head:
            return one.get(name)
        reference = self.store.relation(kind, head)
        assert reference
        parent = self.store.record(reference["referenceTo"][0], one.get(reference["name"]) or "")
        return parent.get(key) if parent else None

    def _shown(self, kind: str, one: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
        shown: dict[str, Any] = {"attributes": {"type": kind}}
        for name in names:
            head, _, key = name.rpartition(".")
            value = self._value(kind, one, name)
            shown |= {head: {key: value}} if head else {name: value}
        return shown

    def _test(self, kind: str, term: re.Match[str]) -> Test:
        name, value = self._field(kind, term["name"]), term["value"]
        if value == "null":
            return lambda one: (self._value(kind, one, name) is None) == (term["how"] == "=")
        if value in ("true", "false"):
            return lambda one: bool(self._value(kind, one, name)) == (value == "true")
        texts = {re.sub(r"\\(.)", r"\1", text).lower() for text in TEXT.findall(value)}
        if bool(texts) == (self._kind(kind, name) in PLAIN):
            told = "filter criterion must be of another type and should be enclosed in quotes, or not"
            raise rules.Refused(400, "INVALID_FIELD", told)
        if re.fullmatch(r"[\d.]+", value):
            return lambda one: float(self._value(kind, one, name) or 0) == float(value)
        texts = texts or {value.lower()}
        return lambda one: str(self._value(kind, one, name) or "").lower() in texts

    def _kind(self, kind: str, name: str) -> str:
        head, _, key = name.rpartition(".")
        reference = self.store.relation(kind, head) if head else None
        return str(self.store.fields(reference["referenceTo"][0] if reference else kind)[key.lower()]["type"])

    async def everything(self, request: Request) -> Response:
        """All records of an object, for tests."""
        return JSONResponse(self.store.everybody(request.path_params["kind"]))
