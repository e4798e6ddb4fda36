"""SuiteCRM's elder interface, version 4.1: one address, a call a form, names and values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from snello.kit.http import Answer
from snello.kit.rest import Request, Row
from tap_suitecrm import faults
from tap_suitecrm.asking import Question
from tap_suitecrm.session import CALL, PATH, SESSION


@dataclass(frozen=True)
class Legacy:
    """The interface."""

    lists_gone: bool = True
    auth = SESSION

    def fields_of(self, module: str) -> Request | None:
        """None: a field that is not there is left out without a word."""
        return None

    def names(self, answer: Answer) -> frozenset[str]:
        """None: they are not asked for."""
        return frozenset()

    def request(self, asked: Question) -> Request:
        """A page; its offset is always 0, for the query says where it begins. The order of arguments counts."""
        table = asked.module.lower()
        terms = [f"{table}.date_modified >= '{asked.moment}'"] if asked.moment else []
        terms += [f"{table}.id > '{asked.after}'"] if asked.after else []
        which = {"module_name": asked.module, "query": " AND ".join(terms), "order_by": f"{table}.id asc", "offset": 0}
        what = {"select_fields": list(asked.fields), "link_name_to_fields_array": [], "max_results": asked.size}
        also = {"deleted": int(asked.gone), "favorites": False}
        return Request("POST", PATH, json={CALL: "get_entry_list", **which, **what, **also})

    def records(self, document: Any) -> list[Row] | None:
        """The entries, their names and values as a row."""
        listed = document.get("entry_list") if isinstance(document, dict) else None
        good = isinstance(listed, list) and all(isinstance(each, dict) for each in listed)
        return [_row(each) for each in listed or ()] if good else None

    def more(self, document: Any, count: int) -> bool:
        """By the total, where the administrator has not switched its counting off: it is -1 then."""
        total = str(document.get("total_count"))
        return not total.isdigit() or int(total) > count

    check = staticmethod(faults.of_legacy)


def _row(entry: Row) -> Row:
    listed = entry.get("name_value_list")
    pairs = listed.values() if isinstance(listed, dict) else listed or ()
    return {**{each["name"]: each.get("value") for each in pairs}, "id": entry.get("id")}
