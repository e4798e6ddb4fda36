"""The fields of SuiteCRM's modules, as its vardefs have them: type, length, and where the value is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Field = dict[str, Any]
OBJECTS = {"Contacts": "Contact", "Accounts": "Account", "Leads": "Lead", "ProspectLists": "ProspectList"}
ALIASES = {name: module for module, name in OBJECTS.items()}
LINKS = {  # link fields by module, each with the module at its other end
    "Contacts": {"prospect_lists": "ProspectLists", "accounts": "Accounts"},
    "Accounts": {"prospect_lists": "ProspectLists", "contacts": "Contacts"},
    "Leads": {"prospect_lists": "ProspectLists"},
    "ProspectLists": {"contacts": "Contacts", "accounts": "Accounts", "leads": "Leads"},
}
CUSTOM = {
    "snello_customer_id_c": "varchar",
    "snello_segment_c": "varchar",
    "snello_score_c": "decimal",
    "snello_since_c": "date",
}
NUMBERS = frozenset({"int", "decimal", "double", "float", "currency"})


def _of(kind: str, length: int | None = None, *, required: bool = False, source: str | None = None) -> Field:
    shape = {"type": kind, "dbType": kind, "required": required}
    return shape | ({"len": str(length)} if length else {}) | ({"source": source} if source else {})


def _texts(length: int, *names: str) -> dict[str, Field]:
    return {name: _of("varchar", length) for name in names}


COMMON = {
    "id": _of("id", 36, required=True),
    "date_entered": _of("datetime"),
    "date_modified": _of("datetime"),
    "modified_user_id": _of("id", 36),
    "created_by": _of("id", 36),
    "assigned_user_id": _of("id", 36),
    "description": _of("text"),
    "deleted": _of("bool"),
}
ADDRESS = {
    "primary_address_street": _of("varchar", 150),
    "primary_address_city": _of("varchar", 100),
    "primary_address_state": _of("varchar", 100),
    "primary_address_postalcode": _of("varchar", 20),
    "primary_address_country": _of("varchar", 255),
}
MAIL = {
    "email1": _of("varchar", 255, source="non-db"),
    "email_opt_out": _of("bool", source="non-db"),
    "invalid_email": _of("bool", source="non-db"),
}
PERSON = {
    **COMMON,
    **_texts(100, "first_name", "title", "department"),
    "last_name": _of("varchar", 100, required=True),
    "salutation": _of("enum", 255),
    **{name: _of("phone", 100) for name in ("phone_home", "phone_mobile", "phone_work")},
    "do_not_call": _of("bool"),
    **MAIL,
    **ADDRESS,
    "lawful_basis": _of("multienum"),
    "lawful_basis_source": _of("enum", 100),
    "date_reviewed": _of("date"),
    "full_name": _of("fullname", 510, source="non-db"),
    "prospect_lists": _of("link", source="non-db"),
}
MODULES: Mapping[str, Mapping[str, Field]] = {
    "Contacts": {**PERSON, "birthdate": _of("date"), "lead_source": _of("enum", 255), "accounts": _of("link")},
    "Leads": {**PERSON, "status": _of("enum", 100), "account_name": _of("varchar", 255)},
    "Accounts": {
        **COMMON,
        **MAIL,
        "name": _of("name", 150, required=True),
        "account_type": _of("enum", 50),
        "industry": _of("enum", 50),
        "phone_office": _of("phone", 100),
        "website": _of("url", 255),
        "employees": _of("varchar", 10),
    },
    "ProspectLists": {
        **COMMON,
        "name": _of("varchar", 255, required=True),
        "list_type": _of("enum", 100),
        "domain_name": _of("varchar", 255),
    },
}


def fields_of(custom: Mapping[str, str]) -> dict[str, dict[str, Field]]:
    """The fields of each module, with these of the administrator's own on contacts and leads."""
    own = {name: _of(kind, 255 if kind == "varchar" else None, source="custom_fields") for name, kind in custom.items()}
    return {name: {**known, **(own if name in ("Contacts", "Leads") else {})} for name, known in MODULES.items()}
