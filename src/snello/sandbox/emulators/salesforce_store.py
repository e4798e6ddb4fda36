"""What a Salesforce org holds: objects with fields, records, sessions and bulk jobs, in SQLite."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from snello.sandbox.emulators.salesforce_objects import OBJECTS
from snello.sandbox.emulators.salesforce_rules import Refused, RowRefused, fit

TABLES = """
CREATE TABLE IF NOT EXISTS records (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, type TEXT, fields TEXT,
    deleted INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS uniques (type TEXT, name TEXT, value TEXT, id TEXT, PRIMARY KEY (type, name, value))
    WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uniques_id ON uniques (id);
CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS jobs (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, info TEXT, content BLOB,
    puts INTEGER DEFAULT 0, looks INTEGER DEFAULT 0, results TEXT DEFAULT '{}');
"""
PREFIXES = {"Contact": "003", "Account": "001", "Lead": "00Q", "Campaign": "701", "CampaignMember": "00v"}
MOST_SCORE = 1000


class SalesforceStore:
    """One org; ``hidden``: fields that the integration's user does not see, ``duplicates``: one record an e-mail."""

    def __init__(self, database: Path | str, hidden: Collection[str], duplicates: bool) -> None:
        self.db = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA synchronous = OFF")
        self.db.executescript(TABLES)
        self.hidden, self.duplicates, self.locked, self.refused = frozenset(hidden), duplicates, 0, 0

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

    # ---- objects

    def fields(self, kind: str) -> dict[str, dict[str, Any]]:
        """The fields of an object that the user sees, by their names in lower case."""
        if kind not in OBJECTS:
            raise Refused(404, "NOT_FOUND", "The requested resource does not exist")
        return {one["name"].lower(): one for one in OBJECTS[kind] if one["name"] not in self.hidden}

    def relation(self, kind: str, name: str) -> dict[str, Any] | None:
        """The reference field that a relationship's name stands for."""
        fields = self.fields(kind).values()
        return next((one for one in fields if (one["relationshipName"] or "").lower() == name.lower()), None)

    # ---- records

    def find(self, kind: str, name: str, value: str) -> str | None:
        """The id of the record with this value of a unique field; letters count alike in both cases."""
        query = "SELECT id FROM uniques WHERE type = ? AND name = ? AND value = ?"
        row = self.db.execute(query, (kind, name, value.lower())).fetchone()
        return str(row["id"]) if row else None

    def record(self, kind: str, number: str) -> dict[str, Any] | None:
        """The fields of a record, None when it never was."""
        query = "SELECT * FROM records WHERE id = ? AND type = ?"
        row = self.db.execute(query, (number, kind)).fetchone()
        return json.loads(row["fields"]) | {"Id": row["id"], "IsDeleted": bool(row["deleted"])} if row else None

    def write(self, kind: str, number: str | None, values: Mapping[str, Any]) -> str:
        """Create (null) or change a record. Raises ``RowRefused``."""
        fields = self.fields(kind)
        held = self._held(kind, number) if number else {}
        if self.locked > 0:
            self.locked -= 1
            raise RowRefused("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
        kept = {fields[name.lower()]["name"]: fit(fields[name.lower()], value) for name, value in values.items()}
        if number is None:
            for one in fields.values():
                if one["createable"] and not one["nillable"] and one["type"] != "boolean":
                    fit(one, kept.get(one["name"]))
        whole = {name: value for name, value in (held | kept).items() if value is not None}
        self._judge(kind, number, whole)
        if number is None:
            number = self._new(kind)
        if kind == "CampaignMember":
            self._join(number, whole)
        self._claim(kind, number, {name: kept[name] for name in kept if fields[name.lower()]["unique"]})
        self.db.execute("UPDATE records SET fields = ? WHERE id = ?", (json.dumps(whole), number))
        return number

    def delete(self, kind: str, number: str) -> None:
        """Into the recycle bin, where an external id finds it no more."""
        self._held(kind, number)
        self.db.execute("DELETE FROM uniques WHERE id = ?", (number,))
        self.db.execute("UPDATE records SET deleted = 1 WHERE id = ?", (number,))
        for one in self.everybody("CampaignMember") if kind != "CampaignMember" else ():
            if number in (one.get("CampaignId"), one.get("ContactId"), one.get("LeadId")):
                self.delete("CampaignMember", one["Id"])

    def everybody(self, kind: str) -> list[dict[str, Any]]:
        """The records that are not deleted, eldest first."""
        rows = self.db.execute("SELECT * FROM records WHERE type = ? AND deleted = 0 ORDER BY number", (kind,))
        return [json.loads(row["fields"]) | {"Id": row["id"]} for row in rows]

    def _held(self, kind: str, number: str) -> dict[str, Any]:
        held = self.record(kind, number)
        if held is None:
            raise RowRefused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if held.pop("IsDeleted"):
            raise RowRefused("ENTITY_IS_DELETED", "entity is deleted")
        del held["Id"]
        return held

    def _new(self, kind: str) -> str:
        query = "INSERT INTO records (type, fields) VALUES (?, '{}')"
        row = self.db.execute(query, (kind,)).lastrowid or 0
        number = f"{PREFIXES[kind]}{row:012d}AAA"
        self.db.execute("UPDATE records SET id = ? WHERE number = ?", (number, row))
        return number

    def _judge(self, kind: str, number: str | None, whole: Mapping[str, Any]) -> None:
        """The org's own rules: one of validation, one of duplicates."""
        if whole.get("Score__c", 0) > MOST_SCORE:
            raise RowRefused("FIELD_CUSTOM_VALIDATION_EXCEPTION", "The score is out of bounds", ["Score__c"])
        email = whole.get("Email")
        if self.duplicates and number is None and email:
            query = "SELECT 1 FROM records WHERE type = ? AND deleted = 0 AND json_extract(fields, '$.Email') = ?"
            if self.db.execute(query, (kind, email)).fetchone():
                raise RowRefused("DUPLICATES_DETECTED", "Use one of these records?")

    def _claim(self, kind: str, number: str, taken: Mapping[str, Any]) -> None:
        for name, value in taken.items():
            holder = self.find(kind, name, value) if value else None
            if holder not in (None, number):
                told = f"duplicate value found: {name} duplicates value on record with id: {holder}"
                raise RowRefused("DUPLICATE_VALUE", told)
            self.db.execute("DELETE FROM uniques WHERE id = ? AND name = ?", (number, name))
            if value:
                self.db.execute("INSERT INTO uniques VALUES (?, ?, ?, ?)", (kind, name, value.lower(), number))

    def campaign(self, name: str) -> None:
        """A campaign of this name, unless there is one."""
        if all(one["Name"] != name for one in self.everybody("Campaign")):
            self.write("Campaign", None, {"Name": name, "IsActive": True})

    def _join(self, number: str, member: Mapping[str, Any]) -> None:
        person = member.get("ContactId") or member.get("LeadId")
        if not member.get("CampaignId") or not person:
            raise RowRefused("REQUIRED_FIELD_MISSING", "Required fields are missing: [CampaignId, ContactId or LeadId]")
        if self.record("Campaign", member["CampaignId"]) is None:
            raise RowRefused("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        place = f"{member['CampaignId']} {person}"
        if self.find("CampaignMember", "place", place) not in (None, number):
            raise RowRefused("DUPLICATE_VALUE", "Already a campaign member.")
        self.db.execute(
            "INSERT OR IGNORE INTO uniques VALUES (?, ?, ?, ?)", ("CampaignMember", "place", place.lower(), number)
        )

    # ---- sessions

    def login(self) -> str:
        """A token more."""
        token = f"00D000000000001!{uuid.uuid4().hex}"
        self.db.execute("INSERT INTO sessions VALUES (?)", (token,))
        return token

    def known(self, token: str) -> bool:
        """Whether a token is in force."""
        return bool(self.db.execute("SELECT 1 FROM sessions WHERE token = ?", (token,)).fetchone())

    def counts(self) -> dict[str, Any]:
        """What tests look at."""
        query = "SELECT type, count(*) FROM records WHERE deleted = 0 GROUP BY type ORDER BY type"
        states = "SELECT json_extract(info, '$.state'), count(*) FROM jobs GROUP BY 1 ORDER BY 1"
        found = {"records": dict(map(tuple, self.db.execute(query))), "jobs": dict(map(tuple, self.db.execute(states)))}
        return found | {"refused_rows": self.refused}
