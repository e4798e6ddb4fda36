"""Google: members of Customer Match lists through the Data Manager API, as its page *Format user data* says.

Source: developers.google.com/data-manager/api/devguides/concepts/formatting, and Google's own formatter
(``google-ads-datamanager-util``), which also drops what follows a plus sign at Gmail. Country and postcode go in clear.
"""

from __future__ import annotations

from snello.identifiers.platforms import people, places
from snello.identifiers.platforms.platform import Platform, Rule

GOOGLE = Platform(
    "google",
    (
        Rule("email", "email", people.gmail, shared=False),
        Rule("phone", "phone", people.e164, by_country=True, shared=False),
        Rule("first_name", "given_name", people.name),
        Rule("last_name", "family_name", people.name),
        Rule("country", "region_code", places.iso_country, clear=True),
        Rule("postcode", "postal_code", places.plain_postcode, clear=True),
    ),
)
