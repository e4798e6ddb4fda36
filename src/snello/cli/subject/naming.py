"""How the audit log and the ledger name somebody: by a keyed hash that only the hub's salt can make again."""

from __future__ import annotations

from snello.cli.subject.person import Person
from snello.identifiers import hash_key


def mark(person: Person, given: str, salt: str) -> str:
    """The keyed hash of a person's first customer_id; of whoever is no customer, that of what names them."""
    named = person.customers[0] if person.customers else next((one.value for one in person.identifiers), given.strip())
    return str(hash_key(f"subject {named}", salt))
