"""The columns of each stream, with the texts that files usually write into them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

YES = ("true", "t", "yes", "y", "1")
NO = ("false", "f", "no", "n", "0")
ADDS = (*YES, "add", "a", "insert", "i", "upsert", "u", "+", "in")
REMOVES = (*NO, "remove", "r", "delete", "d", "-", "-1", "out")
GIVEN = (*YES, "granted", "given", "opt-in", "optin", "consented")
REFUSED = (*NO, "denied", "refused", "withdrawn", "revoked", "opt-out", "optout")


def cased(texts: Iterable[str]) -> tuple[str, ...]:
    """Texts as they stand, in small letters, in capitals and with a capital in front."""
    return tuple(dict.fromkeys(form for text in texts for form in (text, text.lower(), text.upper(), text.title())))


class Shape(NamedTuple):
    """A stream: its columns as layouts of files declare them, and those that identify a row."""

    columns: tuple[dict[str, Any], ...]
    keys: tuple[str, ...]


MEMBERSHIPS = Shape(
    (
        {"name": "provider"},
        {"name": "id_type"},
        {"name": "id"},
        {"name": "segment_id"},
        {"name": "segment_name"},
        {"name": "is_member", "source": "op", "type": "boolean"},
        {"name": "value"},
        {"name": "valid_from", "type": "date-time"},
        {"name": "valid_until", "type": "date-time"},
        {"name": "ttl_days", "type": "integer"},
        {"name": "delivery"},
    ),
    ("provider", "id_type", "id", "segment_id"),
)
TAXONOMY = Shape(
    (
        {"name": "provider"},
        {"name": "segment_id"},
        {"name": "name"},
        {"name": "parent_id"},
        {"name": "description"},
        {"name": "price", "type": "decimal", "precision": 18, "scale": 6},
        {"name": "currency"},
        {"name": "delivery"},
    ),
    ("provider", "segment_id"),
)
ID_LINKS = Shape(
    (
        {"name": "provider"},
        {"name": "id_type"},
        {"name": "id"},
        {"name": "key_type"},
        {"name": "key"},
        {"name": "has_consent", "source": "consent", "type": "boolean"},
        {"name": "consent_string"},
        {"name": "linked_at", "type": "date-time"},
        {"name": "expires_at", "type": "date-time"},
        {"name": "delivery"},
    ),
    ("provider", "id_type", "id", "key_type", "key"),
)
