"""What a Brevo account holds: contacts, lists, attributes, import processes, in SQLite."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from snello.sandbox.emulators.brevo_rules import Refused, invalid, normal_sms, unknown, valid_email

TABLES = """
CREATE TABLE IF NOT EXISTS contacts (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT UNIQUE, ext_id TEXT UNIQUE,
    sms TEXT UNIQUE, attributes TEXT NOT NULL DEFAULT '{}', email_blacklisted INTEGER NOT NULL DEFAULT 0,
    sms_blacklisted INTEGER NOT NULL DEFAULT 0, created_at TEXT, modified_at TEXT);
CREATE TABLE IF NOT EXISTS lists (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, folder_id INTEGER);
CREATE TABLE IF NOT EXISTS members (list_id INTEGER, contact_id INTEGER, PRIMARY KEY (list_id, contact_id))
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attributes (name TEXT PRIMARY KEY, type TEXT);
CREATE TABLE IF NOT EXISTS processes (id INTEGER PRIMARY KEY AUTOINCREMENT, status TEXT, request TEXT, due REAL,
    info TEXT, created_at TEXT, completed_at TEXT);
"""
BUILT_IN = {"LASTNAME": "text", "FIRSTNAME": "text", "SMS": "text", "EXT_ID": "text", "DOUBLE_OPT-IN": "category"}
DUPLICATE = "Unable to {} contact, {} is already associated with another Contact"

Contact = dict[str, Any]


class BrevoStore:
    """One account."""

    def __init__(self, database: Path | str, lists: Sequence[str], import_seconds: float) -> None:
        self.db = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA synchronous = OFF")
        self.db.executescript(TABLES)
        self.import_seconds = import_seconds
        self.refused = 0
        self.db.executemany("INSERT OR IGNORE INTO attributes VALUES (?, ?)", BUILT_IN.items())
        for name in lists:
            if not self.db.execute("SELECT 1 FROM lists WHERE name = ?", (name,)).fetchone():
                self.db.execute("INSERT INTO lists (name, folder_id) VALUES (?, 1)", (name,))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block, or nothing of it."""
        self.db.execute("BEGIN")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def find(self, column: str, value: object) -> Contact | None:
        """The contact with this id, e-mail, external id or number."""
        wanted = str(value).lower() if column == "email" else value
        row = self.db.execute(f"SELECT * FROM contacts WHERE {column} = ?", (wanted,)).fetchone()
        return dict(row) | {"attributes": json.loads(row["attributes"])} if row else None

    def write(self, contact: Contact | None, given: dict[str, Any], *, erase: bool = False) -> int:
        """Create (null) or change a contact by what a request gives; returns its id.

        - attributes that the account does not have, or of another type, are left out
        - the blacklist flags change only when they are given
        - ``erase``: empty values erase attributes that hold something
        """
        attributes, identity = self._split(given)
        self._unique(contact, identity)
        held = dict(contact["attributes"]) if contact else {}
        held |= {name: value for name, value in attributes.items() if erase or value not in (None, "")}
        values = identity | {"attributes": json.dumps(held), "modified_at": now()}
        for field, column in (("emailBlacklisted", "email_blacklisted"), ("smsBlacklisted", "sms_blacklisted")):
            if given.get(field) is not None:
                values[column] = int(bool(given[field]))
        if contact is None:
            values["created_at"] = values["modified_at"]
            marks = ", ".join("?" * len(values))
            done = self.db.execute(
                f"INSERT INTO contacts ({', '.join(values)}) VALUES ({marks})", list(values.values())
            )
            return int(done.lastrowid or 0)
        sets = ", ".join(f"{column} = ?" for column in values)
        self.db.execute(f"UPDATE contacts SET {sets} WHERE id = ?", [*values.values(), contact["id"]])
        return int(contact["id"])

    def _split(self, given: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Attributes proper, and the identifiers that may stand among them."""
        types = dict(self.db.execute("SELECT name, type FROM attributes").fetchall())
        attributes = {str(name).upper(): value for name, value in (given.get("attributes") or {}).items()}
        identity = {"email": attributes.pop("EMAIL", None) or given.get("email")}
        identity["ext_id"] = attributes.pop("EXT_ID", None) or given.get("ext_id")
        if attributes.get("SMS"):
            identity["sms"] = normal_sms(attributes["SMS"])
            if identity["sms"] is None:
                raise invalid("Invalid phone number")
        if identity["email"]:
            if not valid_email(identity["email"]):
                raise invalid("Invalid email address")
            identity["email"] = identity["email"].lower()
        fits = {name: value for name, value in attributes.items() if name in types and _typed(value, types[name])}
        return fits, {column: value for column, value in identity.items() if value}

    def _unique(self, contact: Contact | None, identity: dict[str, Any]) -> None:
        for column, value in identity.items():
            holder = self.find(column, value)
            if holder and (contact is None or holder["id"] != contact["id"]):
                message = DUPLICATE.format("update" if contact else "create", column)
                raise Refused(400, "duplicate_parameter", message, (column,))

    def existing_lists(self, ids: object) -> list[int]:
        """The ids, when each is that of a list."""
        if not isinstance(ids, list) or not all(isinstance(number, int) for number in ids):
            raise invalid("List ids should be an array of integers")
        known = {row["id"] for row in self.db.execute("SELECT id FROM lists")}
        if not known.issuperset(ids):
            raise invalid("Invalid list ids")
        return ids

    def join(self, list_id: int, contact: int) -> bool:
        """Put a contact on a list; false when it was there."""
        return self.db.execute("INSERT OR IGNORE INTO members VALUES (?, ?)", (list_id, contact)).rowcount > 0

    def leave(self, list_id: int, contact: int) -> bool:
        """Take a contact from a list; false when it was not there."""
        done = self.db.execute("DELETE FROM members WHERE list_id = ? AND contact_id = ?", (list_id, contact))
        return done.rowcount > 0

    def delete(self, contact: int) -> None:
        """Forget a contact and its memberships."""
        with self.transaction():
            self.db.execute("DELETE FROM members WHERE contact_id = ?", (contact,))
            self.db.execute("DELETE FROM contacts WHERE id = ?", (contact,))

    def document(self, contact: Contact) -> dict[str, Any]:
        """A contact as the interface shows it."""
        lists = self.db.execute("SELECT list_id FROM members WHERE contact_id = ? ORDER BY 1", (contact["id"],))
        extra = {"EXT_ID": contact["ext_id"]} if contact["ext_id"] else {}
        return {
            "id": contact["id"],
            "email": contact["email"],
            "emailBlacklisted": bool(contact["email_blacklisted"]),
            "smsBlacklisted": bool(contact["sms_blacklisted"]),
            "whatsappBlacklisted": False,
            "createdAt": contact["created_at"],
            "modifiedAt": contact["modified_at"],
            "listIds": [row["list_id"] for row in lists],
            "attributes": contact["attributes"] | extra,
        }

    def page(self, where: str, values: Sequence[object], window: tuple[int, int]) -> tuple[int, list[dict[str, Any]]]:
        """How many contacts fit, and those of one window, newest first."""
        count = self.db.execute(f"SELECT count(*) FROM contacts c WHERE {where}", values).fetchone()[0]
        query = f"SELECT * FROM contacts c WHERE {where} ORDER BY id DESC LIMIT ? OFFSET ?"
        rows = self.db.execute(query, [*values, *window]).fetchall()
        return count, [self.document(dict(row) | {"attributes": json.loads(row["attributes"])}) for row in rows]

    def start_import(self, request: dict[str, Any]) -> int:
        """Queue an import; it runs once its time has come."""
        values = ("queued", json.dumps(request), time.time() + self.import_seconds, now())
        done = self.db.execute("INSERT INTO processes (status, request, due, created_at) VALUES (?, ?, ?, ?)", values)
        return int(done.lastrowid or 0)

    def settle(self) -> None:
        """Run the imports whose time has come."""
        due = self.db.execute("SELECT id, request FROM processes WHERE status = 'queued' AND due <= ?", (time.time(),))
        for row in due.fetchall():
            with self.transaction():
                info = self._run_import(json.loads(row["request"]))
                values = ("completed", json.dumps(info), now(), row["id"])
                self.db.execute(
                    "UPDATE processes SET status = ?, info = ?, completed_at = ?, request = NULL WHERE id = ?", values
                )

    def _run_import(self, request: dict[str, Any]) -> dict[str, int]:
        """Take each row that is fit; the process tells how many were not, never which."""
        info = {"invalid_emails": 0, "duplicate_contact_id": 0, "duplicate_ext_id": 0, "duplicate_phone_id": 0}
        for row in request["rows"]:
            try:
                self._import_row(row, request)
            except Refused as error:
                self.refused += 1
                held = error.body.get("metadata", {}).get("duplicate_identifiers", [""])[0]
                info[{"ext_id": "duplicate_ext_id", "sms": "duplicate_phone_id"}.get(held, "invalid_emails")] += 1
        return info

    def _import_row(self, row: dict[str, Any], request: dict[str, Any]) -> None:
        attributes = {str(name).upper(): value for name, value in (row.get("attributes") or {}).items()}
        email, ext_id = attributes.get("EMAIL") or row.get("email"), attributes.get("EXT_ID") or row.get("ext_id")
        if email and not valid_email(email):
            raise invalid("Invalid email address")
        contact = (self.find("email", email) if email else None) or (self.find("ext_id", ext_id) if ext_id else None)
        if contact is None and not (email or ext_id or attributes.get("SMS")):
            raise invalid("Invalid email address")
        if contact is None or request["update"]:
            # An import can blacklist; that it does not is no permission to write to someone who left.
            flags = {field: True for field in ("emailBlacklisted", "smsBlacklisted") if request[field]}
            number = self.write(contact, row | flags, erase=request["erase"])
        else:
            number = contact["id"]
        for list_id in request["lists"]:
            self.join(list_id, number)

    def process(self, number: int) -> dict[str, Any]:
        """A process as the interface shows it."""
        row = self.db.execute("SELECT * FROM processes WHERE id = ?", (number,)).fetchone()
        if row is None:
            raise unknown("Process ID does not exist")
        document = {"id": row["id"], "name": "IMPORTUSER", "status": row["status"], "created_at": row["created_at"]}
        if row["info"]:
            document |= {"completed_at": row["completed_at"], "info": {"import": json.loads(row["info"])}}
        return document

    def counts(self) -> dict[str, Any]:
        """What tests look at."""
        self.settle()
        sizes = self.db.execute(
            "SELECT name, count(contact_id) FROM lists LEFT JOIN members ON list_id = id GROUP BY id ORDER BY id"
        ).fetchall()
        contacts = self.db.execute("SELECT count(*) FROM contacts").fetchone()[0]
        processes = self.db.execute("SELECT count(*) FROM processes").fetchone()[0]
        lists = {row[0]: row[1] for row in sizes}
        return {"contacts": contacts, "lists": lists, "processes": processes, "refused_rows": self.refused}


def _typed(value: Any, kind: str) -> bool:
    """Whether a value fits an attribute's type; one that does not is left out without a word."""
    if value in (None, ""):
        return True
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "float":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "date":
        try:
            datetime.strptime(str(value), "%Y-%m-%d")
        except ValueError:
            return False
    return True


def now() -> str:
    """The moment, as Brevo writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
