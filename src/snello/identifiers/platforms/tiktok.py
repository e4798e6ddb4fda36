"""TikTok: customer files, as its help pages on supported ids and formats say.

Source: ads.tiktok.com/help, *List of supported IDs and formats for a Customer File* (August 2025: plus suffixes fall
away, whatever the provider; numbers without the plus sign) and *How to create a Custom Audience with a customer file*
(September 2025: with the plus sign or without it; the hash that it prints is that of the digits alone).
"""

from __future__ import annotations

from snello.identifiers.platforms import people
from snello.identifiers.platforms.platform import Platform, Rule

TIKTOK = Platform(
    "tiktok",
    (
        Rule("email", "EMAIL_SHA256", people.untagged, shared=False),
        Rule("phone", "PHONE_SHA256", people.digits, by_country=True, shared=False),
        Rule("maid", "MAID_SHA256", people.advertising_id, shared=False),
    ),
)
