"""What the stand-in for Google's Data Manager API keeps: user lists, whom they hold, requests and tokens."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOKEN_SECONDS = 3_600
REMEMBERED = 50 * 86_400.0  # seconds for which the outcome of a request can be asked for
FLOOR = 100
PREFIX = "PROCESSING_ERROR_REASON_"
TABLES = """
CREATE TABLE IF NOT EXISTS lists (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, about TEXT);
CREATE TABLE IF NOT EXISTS members (list_id INTEGER, identifier TEXT, PRIMARY KEY (list_id, identifier)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests
    (number INTEGER PRIMARY KEY, id TEXT UNIQUE, kind TEXT, list_id INTEGER, destination TEXT, content TEXT,
     received REAL, due REAL, outcome TEXT);
CREATE TABLE IF NOT EXISTS tokens (token TEXT PRIMARY KEY, until REAL);
"""


@dataclass
class Switches:
    """How the account behaves; all of it can be changed while it runs.

    - ``seconds``: how long a request is processed; ``endless``: it never ends
    - ``spoiled``: identifiers whose member fails late; ``reason``: why
    - ``permission``: the caller may use the account; ``customer_match``: the account may use Customer Match
    - ``makes_no_list``: the reason for which no list is made
    - ``manager``: the account through which alone this one can be reached; ``refreshing``: refresh tokens are good
    """

    seconds: float = 0.0
    endless: bool = False
    spoiled: Sequence[str] = ()
    reason: str = "INVALID_FORMAT"
    permission: bool = True
    customer_match: bool = True
    makes_no_list: str = ""
    manager: str = ""
    refreshing: bool = True


def identifier_of(given: dict[str, Any]) -> str:
    """A user identifier as one text."""
    if "address" in given:
        place = given["address"]
        return "address " + " ".join(place[part] for part in ("givenName", "familyName", "regionCode", "postalCode"))
    (kind, value), *_ = given.items()
    return f"{kind} {value.lower()}"


class GoogleStore:
    """One account."""

    def __init__(self, database: Path | str, lists: Iterable[str], switches: Switches) -> None:
        self.db = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        self.db.execute("PRAGMA synchronous = OFF")
        self.db.executescript(TABLES)
        self.switches = switches
        for name in lists:
            if self.list_called(name) is None:
                self.add_list(name, {})

    # ---- lists

    def add_list(self, name: str, about: dict[str, Any]) -> int:
        """A new user list, of contact information unless ``about`` says otherwise."""
        told = {"membershipStatus": "OPEN", "readOnly": False, "accessReason": "OWNED"}
        told |= {"ingestedUserListInfo": {"uploadKeyTypes": ["CONTACT_ID"]}, **about}
        done = self.db.execute("INSERT INTO lists (name, about) VALUES (?, ?)", (name, json.dumps(told)))
        return int(done.lastrowid or 0)

    def list_called(self, name: str) -> int | None:
        """The number of the list with this name."""
        row = self.db.execute("SELECT id FROM lists WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def about(self, number: int) -> dict[str, Any] | None:
        """A list as the interface shows it; small ones are shown as empty."""
        row = self.db.execute("SELECT name, about FROM lists WHERE id = ?", (number,)).fetchone()
        if row is None:
            return None
        kinds = Counter(identifier.split(" ")[0] for identifier in self.members(number))
        size = max(kinds.values(), default=0)
        shown = str(size if size >= FLOOR else 0)
        sizes = dict.fromkeys(("displayNetworkMembersCount", "searchNetworkMembersCount"), shown)
        return {"id": str(number), "displayName": row[0], "sizeInfo": sizes, **json.loads(row[1])}

    def numbers(self) -> list[int]:
        """All lists."""
        return [row[0] for row in self.db.execute("SELECT id FROM lists ORDER BY id")]

    def change_list(self, number: int, about: dict[str, Any]) -> None:
        """Close a list, say, or give it other upload keys."""
        kept = {**(self.about(number) or {}), **about}
        rest = {name: value for name, value in kept.items() if name not in ("id", "displayName", "sizeInfo")}
        self.db.execute("UPDATE lists SET about = ? WHERE id = ?", (json.dumps(rest), number))

    def drop_list(self, number: int) -> None:
        """Delete a list."""
        self.db.execute("DELETE FROM lists WHERE id = ?", (number,))
        self.db.execute("DELETE FROM members WHERE list_id = ?", (number,))

    def members(self, number: int) -> list[str]:
        """The identifiers on a list."""
        return [row[0] for row in self.db.execute("SELECT identifier FROM members WHERE list_id = ?", (number,))]

    def put(self, number: int, identifiers: Iterable[str]) -> None:
        """Put identifiers on a list."""
        self.db.execute("BEGIN")
        self.db.executemany("INSERT OR IGNORE INTO members VALUES (?, ?)", ((number, one) for one in identifiers))
        self.db.execute("COMMIT")

    def take(self, number: int, identifiers: Iterable[str]) -> None:
        """Take identifiers off a list."""
        self.db.execute("BEGIN")
        rows = ((number, one) for one in identifiers)
        self.db.executemany("DELETE FROM members WHERE list_id = ? AND identifier = ?", rows)
        self.db.execute("COMMIT")

    # ---- requests

    def accept(self, kind: str, destination: dict[str, Any], members: list[dict[str, Any]], fault: str = "") -> str:
        """Take a request; its id. ``fault``: why all of it will fail."""
        told = [[identifier_of(one) for one in member["userData"]["userIdentifiers"]] for member in members]
        name, now = secrets.token_hex(16), time.time()
        values = (name, kind, int(destination["productDestinationId"]), json.dumps(destination))
        content = json.dumps({"members": told, "fault": fault})
        self.db.execute(
            "INSERT INTO requests (id, kind, list_id, destination, content, received, due)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*values, content, now, now + self.switches.seconds),
        )
        return name

    def settle(self) -> None:
        """Process the requests whose time has come, in the order in which they came."""
        if self.switches.endless:
            return
        query = "SELECT number, kind, list_id, content FROM requests WHERE outcome IS NULL AND due <= ? ORDER BY number"
        for number, kind, list_id, content in self.db.execute(query, (time.time(),)).fetchall():
            outcome = json.dumps(self._process(kind, list_id, **json.loads(content)))
            self.db.execute("UPDATE requests SET outcome = ?, content = NULL WHERE number = ?", (outcome, number))

    def _process(self, kind: str, list_id: int, members: list[list[str]], fault: str) -> dict[str, Any]:
        spoiled = set(self.switches.spoiled)
        bad = members if fault else [member for member in members if spoiled.intersection(member)]
        good = [] if fault else [member for member in members if not spoiled.intersection(member)]
        about = self.about(list_id)
        if about and (kind == "remove" or about["membershipStatus"] == "OPEN"):
            change = self.put if kind == "ingest" else self.take
            change(list_id, (one for member in good for one in member))
        status = "SUCCESS" if not bad else "PARTIAL_SUCCESS" if good else "FAILED"
        counts = {"recordCount": str(len(members)), "userIdentifierCount": str(sum(map(len, members)))}
        reason = PREFIX + (fault or self.switches.reason)
        errors = [{"recordCount": str(len(bad)), "reason": reason}] if bad else []
        return {"status": status, "counts": counts, "errors": errors}

    def status(self, name: str) -> dict[str, Any] | None:
        """The outcome of a request as the interface shows it; None when there was none, or long ago."""
        row = self.db.execute(
            "SELECT kind, destination, outcome, received FROM requests WHERE id = ?", (name,)
        ).fetchone()
        if row is None or row[3] < time.time() - REMEMBERED:
            return None
        told: dict[str, Any] = {"destination": json.loads(row[1]), "requestStatus": "PROCESSING"}
        if row[2] is None:
            return told
        outcome, ingested = json.loads(row[2]), row[0] == "ingest"
        outer, inner = ("Ingestion", "userDataIngestionStatus") if ingested else ("Removal", "userDataRemovalStatus")
        told |= {"requestStatus": outcome["status"], f"audienceMembers{outer}Status": {inner: outcome["counts"]}}
        return told | ({"errorInfo": {"errorCounts": outcome["errors"]}} if outcome["errors"] else {})

    # ---- tokens

    def issue(self) -> str:
        """A new access token."""
        token = "ya29." + secrets.token_urlsafe(24)
        self.db.execute("INSERT INTO tokens VALUES (?, ?)", (token, time.time() + TOKEN_SECONDS))
        return token

    def admits(self, token: str) -> bool:
        """Whether an access token is good."""
        found = self.db.execute("SELECT 1 FROM tokens WHERE token = ? AND until > ?", (token, time.time()))
        return found.fetchone() is not None

    def revoke(self) -> None:
        """No access token is good any more."""
        self.db.execute("DELETE FROM tokens")

    def kinds(self) -> Iterator[tuple[str, int]]:
        """How many requests of each kind came."""
        yield from self.db.execute("SELECT kind, count(*) FROM requests GROUP BY kind")

    def counts(self) -> dict[str, Any]:
        """What tests look at."""
        self.settle()
        named = self.db.execute("SELECT id, name FROM lists ORDER BY id").fetchall()
        return {"lists": {name: len(self.members(number)) for number, name in named}, "requests": dict(self.kinds())}
