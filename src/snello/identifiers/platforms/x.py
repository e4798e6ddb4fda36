"""X: users of Custom Audiences, normalised as its page *Custom Audiences User Data* says.

Source: developer.x.com/en/docs/x-ads-api/audiences (user data, custom audience users): everything but
``partner_user_id`` is hashed. It says nothing of numbers; the tool of X that it names, ``ads-platform-tools``, hashes
digits alone without leading zeros, and refuses a plus sign (which X's Conversion API, another interface, asks for).
"""

from __future__ import annotations

from snello.identifiers.platforms import people
from snello.identifiers.platforms.platform import Platform, Rule

X = Platform(
    "x",
    (
        Rule("email", "email", people.email, shared=False),
        Rule("phone", "phone_number", people.digits, by_country=True, shared=False),
        Rule("maid", "device_id", people.advertising_id, shared=False),
        Rule("external_id", "partner_user_id", people.as_given, clear=True, shared=False),
    ),
)
