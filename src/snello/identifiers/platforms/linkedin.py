"""LinkedIn: users of DMP segments, as its page *DMP Segment Users* says.

Source: learn.microsoft.com/linkedin/marketing/matched-audiences/create-and-manage-segment-users. The e-mail is hashed;
advertising ids, names and country go in clear: map no names where that is not wanted. Devices are told as Google's
(``GOOGLE_AID``): of an id nobody can tell whose it is, and Apple's have a field of their own there (``APPLE_IDFA``).
"""

from __future__ import annotations

from snello.identifiers.platforms import people, places
from snello.identifiers.platforms.platform import Platform, Rule

LINKEDIN = Platform(
    "linkedin",
    (
        Rule("email", "SHA256_EMAIL", people.email, shared=False),
        Rule("maid", "GOOGLE_AID", people.advertising_id, clear=True, shared=False),
        Rule("first_name", "firstName", people.shown_name, clear=True),
        Rule("last_name", "lastName", people.shown_name, clear=True),
        Rule("country", "country", places.iso_country, clear=True),
    ),
)
