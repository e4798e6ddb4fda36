"""Pure functions on the values that tell people apart; each is also a SQL function of the same name.

Each takes text or ``None`` and never raises: what cannot be such a value is ``None``, and so is a predicate of nothing.
"""

from __future__ import annotations

from snello.identifiers.agreement import birth_dates_agree, names_agree, names_share
from snello.identifiers.card import card_checks, normalise_card
from snello.identifiers.device import normalise_device
from snello.identifiers.email import email_is_placeholder, email_is_role, email_mailbox, normalise_email
from snello.identifiers.iban import normalise_iban
from snello.identifiers.keys import hash_key
from snello.identifiers.name import (
    fold_name,
    name_key,
    name_oddity,
    normalise_name,
    split_first_name,
    split_last_name,
    split_name,
)
from snello.identifiers.phone import normalise_phone, phone_is_placeholder, phone_kind
from snello.identifiers.postcode import (
    normalise_postcode,
    normalise_province,
    postcode_city,
    postcode_has_city,
    postcode_has_province,
    postcode_province,
    postcode_region,
    postcode_state,
    province_region,
    town_is_gone,
    town_successor,
)
from snello.identifiers.street import street_key, street_name, street_number
from snello.identifiers.tax_code import (
    normalise_tax_code,
    tax_code_birth_date,
    tax_code_birthplace,
    tax_code_canonical,
    tax_code_fault,
    tax_code_sex,
)
from snello.identifiers.tax_code_person import tax_code_agrees, tax_code_disagrees, tax_code_letters
from snello.identifiers.text import null_like
from snello.identifiers.vat import normalise_vat

__all__ = [
    "birth_dates_agree",
    "card_checks",
    "email_is_placeholder",
    "email_is_role",
    "email_mailbox",
    "fold_name",
    "hash_key",
    "name_key",
    "name_oddity",
    "names_agree",
    "names_share",
    "normalise_card",
    "normalise_device",
    "normalise_email",
    "normalise_iban",
    "normalise_name",
    "normalise_phone",
    "normalise_postcode",
    "normalise_province",
    "normalise_tax_code",
    "normalise_vat",
    "null_like",
    "phone_is_placeholder",
    "phone_kind",
    "postcode_city",
    "postcode_has_city",
    "postcode_has_province",
    "postcode_province",
    "postcode_region",
    "postcode_state",
    "province_region",
    "split_first_name",
    "split_last_name",
    "split_name",
    "street_key",
    "street_name",
    "street_number",
    "tax_code_agrees",
    "tax_code_birth_date",
    "tax_code_birthplace",
    "tax_code_canonical",
    "tax_code_disagrees",
    "tax_code_fault",
    "tax_code_letters",
    "tax_code_sex",
    "town_is_gone",
    "town_successor",
]
