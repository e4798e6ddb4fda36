"""Meta: what *Customer File Custom Audiences* takes, normalised as its table *Hashing and Normalization* says.

Source: developers.facebook.com/docs/marketing-api/audiences/guides/custom-audiences. Where its SDKs differ from that
table (the audience helper drops accented letters, another keeps apostrophes) the table is followed: UTF-8, no
punctuation. Names hold no white space: the table allows letters alone.
"""

from __future__ import annotations

from snello.identifiers.platforms import people, places
from snello.identifiers.platforms.platform import Platform, Rule

META = Platform(
    "meta",
    (
        Rule("email", "EMAIL", people.email, shared=False),
        Rule("phone", "PHONE", people.digits, by_country=True, shared=False),
        Rule("first_name", "FN", people.close_name),
        Rule("last_name", "LN", people.close_name),
        Rule("sex", "GEN", people.initial_of_sex),
        Rule("birth_date", "DOBY", people.birth_year),
        Rule("birth_date", "DOBM", people.birth_month),
        Rule("birth_date", "DOBD", people.birth_day),
        Rule("city", "CT", places.letters_only),
        Rule("province", "ST", places.letters_only),
        Rule("postcode", "ZIP", places.short_postcode, by_country=True),
        Rule("country", "COUNTRY", places.small_country),
        Rule("external_id", "EXTERN_ID", people.as_given, clear=True, shared=False),
        Rule("maid", "MADID", people.advertising_id, clear=True, shared=False),
    ),
)
