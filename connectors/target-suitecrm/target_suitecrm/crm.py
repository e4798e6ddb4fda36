"""SuiteCRM's V8 interface: the calls that an audience needs, and the traps on its pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid5

from snello.kit.channel import BatchRefused, ConfigError, ContractError, Http, Pace, Retry, RetryLater
from snello.kit.http import oauth2_client
from target_suitecrm.faults import DATABASE, EXISTS, FOLDER, GONE, NO_OPERATOR, WHERE, judge

MEDIA = "application/vnd.api+json"
OURS = UUID("6f1d3ad5-3c1e-4f0a-9d0e-5b2f0f6b6c11")  # the space in which ids of records that we make are drawn
MOST_TIMES = 8  # that a record is made anew, after it was deleted
A_PAGE, MOST_QUERY = 100, 2_000


@dataclass(frozen=True)
class Record:
    """A record, as far as its fields were asked for; all of them are texts."""

    id: str
    fields: Mapping[str, str]


class Crm:
    """Calls of one client; what a record is to blame for leaves as ``BatchRefused``."""

    def __init__(self, url: str, login: Mapping[str, str], retry: Retry, per_second: float, parallel: int) -> None:
        self.url = url.rstrip("/")
        self.http = Http(
            WHERE,
            headers={"Accept": MEDIA, "Content-Type": MEDIA},
            retry=retry,
            pace=Pace(per_second),
            parallel=parallel,
            auth=oauth2_client("{url}/Api/access_token", style="body"),
            config={**login, "url": self.url},
            renew="renew TARGET_SUITECRM_CLIENT_ID and TARGET_SUITECRM_CLIENT_SECRET",
        )
        self.http.judge = judge
        self._knows_in: bool | None = None

    def call(self, method: str, path: str, place: str, data: Any = None, **query: Any) -> dict[str, Any]:
        """One call; ``place`` stands for the path in messages, which no record is named in."""
        body = {} if data is None else {"json": {"data": data}}
        try:
            answer = self.http.call(method, f"{self.url}/Api/V8/{path}", place=f"/Api/V8/{place}", params=query, **body)
        except ContractError:
            raise ConfigError(WHERE, "what answers at /Api/access_token is no login of SuiteCRM's", FOLDER) from None
        document = answer.json()
        if not isinstance(document, dict) or not document.keys() & {"data", "meta"}:
            raise ContractError(WHERE, f"an answer of /Api/V8/{place} is no document", FOLDER)
        return document

    # ---- reading

    def fields(self, module: str) -> dict[str, dict[str, Any]]:
        """The fields that a module has, with type, length and source."""
        found: dict[str, dict[str, Any]] = self.call("GET", f"meta/fields/{module}", f"meta/fields/{module}")["data"][
            "attributes"
        ]
        return found

    def read(self, module: str, number: str, shown: Sequence[str]) -> Record | None:
        """One record; None when there is none, or it was deleted."""
        query = {f"fields[{module}]": ",".join(shown)}
        try:
            found = self.call("GET", f"module/{module}/{quote(number, safe='')}", f"module/{module}/{{id}}", **query)
        except BatchRefused as fault:
            if fault.code not in (GONE, "invalid"):
                raise
            return None
        return record_of(found["data"])

    def having(self, module: str, field: str, values: Iterable[str], shown: Sequence[str]) -> dict[str, list[Record]]:
        """The records that have these values of a field, by value as ``same`` has it.

        SuiteCRM's database finds them whatever their case, and by an address that a record once had: what it finds is
        compared once more. Addresses are the same whatever their case.
        """
        wanted = list(dict.fromkeys(same(field, value) for value in values))
        found: dict[str, dict[str, Record]] = {value: {} for value in wanted}
        for some in self._questions(wanted):
            for record in self._asked(module, field, some, [*shown, field]):
                held = found.get(same(field, record.fields.get(field) or ""))
                if held is not None:
                    held[record.id] = record
        return {value: list(held.values()) for value, held in found.items() if held}

    def _questions(self, values: list[str]) -> Iterator[list[str]]:
        """Values that one look-up can ask for: several where SuiteCRM knows ``in``, whose list is cut at commas."""
        some: list[str] = []
        for value in values:
            if "," in value or value != value.strip() or self._knows_in is False:
                yield [value]
                continue
            if some and sum(map(len, some)) + len(value) > MOST_QUERY:
                yield some
                some = []
            some.append(value)
        if some:
            yield some

    def _asked(self, module: str, field: str, values: list[str], shown: Sequence[str]) -> Iterator[Record]:
        if len(values) > 1 and self._knows_in is not False:
            try:
                yield from self._pages(module, shown, {f"filter[{field}][in]": ",".join(values)})
            except BatchRefused as fault:
                if fault.code != NO_OPERATOR:
                    raise
                self._knows_in = False
            else:
                self._knows_in = True
                return
        for value in values:
            yield from self._pages(module, shown, {f"filter[{field}][eq]": value})

    def _pages(self, module: str, shown: Sequence[str], where: Mapping[str, str]) -> Iterator[Record]:
        """All pages of a look-up. Their number comes from us and ends with a page that is not full: SuiteCRM's links
        lead back to the first page, and some versions count no page where an own field is asked for.
        """
        seen: set[str] = set()
        number = 1
        while True:
            page = {f"fields[{module}]": ",".join(dict.fromkeys(shown)), "page[size]": A_PAGE, "page[number]": number}
            try:
                rows = self.call("GET", f"module/{module}", f"module/{module}", **where, **page)["data"]
            except BatchRefused as fault:
                if fault.code != DATABASE:
                    raise
                cure = "run again later; if it stays so, update SuiteCRM: elder versions cannot search by every field"
                raise RetryLater(WHERE, f"SuiteCRM's database does not answer a search in {module}", cure) from None
            new = [one for one in map(record_of, rows) if one.id not in seen]
            yield from new
            seen |= {one.id for one in new}
            if len(rows) < A_PAGE or not new:
                return
            number += 1

    # ---- writing

    def change(self, module: str, number: str, attributes: Mapping[str, str]) -> None:
        """Change a record; fields that are not named stay as they are."""
        self.call("PATCH", "module", "module", {"type": module, "id": number, "attributes": dict(attributes)})

    def make(self, module: str, name: str, attributes: Mapping[str, str], shown: Sequence[str], anew: bool) -> Record:
        """A record of this name in our own space of ids; without fields where it was made now, by no earlier try.

        Raises ``BatchRefused``: ``deleted`` when it was made and then deleted, unless it is to be made ``anew``.
        """
        for time in range(MOST_TIMES):
            number = str(uuid5(OURS, f"{module}/{name}/{time}"))
            try:
                self.call("POST", "module", "module", {"type": module, "id": number, "attributes": dict(attributes)})
                return Record(number, {})
            except BatchRefused as fault:
                if fault.code != EXISTS:
                    raise
            there = self.read(module, number, shown)
            if there is not None:
                return there
            if not anew:
                break
        raise BatchRefused("deleted", 400)


def same(field: str, value: str) -> str:
    """A value as it is compared: addresses whatever their case."""
    return value.lower() if field.startswith("email") else value


def record_of(found: Mapping[str, Any]) -> Record:
    """A resource of a document."""
    fields = {name: "" if value is None else str(value) for name, value in (found.get("attributes") or {}).items()}
    return Record(str(found["id"]), fields)
