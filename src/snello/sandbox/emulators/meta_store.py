"""What an ad account at Meta holds: custom audiences and their members, in SQLite."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from snello.sandbox.emulators.meta_rules import mismatch, not_replaced, read

TABLES = """
CREATE TABLE IF NOT EXISTS audiences (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, subtype TEXT, source TEXT,
    status INTEGER NOT NULL DEFAULT 410, busy_until REAL NOT NULL DEFAULT 0, session INTEGER, began REAL);
CREATE TABLE IF NOT EXISTS members (audience INTEGER, row TEXT, extern_id TEXT, email TEXT, phone TEXT, madid TEXT,
    names TEXT, PRIMARY KEY (audience, row)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions (id INTEGER PRIMARY KEY, schema TEXT, done INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS by_extern_id ON members (extern_id);
CREATE INDEX IF NOT EXISTS by_email ON members (email);
CREATE INDEX IF NOT EXISTS by_phone ON members (phone);
CREATE INDEX IF NOT EXISTS by_madid ON members (madid);
CREATE INDEX IF NOT EXISTS by_names ON members (names);
"""
FIRST_ID = 23850000000000001
STRONG = {"EXTERN_ID": "extern_id", "EMAIL": "email", "PHONE": "phone", "MADID": "madid"}
NORMAL, REPLACING, REPLACED_IN_PART, POPULATING = 200, 414, 415, 441
SESSION_SECONDS = 90 * 60.0
SAMPLES = 100
WORDS = {NORMAL: "Normal", 410: "No upload", REPLACING: "Replace in progress", 471: "Flagged", POPULATING: "Populating"}

Audience = dict[str, Any]


class MetaStore:
    """One ad account.

    - ``seconds``: how long Meta works on a change of members
    - ``forgets``: whether the external ids are older than the 90 days for which Meta keeps them
    """

    def __init__(self, database: Path | str, audiences: Sequence[str], seconds: float, forgets: bool) -> None:
        self.db = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA synchronous = OFF")
        self.db.executescript(TABLES)
        self.seconds, self.forgets = seconds, forgets
        self.invalid = 0
        for name in audiences:
            if not self.db.execute("SELECT 1 FROM audiences WHERE name = ?", (name,)).fetchone():
                self.make(name, "USER_PROVIDED_ONLY")

    def make(self, name: str, source: str, subtype: str = "CUSTOM") -> int:
        """A new audience; names may repeat."""
        number = int(self.db.execute("SELECT coalesce(max(id) + 1, ?) FROM audiences", (FIRST_ID,)).fetchone()[0])
        values = (number, name, subtype, source)
        self.db.execute("INSERT INTO audiences (id, name, subtype, source) VALUES (?, ?, ?, ?)", values)
        return number

    def audience(self, number: str) -> Audience | None:
        """An audience as it stands now."""
        if not number.isdigit():
            return None
        row = self.db.execute("SELECT * FROM audiences WHERE id = ?", (int(number),)).fetchone()
        if row is None:
            return None
        found = dict(row)
        if found["status"] == REPLACING and found["session"] and time.time() > found["began"] + SESSION_SECONDS:
            self.set(found["id"], status=REPLACED_IN_PART, session=None)
            return self.audience(number)
        if found["status"] in (REPLACING, POPULATING) and not found["session"] and time.time() >= found["busy_until"]:
            found["status"] = NORMAL
        return found

    def set(self, number: int, **values: Any) -> None:
        """Change an audience."""
        sets = ", ".join(f"{name} = ?" for name in values)
        self.db.execute(f"UPDATE audiences SET {sets} WHERE id = ?", [*values.values(), number])

    def audiences(self, after: int, limit: int) -> list[Audience]:
        """A page of audiences."""
        rows = self.db.execute("SELECT * FROM audiences WHERE id > ? ORDER BY id LIMIT ?", (after, limit))
        return [dict(row) for row in rows]

    def customer_lists(self) -> int:
        """How many audiences of customer lists there are."""
        return int(self.db.execute("SELECT count(*) FROM audiences WHERE subtype = 'CUSTOM'").fetchone()[0])

    def delete(self, number: int) -> None:
        """Forget an audience."""
        self.db.execute("DELETE FROM members WHERE audience = ?", (number,))
        self.db.execute("DELETE FROM audiences WHERE id = ?", (number,))

    def document(self, audience: Audience) -> dict[str, Any]:
        """An audience as the interface shows it; how many people it has is never said exactly."""
        count = self.size(audience["id"])
        delivery = (200, "Ready") if count >= 100 else (300, "Too small")
        return {
            "id": str(audience["id"]),
            "name": audience["name"],
            "subtype": audience["subtype"],
            "customer_file_source": audience["source"],
            "operation_status": {"code": audience["status"], "description": WORDS.get(audience["status"], "")},
            "delivery_status": {"code": delivery[0], "description": delivery[1]},
            "approximate_count_lower_bound": count // 100 * 100,
            "approximate_count_upper_bound": count // 100 * 100 + 100,
        }

    def size(self, number: int) -> int:
        """How many members there are."""
        return int(self.db.execute("SELECT count(*) FROM members WHERE audience = ?", (number,)).fetchone()[0])

    def add(self, number: int, schema: Sequence[str], data: Sequence[Sequence[str]]) -> dict[str, Any]:
        """Add rows; one that is there already stays one."""
        rows, answer = self._read(number, schema, data)
        self.db.execute("BEGIN")
        values = [(number, json.dumps(row, sort_keys=True), *_keys(row)) for row in rows]
        self.db.executemany("INSERT OR IGNORE INTO members VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        self.db.execute("COMMIT")
        self.set(number, status=POPULATING, busy_until=time.time() + self.seconds)
        return answer

    def remove(self, number: int, schema: Sequence[str], data: Sequence[Sequence[str]]) -> dict[str, Any]:
        """Remove whoever is recognised by any key of a row, or by names where it has no key."""
        rows, answer = self._read(number, schema, data)
        self.db.execute("BEGIN")
        for row in rows:
            *keys, names = _keys(row)
            for column, value in zip(STRONG.values(), keys, strict=True):
                if value and not (column == "extern_id" and self.forgets):
                    self.db.execute(f"DELETE FROM members WHERE {column} = ? AND audience = ?", (value, number))
            if names and not any(keys[1:]):
                self.db.execute("DELETE FROM members WHERE names = ? AND audience = ?", (names, number))
        self.db.execute("COMMIT")
        self.set(number, status=POPULATING, busy_until=time.time() + self.seconds)
        return answer

    def replace(
        self, audience: Audience, session: dict[str, Any], schema: Sequence[str], data: Sequence[Sequence[str]]
    ) -> dict[str, Any]:
        """One batch of a session that replaces all members."""
        number, name, sequence = audience["id"], session["session_id"], session["batch_seq"]
        known = self.db.execute("SELECT done, schema FROM sessions WHERE id = ?", (name,)).fetchone()
        if sequence == 1:
            if audience["status"] == REPLACING:
                raise not_replaced(1870145, "Audience Update In Progress")
            self.db.execute("INSERT OR REPLACE INTO sessions (id, schema) VALUES (?, ?)", (name, " ".join(schema)))
            self.db.execute("DELETE FROM members WHERE audience = ?", (number,))
            began = time.time()
        elif known and known["done"]:
            raise not_replaced(1870159, "Replace Session Finished")
        elif not known or audience["session"] != name:
            raise not_replaced(1870158 if known else 1870147, "Invalid Upload Batch for Replace")
        elif known["schema"] != " ".join(schema):
            raise mismatch()
        else:
            began = audience["began"]
        answer = self.add(number, schema, data) | {"session_id": name}
        last = bool(session.get("last_batch_flag"))
        self.db.execute("UPDATE sessions SET done = ? WHERE id = ?", (int(last), name))
        until = time.time() + self.seconds
        self.set(number, status=REPLACING, session=None if last else name, began=began, busy_until=until)
        return answer

    def _read(
        self, number: int, schema: Sequence[str], data: Sequence[Sequence[str]]
    ) -> tuple[list[dict[str, str]], dict[str, Any]]:
        rows, samples = [], {}
        for place, row in enumerate(data):
            fields = read(schema, row)
            if fields is None:
                samples[str(place)] = json.dumps(row)
            else:
                rows.append(fields)
        self.invalid += len(samples)
        answer = {"audience_id": str(number), "session_id": "0", "num_received": len(data)}
        shown = dict(list(samples.items())[:SAMPLES])
        return rows, {**answer, "num_invalid_entries": len(samples), "invalid_entry_samples": shown}

    def members(self, number: int) -> list[dict[str, str]]:
        """All rows of an audience, for tests."""
        found = self.db.execute("SELECT row FROM members WHERE audience = ? ORDER BY extern_id, row", (number,))
        return [json.loads(row["row"]) for row in found]

    def counts(self) -> dict[str, Any]:
        """What tests look at."""
        return {
            "audiences": {one["name"]: self.size(one["id"]) for one in self.audiences(0, 1000)},
            "invalid_rows": self.invalid,
        }


def _keys(row: dict[str, str]) -> tuple[str | None, ...]:
    """The four keys that tell a person alone, and what tells them together."""
    names = [row.get(name, "") for name in ("FN", "LN", "ZIP", "CT", "DOBY", "COUNTRY")]
    return (*(row.get(name) for name in STRONG), " ".join(names) if all(names[:2]) else None)
