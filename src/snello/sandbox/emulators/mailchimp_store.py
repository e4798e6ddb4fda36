"""What a Mailchimp account holds: audiences, contacts, merge fields, tags, in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from snello.sandbox.emulators import mailchimp_rules as rules
from snello.sandbox.emulators.mailchimp_rules import RowRefused, hash_of

TABLES = """
CREATE TABLE IF NOT EXISTS lists (id TEXT PRIMARY KEY, name TEXT);
CREATE TABLE IF NOT EXISTS fields (merge_id INTEGER PRIMARY KEY AUTOINCREMENT, list_id TEXT, tag TEXT, name TEXT,
    type TEXT, required INTEGER, UNIQUE (list_id, tag));
CREATE TABLE IF NOT EXISTS members (id INTEGER PRIMARY KEY AUTOINCREMENT, list_id TEXT, hash TEXT, email TEXT,
    status TEXT, own_will INTEGER NOT NULL DEFAULT 0, merge TEXT, last_changed TEXT, UNIQUE (list_id, hash));
CREATE TABLE IF NOT EXISTS forgotten (list_id TEXT, hash TEXT, PRIMARY KEY (list_id, hash));
CREATE TABLE IF NOT EXISTS segments (id INTEGER PRIMARY KEY AUTOINCREMENT, list_id TEXT, name TEXT, type TEXT);
CREATE TABLE IF NOT EXISTS tagged (segment_id INTEGER, member_id INTEGER, PRIMARY KEY (segment_id, member_id))
    WITHOUT ROWID;
"""
BUILT_IN = (("FNAME", "First Name"), ("LNAME", "Last Name"))
COMPLIANCE = "{} is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be subscribed."
FORGOTTEN = (
    "{} was permanently deleted and cannot be re-imported. The contact must re-subscribe to get back on the list."
)
EXISTS = "{} is already a list member, do you want to update? please provide update_existing:true in the request body"
FULL = "Your account has reached the contact limit of its plan. Please upgrade to add more contacts."

Member = dict[str, Any]


class MailchimpStore:
    """One account."""

    def __init__(self, database: Path | str, lists: Mapping[str, str], account: rules.Account) -> None:
        self.db = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        self.db.row_factory = sqlite3.Row
        self.db.execute("PRAGMA synchronous = OFF")
        self.db.executescript(TABLES)
        self.account = account
        self.refused = 0
        for number, name in lists.items():
            self.db.execute("INSERT OR IGNORE INTO lists VALUES (?, ?)", (number, name))
            for tag, label in BUILT_IN:
                self.add_field(number, {"tag": tag, "name": label, "type": "text"})

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

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """What a query finds."""
        return [dict(row) for row in self.db.execute(query, values).fetchall()]

    def add_field(self, list_id: str, given: Mapping[str, Any]) -> bool:
        """One merge field more; false when there is one of the tag."""
        values = (list_id, given["tag"], given["name"], given["type"], int(bool(given.get("required"))))
        query = "INSERT OR IGNORE INTO fields (list_id, tag, name, type, required) VALUES (?, ?, ?, ?, ?)"
        return self.db.execute(query, values).rowcount > 0

    def find(self, list_id: str, hashed: str) -> Member | None:
        """The contact of an audience by the hash of its address, or the address."""
        wanted = hash_of(hashed) if "@" in hashed else hashed.lower()
        found = self.rows("SELECT * FROM members WHERE list_id = ? AND hash = ?", list_id, wanted)
        return {**found[0], "merge": json.loads(found[0]["merge"])} if found else None

    def batch_row(self, list_id: str, given: Mapping[str, Any], update: bool, skip: bool) -> tuple[bool, Member]:
        """One row of a batch, and whether it is a new contact. Raises ``RowRefused``."""
        email = rules.checked_email(given.get("email_address"))
        held = self.find(list_id, email)
        there = held is not None and held["status"] != "archived"
        if there and not update:
            raise RowRefused(EXISTS.format(email), code="ERROR_CONTACT_EXISTS")
        if not given.get("status") and (not there or self.account.status_needed):
            raise RowRefused("The resource submitted could not be validated.").about("status", "This field is needed")
        return not there, self.write(list_id, held, given, skip=skip)

    def write(self, list_id: str, held: Member | None, given: Mapping[str, Any], *, skip: bool) -> Member:
        """Create (null) or change a contact by what a request gives. Raises ``RowRefused``."""
        email = rules.checked_email(given.get("email_address") or (held or {}).get("email"))
        new = held is None or held["status"] == "archived"
        self._allowed(list_id, held, email, given.get("status"))
        if new and self.account.most_contacts is not None and self._contacts() >= self.account.most_contacts:
            raise RowRefused(FULL)
        merge = self._merged(list_id, held, given.get("merge_fields") or {}, new and not skip)
        status = given.get("status") or (held or {}).get("status")
        own = held["own_will"] if held and status == held["status"] else 0
        values = (hash_of(email), email, status, own, json.dumps(merge), now())
        if held is None:
            query = "INSERT INTO members (hash, email, status, own_will, merge, last_changed, list_id)"
            self.db.execute(query + " VALUES (?, ?, ?, ?, ?, ?, ?)", (*values, list_id))
        else:
            query = "UPDATE members SET hash = ?, email = ?, status = ?, own_will = ?, merge = ?, last_changed = ?"
            self.db.execute(query + " WHERE id = ?", (*values, held["id"]))
        return self.find(list_id, email) or {}

    def _allowed(self, list_id: str, held: Member | None, email: str, status: Any) -> None:
        """That the address is free, and its owner not somebody who left by themselves."""
        hashed = hash_of(email)
        if status is not None and status not in rules.STATUSES:
            raise RowRefused("The resource submitted could not be validated.").about("status", "Not a status")
        if self.rows("SELECT 1 FROM forgotten WHERE list_id = ? AND hash = ?", list_id, hashed):
            raise RowRefused(FORGOTTEN.format(email), title="Forgotten Email Not Subscribed")
        if held is not None and hashed != held["hash"] and self.find(list_id, email):
            raise RowRefused(f"{email} is already a list member.", title="Member Exists")
        if held is not None and held["own_will"] and status in ("subscribed",):
            raise RowRefused(COMPLIANCE.format(email), title="Member In Compliance State")

    def _merged(self, list_id: str, held: Member | None, given: Mapping[str, Any], whole: bool) -> dict[str, Any]:
        fields = {row["tag"]: row for row in self.rows("SELECT * FROM fields WHERE list_id = ?", list_id)}
        merge = dict(held["merge"]) if held else {}
        for tag, value in given.items():
            if tag in fields:  # an unknown one is left out without a word
                merge[tag] = rules.checked_field(tag, fields[tag]["type"], value)
        for tag, row in fields.items():
            if whole and row["required"] and merge.get(tag) in (None, ""):
                raise rules.required(tag)
        return merge

    def _contacts(self) -> int:
        return int(self.db.execute("SELECT count(*) FROM members WHERE status <> 'archived'").fetchone()[0])

    def forget(self, member: Member) -> None:
        """Delete a contact for good, so that nobody imports the address again."""
        with self.transaction():
            self.db.execute("INSERT OR IGNORE INTO forgotten VALUES (?, ?)", (member["list_id"], member["hash"]))
            self.db.execute("DELETE FROM tagged WHERE member_id = ?", (member["id"],))
            self.db.execute("DELETE FROM members WHERE id = ?", (member["id"],))

    def set_status(self, member: Member, status: str, own_will: bool) -> None:
        """Another status, by the contact's own will or not."""
        values = (status, int(own_will), now(), member["id"])
        self.db.execute("UPDATE members SET status = ?, own_will = ?, last_changed = ? WHERE id = ?", values)

    def tag(self, segment: int, member: Member, on: bool) -> bool:
        """Give a contact a tag or take it; false when nothing changed."""
        query = "INSERT OR IGNORE INTO tagged VALUES (?, ?)" if on else "DELETE FROM tagged WHERE segment_id = ? AND member_id = ?"  # fmt: skip  # noqa: E501
        return self.db.execute(query, (segment, member["id"])).rowcount > 0

    def document(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A contact as the interface shows it."""
        merge = row["merge"] if isinstance(row["merge"], dict) else json.loads(row["merge"])
        query = "SELECT id, name FROM segments JOIN tagged ON segment_id = id WHERE member_id = ? ORDER BY id LIMIT 50"
        tags = self.rows(query, row["id"])
        return {
            "id": row["hash"],
            "contact_id": f"contact-{row['id']}",
            "email_address": row["email"],
            "status": row["status"],
            "merge_fields": merge,
            "last_changed": row["last_changed"],
            "list_id": row["list_id"],
            "tags": tags,
            "tags_count": len(tags),
        }

    def page(self, where: str, values: Sequence[Any], window: tuple[int, int]) -> tuple[int, list[dict[str, Any]]]:
        """How many contacts fit, and those of one window, eldest first."""
        total = self.db.execute(f"SELECT count(*) FROM members m WHERE {where}", list(values)).fetchone()[0]
        query = f"SELECT * FROM members m WHERE {where} ORDER BY id LIMIT ? OFFSET ?"
        return int(total), [self.document(row) for row in self.rows(query, *values, *window)]

    def counts(self) -> dict[str, Any]:
        """What tests look at."""
        sizes = self.rows(
            "SELECT name, count(member_id) n FROM segments LEFT JOIN tagged ON segment_id = id GROUP BY id"
        )
        tags = {row["name"]: row["n"] for row in sizes}
        return {"contacts": self._contacts(), "tags": tags, "refused_rows": self.refused}


def now() -> str:
    """The moment, as Mailchimp writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")
