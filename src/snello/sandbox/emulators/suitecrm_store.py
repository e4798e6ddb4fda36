"""SuiteCRM's records, their links and their e-mail addresses, in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from snello.sandbox.emulators.suitecrm_fields import ALIASES, NUMBERS, OBJECTS, fields_of
from snello.sandbox.emulators.suitecrm_rules import EMAIL, Refused, fit

TABLES = """
CREATE TABLE IF NOT EXISTS records (module TEXT, id TEXT, body TEXT, deleted INTEGER DEFAULT 0, PRIMARY KEY (module, id)
    ) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_customer ON records
    (module, json_extract(body, '$.snello_customer_id_c') COLLATE NOCASE);
CREATE TABLE IF NOT EXISTS links (one TEXT, other TEXT, PRIMARY KEY (one, other)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_other ON links (other);
CREATE TABLE IF NOT EXISTS emails (record TEXT, address TEXT COLLATE NOCASE, PRIMARY KEY (record, address))
    WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_address ON emails (address);
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, until REAL) WITHOUT ROWID;
"""
JOINED = (
    "FROM records WHERE module = ? AND deleted = 0 AND id IN "
    "(SELECT other FROM links WHERE one = ? UNION ALL SELECT one FROM links WHERE other = ?)"
)
Record = dict[str, str]


class SuiteStore:
    """One SuiteCRM. All values are texts; an address that a record once had stays among its ``emails``."""

    def __init__(self, database: Path | str, lists: Sequence[str], custom: Mapping[str, str]) -> None:
        self.db = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        self.db.execute("PRAGMA synchronous = OFF")
        self.db.executescript(TABLES)
        self.fields = fields_of(custom)
        known = {record["name"] for record in self.find("ProspectLists")}
        for name in lists:
            if name not in known:
                self.write("ProspectLists", None, {"name": name, "list_type": "default"})

    def module(self, name: str) -> str:
        """The module behind a name or an alias."""
        module = ALIASES.get(name, name)
        if module not in OBJECTS:
            raise Refused(f"Module {name} does not exist")
        return module

    def get(self, module: str, number: str, *, deleted: bool = False) -> Record | None:
        """A record, with ``deleted`` also one that was."""
        query = "SELECT body FROM records WHERE module = ? AND id = ? AND deleted <= ?"
        row = self.db.execute(query, (module, number.lower(), int(deleted))).fetchone()
        return json.loads(row[0]) if row else None

    def there(self, module: str, number: str) -> Record:
        """A record. Raises ``Refused`` when there is none."""
        record = self.get(module, number)
        if record is None:
            raise Refused(f"{module} module with id {number} is not found")
        return record

    def write(self, module: str, record: Record | None, given: Mapping[str, Any], number: str | None = None) -> Record:
        """Create (null) or change a record; an address that is none is dropped without a word, as SuiteCRM does."""
        fields = self.fields[module]
        for name in given:
            if name not in fields:
                raise Refused(f"Property {name} in {OBJECTS[module]} module is invalid")
        values = {name: fit(name, fields[name], value) for name, value in given.items() if name != "id"}
        if values.get("email1") and not EMAIL.fullmatch(values["email1"]):
            del values["email1"]
        at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
        if record is None:
            empty = {name: "0" if kind["type"] == "bool" else "" for name, kind in fields.items()}
            record = empty | {"id": (number or str(uuid4())).lower(), "date_entered": at}
        whole = {**record, **values, "date_modified": values.get("date_modified", at)}
        if "last_name" in fields:
            whole["full_name"] = f"{whole['first_name']} {whole['last_name']}".strip()
        key = (module, whole["id"])
        self.db.execute("BEGIN")
        query = "INSERT OR REPLACE INTO records (module, id, body, deleted) VALUES (?, ?, ?, ?)"
        self.db.execute(query, (*key, json.dumps(whole), int(whole["deleted"])))
        if whole.get("email1"):
            self.db.execute("INSERT OR IGNORE INTO emails VALUES (?, ?)", (whole["id"], whole["email1"]))
        self.db.execute("COMMIT")
        return whole

    def fill(self, module: str, records: Iterable[Record]) -> None:
        """Put records in as they are, moments and all; a field that one does not have holds nothing."""
        fields = self.fields[module]
        empty = {name: "0" if kind["type"] == "bool" else "" for name, kind in fields.items()}
        named = "last_name" in fields
        query = "INSERT OR REPLACE INTO records (module, id, body, deleted) VALUES (?, ?, ?, ?)"
        self.db.execute("BEGIN")
        for each in records:
            whole = {**empty, **each}
            if named:
                whole["full_name"] = f"{whole['first_name']} {whole['last_name']}".strip()
            self.db.execute(query, (module, whole["id"], json.dumps(whole), int(whole["deleted"])))
            if whole.get("email1"):
                self.db.execute("INSERT OR IGNORE INTO emails VALUES (?, ?)", (whole["id"], whole["email1"]))
        self.db.execute("COMMIT")

    def delete(self, module: str, number: str) -> None:
        """Mark a record as deleted; its links go."""
        self.write(module, self.there(module, number), {"deleted": True})
        self.db.execute("DELETE FROM links WHERE one = ?1 OR other = ?1", (number.lower(),))

    def column(self, module: str, name: str) -> str:
        """A field as a term of SQL, with a place for operator and value; texts are equal whatever their case."""
        kind = self.fields[module][name]
        if name == "email1":
            return "id IN (SELECT record FROM emails WHERE address {})"
        if name == "id":
            return "id {}"
        value = f"json_extract(body, '$.{name}')"
        return f"CAST({value} AS REAL) {{}}" if kind["type"] in NUMBERS else f"{value} COLLATE NOCASE {{}}"

    def find(
        self,
        module: str,
        where: str = "1",
        values: Iterable[str] = (),
        *,
        deleted: bool = False,
        order: str = "",
        limit: int = -1,
        offset: int = 0,
    ) -> list[Record]:
        """The records of a page."""
        query = f"SELECT body FROM records WHERE module = ? AND deleted = ? AND {where} {order} LIMIT ? OFFSET ?"
        rows = self.db.execute(query, (module, int(deleted), *values, limit, offset))
        return [json.loads(row[0]) for row in rows]

    def count(self, module: str, where: str = "1", values: Iterable[str] = (), deleted: bool = False) -> int:
        """How many there are."""
        query = f"SELECT count(*) FROM records WHERE module = ? AND deleted = ? AND {where}"
        return int(self.db.execute(query, (module, int(deleted), *values)).fetchone()[0])

    def link(self, one: str, other: str) -> None:
        """Join two records; joining them twice is joining them once."""
        self.db.execute("INSERT OR IGNORE INTO links VALUES (?, ?)", (min(one, other), max(one, other)))

    def unlink(self, one: str, other: str) -> bool:
        """Part two records; False when they are not joined."""
        query = "DELETE FROM links WHERE one = ? AND other = ?"
        return bool(self.db.execute(query, (min(one, other), max(one, other))).rowcount)

    def linked(self, number: str, module: str, limit: int = -1, offset: int = 0) -> list[Record]:
        """The records of a module that are joined with a record."""
        query = f"SELECT body {JOINED} ORDER BY id LIMIT ? OFFSET ?"
        return [json.loads(row[0]) for row in self.db.execute(query, (module, number, number, limit, offset))]

    def linked_count(self, number: str, module: str) -> int:
        """How many there are."""
        return int(self.db.execute(f"SELECT count(*) {JOINED}", (module, number, number)).fetchone()[0])

    def counts(self) -> dict[str, Any]:
        """What tests look at."""
        lists = {one["name"]: self.linked_count(one["id"], "Contacts") for one in self.find("ProspectLists")}
        held = {
            module.lower(): self.count(module) for module in OBJECTS if module != "Calls"
        }  # the watch has calls too
        return {**held, "calls_made": self.count("Calls"), "lists": lists}
