"""Odoo's records: kept in SQLite, searched by domains, changed by calls that happen wholly or not at all."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from snello.sandbox.emulators import odoo_rules as rules

TABLES = """
CREATE TABLE IF NOT EXISTS records (model TEXT, id INTEGER, body TEXT, PRIMARY KEY (model, id));
CREATE TABLE IF NOT EXISTS sequences (model TEXT PRIMARY KEY, last INTEGER);
"""
Record = dict[str, Any]
LINKS = "ir.model.data"
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda held, given: held == given,
    "!=": lambda held, given: held != given,
    "in": lambda held, given: held in given,
    "not in": lambda held, given: held not in given,
    ">": lambda held, given: held is not False and held > given,
    ">=": lambda held, given: held is not False and held >= given,
    "<": lambda held, given: held is not False and held < given,
    "<=": lambda held, given: held is not False and held <= given,
    "like": lambda held, given: str(given) in str(held or ""),
    "ilike": lambda held, given: str(given).lower() in str(held or "").lower(),
    "=like": lambda held, given: str(held or "") == str(given),
    "=ilike": lambda held, given: str(held or "").lower() == str(given).lower(),
}


class OdooStore:
    """The records of one database, by model and id."""

    def __init__(self, database: Path | str) -> None:
        self.db = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        self.db.executescript(TABLES)
        self.rows: dict[str, dict[int, Record]] = {model: {} for model in rules.MODELS}
        self.named: dict[str, set[int]] = {}  # external ids by name, which are asked for most
        for model, number, body in self.db.execute("SELECT * FROM records ORDER BY model, id"):
            self._set(model, number, json.loads(body))
        self.last: dict[str, int] = dict(self.db.execute("SELECT * FROM sequences"))
        self._before: dict[tuple[str, int], Record | None] = {}
        self.moment = now()

    @contextmanager
    def transaction(self, at: str | None = None) -> Iterator[None]:
        """All changes of the block, or none; they share one moment, that of its beginning."""
        self._before = {}
        self.moment = at or now()
        try:
            yield
        except Exception:
            self.undo()
            raise
        if self._before:
            self._write_down()

    def undo(self) -> None:
        """Take back all that the transaction did so far."""
        for (model, number), record in self._before.items():
            self._set(model, number, record)
        self._before = {}

    def _set(self, model: str, number: int, record: Record | None) -> None:
        before = self.rows[model].pop(number, None)
        if model == LINKS and before:
            self.named[before["name"]].discard(number)
        if model == LINKS and record:
            self.named.setdefault(record["name"], set()).add(number)
        if record is not None:
            self.rows[model][number] = record

    def _write_down(self) -> None:
        self.db.execute("BEGIN")
        for model, number in self._before:
            record = self.rows[model].get(number)
            if record is None:
                self.db.execute("DELETE FROM records WHERE model = ? AND id = ?", (model, number))
            else:
                values = (model, number, json.dumps(record))
                self.db.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", values)
        self.db.executemany("INSERT OR REPLACE INTO sequences VALUES (?, ?)", self.last.items())
        self.db.execute("COMMIT")

    def next_id(self, model: str) -> int:
        """A number that no record had, not even one that is gone."""
        self.last[model] = self.last.get(model, 0) + 1
        return self.last[model]

    def put(self, model: str, record: Record) -> None:
        """Keep a record, with the moment of its change."""
        self._note(model, record["id"])
        self._set(model, record["id"], {**record, "write_date": self.moment})

    def fill(self, model: str, records: Iterable[Record]) -> None:
        """Hold records as they are, moments and all, until the process ends; what one lacks is empty."""
        kinds, blank = rules.fields_of(model), rules.blank(model)
        blank |= {"active": True} if "active" in kinds else {}
        for given in records:
            record = blank | {name: rules.stored(kinds[name], value) for name, value in given.items()}
            self._set(model, record["id"], rules.derived(model, record))
            self.last[model] = max(self.last.get(model, 0), record["id"])

    def drop(self, model: str, number: int) -> None:
        """Forget a record."""
        self._note(model, number)
        self._set(model, number, None)

    def _note(self, model: str, number: int) -> None:
        self._before.setdefault((model, number), self.rows[model].get(number))

    def search(self, model: str, domain: Sequence[Any], archived: bool) -> list[Record]:
        """The records that fit a domain, by id; archived ones only when they are asked for."""
        fits = matcher(model, domain)
        named = any(isinstance(term, list | tuple) and term[0] == "active" for term in domain)
        hidden = "active" in rules.fields_of(model) and not archived and not named
        rows = (self.rows[model][number] for number in sorted(self._candidates(model, domain)))
        return [row for row in rows if not (hidden and not row["active"]) and fits(row)]

    def _candidates(self, model: str, domain: Sequence[Any]) -> Iterable[int]:
        """Numbers of the records that may fit: those that a term by number or by name leaves, else all."""
        for term in () if any(isinstance(term, str) for term in domain) else domain:
            name, operator, given = term
            wanted = given if operator == "in" else [given] if operator == "=" else None
            if name == "id" and wanted is not None:
                return self.rows[model].keys() & set(wanted)
            if (model, name) == (LINKS, "name") and wanted is not None:
                return {number for one in wanted for number in self.named.get(one, ())}
        return self.rows[model]


def matcher(model: str, domain: Sequence[Any]) -> Callable[[Record], bool]:
    """A domain in Polish notation as a function of a record; terms without an operator are joined by and."""
    terms = list(domain)
    found: list[Callable[[Record], bool]] = []
    for term in reversed(terms):
        if term == "!":
            found.append(_not(found.pop()))
        elif term in ("&", "|"):
            found.append(_both(found.pop(), found.pop(), any if term == "|" else all))
        elif isinstance(term, list | tuple) and len(term) == 3:
            found.append(_leaf(model, *term))
        else:
            raise rules.server_error(f"Invalid leaf {term!r}")
    return lambda row: all(fits(row) for fits in found)


def _not(one: Callable[[Record], bool]) -> Callable[[Record], bool]:
    return lambda row: not one(row)


def _both(
    one: Callable[[Record], bool], other: Callable[[Record], bool], join: Callable[..., bool]
) -> Callable[[Record], bool]:
    return lambda row: join((one(row), other(row)))


def _leaf(model: str, name: str, operator: str, given: Any) -> Callable[[Record], bool]:
    kind = rules.known(model, name)
    if operator not in OPERATORS:
        raise rules.server_error(f"Invalid operator {operator!r}")
    if operator in ("in", "not in") and not isinstance(given, list | tuple):
        given = [given]
    if kind == "datetime" and isinstance(given, str):
        exact, compared = _to_the_microsecond(given), OPERATORS[operator]
        return lambda row: compared(row[name] and _to_the_microsecond(row[name]), exact)
    if kind == "many2many":
        wanted = set(given) if isinstance(given, list | tuple) else {given}
        return lambda row: bool(wanted & set(row[name])) == (operator in ("in", "="))
    if isinstance(given, list):
        given = frozenset(given)
    if model == "mail.blacklist" and name == "email" and isinstance(given, str):
        given = rules.normal_email(given) or given
    compare = OPERATORS[operator]
    return lambda row: compare(row[name], given)


def now() -> str:
    """The moment, as Odoo keeps it and never shows it: UTC, to the microsecond."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _to_the_microsecond(text: str) -> str:
    return text if "." in text else f"{text}.000000"
