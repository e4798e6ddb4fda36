"""SuiteCRM's V8 interface: documents of JSON:API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from snello.kit.http import Answer, Auth
from snello.kit.rest import ContractError, Request, Row
from tap_suitecrm import faults
from tap_suitecrm.asking import Question
from tap_suitecrm.logins import OF_CLIENT, OF_USER

HEADERS = {"Accept": "application/vnd.api+json"}


@dataclass(frozen=True)
class V8:
    """The interface; ``by_user``: in the name of a user, by password, else in that of the client's own user."""

    by_user: bool
    lists_gone: bool = False  # newer versions refuse a page with a deleted record on it

    @property
    def auth(self) -> Auth:
        """How requests are signed."""
        return OF_USER if self.by_user else OF_CLIENT

    def fields_of(self, module: str) -> Request | None:
        """One call a stream: versions differ in their fields."""
        return Request("GET", f"/Api/V8/meta/fields/{module}", headers=HEADERS)

    def names(self, answer: Answer) -> frozenset[str]:
        """The fields of that answer. Raises ``ContractError``."""
        data = answer.document.get("data") if isinstance(answer.document, dict) else None
        if not isinstance(data, dict) or not isinstance(data.get("attributes"), dict):
            raise ContractError("tap-suitecrm", f"the answer of {answer.place} holds no fields", faults.WRONG_PLACE)
        return frozenset(data["attributes"])

    def request(self, asked: Question) -> Request:
        """A page; its number is always 1, for the filter says where it begins."""
        params = {f"fields[{asked.module}]": ",".join(asked.fields), "sort": "id", "page[number]": 1}
        params |= {"filter[date_modified][gte]": asked.moment} if asked.moment else {}
        params |= {"filter[id][gt]": asked.after} if asked.after else {}
        return Request("GET", f"/Api/V8/module/{asked.module}", params | {"page[size]": asked.size}, headers=HEADERS)

    def records(self, document: Any) -> list[Row] | None:
        """The resources, whatever their type: it is the class's name, not the module's."""
        listed = document.get("data") if isinstance(document, dict) else None
        good = isinstance(listed, list) and all(isinstance(each, dict) for each in listed)
        return [{**(each.get("attributes") or {}), "id": each.get("id")} for each in listed or ()] if good else None

    def more(self, document: Any, count: int) -> bool:
        """By the number of pages; 0 is a count that a version could not make, and links lead astray."""
        return bool((document.get("meta") or {}).get("total-pages") != 1)

    check = staticmethod(faults.of_v8)
