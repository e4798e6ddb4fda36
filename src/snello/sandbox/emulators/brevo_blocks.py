"""Whom Brevo writes to no more, and why."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from snello.sandbox.emulators import brevo_rules as rules
from snello.sandbox.emulators.brevo_store import BrevoStore, now

TABLE = "CREATE TABLE IF NOT EXISTS blocks (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT, code TEXT, at TEXT)"
REASONS = {
    "unsubscribedViaMA": "Unsubscribed via Marketing Automation",
    "unsubscribedViaEmail": "Unsubscribed via Email",
    "adminBlocked": "Admin blocked",
    "unsubscribedViaApi": "Unsubscribed via API",
    "hardBounce": "Hard bounce",
    "contactFlaggedAsSpam": "Contact flagged as spam",
}


class Blocks:
    """The routes of blocked contacts."""

    def __init__(self, store: BrevoStore) -> None:
        self.store = store
        store.db.execute(TABLE)

    def routes(self) -> list[Route]:
        """Their paths."""
        return [
            Route("/v3/smtp/blockedContacts", self.blocked, methods=["GET"]),
            Route("/_inspect/blocks", self.block, methods=["POST"]),
        ]

    async def blocked(self, request: Request) -> Response:
        """The blocked contacts, newest first."""
        query = "SELECT email, code, at FROM blocks ORDER BY id DESC LIMIT ? OFFSET ?"
        rows = self.store.db.execute(query, rules.window(request, "blocked")).fetchall()
        count = self.store.db.execute("SELECT count(*) FROM blocks").fetchone()[0]
        page = [
            {
                "email": row["email"],
                "senderEmail": "",
                "reason": {"code": row["code"], "message": REASONS[row["code"]]},
                "blockedAt": row["at"],
            }
            for row in rows
        ]
        return JSONResponse({"contacts": page, "count": count})

    async def block(self, request: Request) -> Response:
        """A contact unsubscribes, complains, or cannot be reached, for tests."""
        given = await request.json()
        assert given["code"] in REASONS
        email = given["email"].lower()
        with self.store.transaction():
            self.store.db.execute(
                "INSERT INTO blocks (email, code, at) VALUES (?, ?, ?)", (email, given["code"], now())
            )
            self.store.db.execute("UPDATE contacts SET email_blacklisted = 1 WHERE email = ?", (email,))
        return JSONResponse({})
