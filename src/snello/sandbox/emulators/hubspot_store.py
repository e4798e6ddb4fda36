"""What a HubSpot account holds: contacts, companies, properties, lists and associations, in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from snello.sandbox.emulators.hubspot_rules import STAGES, Refused, fit, invalid, unfit

TABLES = """
CREATE TABLE IF NOT EXISTS records (id INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT, properties TEXT, archived INTEGER
    DEFAULT 0, created_at TEXT, updated_at TEXT);
CREATE TABLE IF NOT EXISTS uniques (type TEXT, name TEXT, value TEXT, record INTEGER,
    PRIMARY KEY (type, name, value)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uniques_record ON uniques (record);
CREATE TABLE IF NOT EXISTS properties (type TEXT, name TEXT, definition TEXT, PRIMARY KEY (type, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS lists (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, processing TEXT);
CREATE TABLE IF NOT EXISTS members (list INTEGER, record INTEGER, PRIMARY KEY (list, record)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS associations (contact INTEGER, company INTEGER, PRIMARY KEY (contact, company))
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blocked (email TEXT PRIMARY KEY) WITHOUT ROWID;
INSERT OR IGNORE INTO sqlite_sequence (name, seq) SELECT 'records', 100
    WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'records');
"""
TEXTS = ("email", "firstname", "lastname", "phone", "mobilephone", "city", "zip", "country", "address", "company")
READ_ONLY = ("hs_object_id", "createdate", "lastmodifieddate", "hs_email_optout", "hs_email_bounce")

Record = dict[str, Any]


def definition(name: str, kind: str, field: str, *, unique: bool = False, **more: Any) -> dict[str, Any]:
    """A property as the interface shows it."""
    made = {"name": name, "label": name, "type": kind, "fieldType": field, "groupName": "contactinformation"}
    kept = {"options": [], "hasUniqueValue": unique, "description": "", "hidden": False, "calculated": False}
    fixed = {"archivable": True, "readOnlyDefinition": False, "readOnlyValue": name in READ_ONLY}
    return made | kept | {"modificationMetadata": fixed} | more


class HubSpotStore:
    """One account."""

    def __init__(self, database: Path | str, lists: Sequence[str]) -> None:
        self.db = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA synchronous = OFF")
        self.db.executescript(TABLES)
        self.refused = 0
        stages = [{"value": stage, "label": stage, "displayOrder": n} for n, stage in enumerate(STAGES)]
        built_in = [definition(name, "string", "text", unique=name == "email") for name in (*TEXTS, *READ_ONLY)]
        built_in.append(definition("lifecyclestage", "enumeration", "radio", options=stages))
        for one in built_in:
            self.define("contacts", one)
        for name in ("name", "domain"):
            self.define("companies", definition(name, "string", "text"))
        for name in lists:
            self.db.execute("INSERT OR IGNORE INTO lists (name, processing) VALUES (?, 'MANUAL')", (name,))
        rows = self.db.execute("SELECT type, name, definition FROM properties")
        self.kinds: dict[tuple[str, str], dict[str, Any]] = {
            (row["type"], row["name"]): json.loads(row["definition"]) for row in rows
        }

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """All of the block, or nothing of it; blocks may stand within blocks."""
        self.db.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK TO part")
            raise
        finally:
            self.db.execute("RELEASE part")

    def define(self, kind: str, one: Mapping[str, Any]) -> None:
        """One property more."""
        self.db.execute("INSERT OR IGNORE INTO properties VALUES (?, ?, ?)", (kind, one["name"], json.dumps(one)))
        if hasattr(self, "kinds"):
            self.kinds[kind, one["name"]] = dict(one)

    def unique(self, kind: str, name: str) -> bool:
        """Whether records can be named by this property."""
        return bool(self.kinds.get((kind, name), {}).get("hasUniqueValue"))

    def find(self, kind: str, value: str, name: str | None = None) -> Record | None:
        """The record with this id, or with this value of a unique property."""
        if name is None:
            number = int(value) if str(value).isdigit() else -1
        else:
            if not self.unique(kind, name):
                raise invalid("Unable to perform update/upsert by non-unique 0-1 property")
            sought = value.lower() if name == "email" else value
            query = "SELECT record FROM uniques WHERE type = ? AND name = ? AND value = ?"
            row = self.db.execute(query, (kind, name, sought)).fetchone()
            number = row["record"] if row else -1
        query = "SELECT * FROM records WHERE id = ? AND type = ? AND archived = 0"
        row = self.db.execute(query, (number, kind)).fetchone()
        return dict(row) | {"properties": json.loads(row["properties"])} if row else None

    def write(self, kind: str, record: Record | None, given: Mapping[str, Any]) -> int:
        """Create (null) or change a record; properties that are not given stay, empty ones are cleared."""
        held = dict(record["properties"]) if record else {}
        values = {name: fit(self._kind(kind, name), value) for name, value in given.items()}
        if _behind(held.get("lifecyclestage"), values.get("lifecyclestage")):
            del values["lifecyclestage"]
        if self._blocked(values.get("email")):
            raise Refused(400, "VALIDATION_ERROR", "The email was deleted for privacy", code="BLOCKED_EMAIL")
        number, at = record["id"] if record else None, now()
        taken = {name: value for name, value in values.items() if self.unique(kind, name)}
        for name, value in taken.items():
            self._free(kind, name, value, number)
        held = {name: value for name, value in (held | values).items() if value}
        if number is None:
            query = "INSERT INTO records (type, properties, created_at, updated_at) VALUES (?, ?, ?, ?)"
            number = self.db.execute(query, (kind, json.dumps(held), at, at)).lastrowid
        else:
            query = "UPDATE records SET properties = ?, updated_at = ? WHERE id = ?"
            self.db.execute(query, (json.dumps(held), at, number))
        for name, value in taken.items():
            if record:
                self.db.execute("DELETE FROM uniques WHERE record = ? AND name = ?", (number, name))
            if value:
                self.db.execute("INSERT INTO uniques VALUES (?, ?, ?, ?)", (kind, name, value, number))
        return int(number or 0)

    def _kind(self, kind: str, name: str) -> dict[str, Any]:
        if (kind, name) not in self.kinds:
            raise unfit(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
        return self.kinds[kind, name]

    def _free(self, kind: str, name: str, value: str, number: int | None) -> None:
        """Refuse a value that another record has."""
        holder = self.find(kind, value, name) if value else None
        if holder is None or holder["id"] == number:
            return
        if name == "email":
            raise Refused(409, "CONFLICT", f"Contact already exists. Existing ID: {holder['id']}")
        where = f"PropertyValueCoordinates{{propertyName={name}, value={value}}}"
        raise invalid(f"Cannot set {where} on {number}. {holder['id']} already has that value.")

    def _blocked(self, email: str | None) -> bool:
        return bool(email and self.db.execute("SELECT 1 FROM blocked WHERE email = ?", (email,)).fetchone())

    def archive(self, record: Record, *, forget: bool = False) -> None:
        """Take a record away, with its memberships; ``forget`` leaves nothing of it."""
        number = record["id"]
        for table, column in (("uniques", "record"), ("members", "record"), ("associations", "contact")):
            self.db.execute(f"DELETE FROM {table} WHERE {column} = ?", (number,))
        self.db.execute("UPDATE records SET archived = 1 WHERE id = ?", (number,))
        if forget:
            self.db.execute("DELETE FROM records WHERE id = ?", (number,))

    def document(self, record: Record, names: Sequence[str] = ()) -> dict[str, Any]:
        """A record as the interface shows it: its default properties and those named."""
        shown = {name: record["properties"].get(name) for name in names}
        stamps = {"createdAt": record["created_at"], "updatedAt": record["updated_at"]}
        fixed = {"hs_object_id": str(record["id"]), "createdate": record["created_at"]}
        return {"id": str(record["id"]), "properties": shown | fixed, **stamps, "archived": bool(record["archived"])}

    def everybody(self, kind: str, after: int = 0, limit: int = -1) -> list[Record]:
        """The records of a type, eldest first."""
        query = "SELECT * FROM records WHERE type = ? AND archived = 0 AND id > ? ORDER BY id LIMIT ?"
        rows = self.db.execute(query, (kind, after, limit)).fetchall()
        return [dict(row) | {"properties": json.loads(row["properties"])} for row in rows]

    def counts(self) -> dict[str, Any]:
        """What tests look at."""
        query = "SELECT name, count(record) FROM lists LEFT JOIN members ON list = id GROUP BY id ORDER BY id"
        lists = {row[0]: row[1] for row in self.db.execute(query)}
        contacts = self.db.execute("SELECT count(*) FROM records WHERE type = 'contacts' AND archived = 0").fetchone()[
            0
        ]
        return {"contacts": contacts, "lists": lists, "refused_rows": self.refused}


def _behind(held: str | None, wanted: str | None) -> bool:
    """Whether a lifecycle stage would go back, which HubSpot leaves as it is without a word."""
    return bool(held and wanted and held in STAGES and wanted in STAGES and STAGES.index(wanted) < STAGES.index(held))


def now() -> str:
    """The moment, as HubSpot writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
