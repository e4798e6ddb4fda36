"""X: users of Custom Audiences, normalised as its page *Custom Audiences User Data* says.

Source: developer.x.com/en/docs/x-ads-api/audiences (user data, custom audience users): everything but
``partner_user_id`` is hashed. Numbers as its Conversion API asks for them: E.164.
"""

from __future__ import annotations

from snello.identifiers.platforms import people
from snello.identifiers.platforms.platform import Platform, Rule

X = Platform(
    "x",
    (
        Rule("email", "email", people.email, shared=False),
        Rule("phone", "phone_number", people.e164, by_country=True, shared=False),
        Rule("maid", "device_id", people.advertising_id, shared=False),
        Rule("external_id", "partner_user_id", people.as_given, clear=True, shared=False),
    ),
)
