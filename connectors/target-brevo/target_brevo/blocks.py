"""Whom Brevo writes to no more: contacts with its blacklist flag, and the reason where it says one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from snello.kit.channel import Bounce
from target_brevo.account import Account
from target_brevo.importing import ext_id_of

BLOCKS_A_PAGE, MOST_PAGES = 100, 20  # an account may ask 100 times an hour
Reason = Literal["hard", "complaint", "unsubscribed"]
REASONS: Mapping[str, Reason] = {"hardBounce": "hard", "contactFlaggedAsSpam": "complaint"}


def bounces(account: Account, contacts: Iterable[dict[str, Any]], met: Mapping[str, str]) -> Iterator[Bounce]:
    """Contacts of ours that are blacklisted; ``met``: those that a write came upon, customer_id to address."""
    flagged = dict(met)
    for contact in contacts:
        if contact.get("emailBlacklisted") and (key := ext_id_of(contact)):
            flagged[key] = str(contact.get("email") or "")
    reasons = _reasons(account) if flagged else {}
    for key, email in flagged.items():
        yield Bounce(key, reasons.get(email.lower(), "unsubscribed"), email)


def _reasons(account: Account) -> dict[str, Reason]:
    """By address, of the newest two thousand."""
    found: dict[str, Reason] = {}
    for number in range(MOST_PAGES):
        said = account.read("/smtp/blockedContacts", limit=BLOCKS_A_PAGE, offset=number * BLOCKS_A_PAGE)
        page = said.get("contacts") or []
        for block in page:
            code = str((block.get("reason") or {}).get("code"))
            found.setdefault(str(block.get("email")).lower(), REASONS.get(code, "unsubscribed"))
        if len(page) < BLOCKS_A_PAGE:
            break
    return found
