"""Pinterest: records of customer lists, as its API reference says: small letters, SHA-256 among what it takes.

Source: developers.pinterest.com/docs/api/v5/customer_lists-create and the same text in ``pinterest-api-sdk``: e-mails
plain or hashed (here always hashed), advertising ids hashed.
"""

from __future__ import annotations

from snello.identifiers.platforms import people
from snello.identifiers.platforms.platform import Platform, Rule

PINTEREST = Platform(
    "pinterest",
    (
        Rule("email", "EMAIL", people.email, shared=False),
        Rule("maid", "MAID", people.advertising_id, shared=False),
    ),
)
