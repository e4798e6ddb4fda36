"""The fields of SuiteCRM's modules, as its vardefs have them: type, length, and where the value is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Field = dict[str, Any]
OBJECTS = {
    "Contacts": "Contact",
    "Accounts": "Account",
    "Leads": "Lead",
    "Opportunities": "Opportunity",
    "Cases": "Case",
    "Calls": "Call",
    "Meetings": "Meeting",
    "Campaigns": "Campaign",
    "ProspectLists": "ProspectList",
}
ALIASES = {name: module for module, name in OBJECTS.items()}
LINKS: dict[str, dict[str, str]] = {  # link fields by module, each with the module at its other end
    **{module: {} for module in OBJECTS},
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
CURRENCY = {"currency_id": _of("id", 36)}
MEETING = {
    **COMMON,
    "name": _of("name", 50, required=True),
    "status": _of("enum", 100),
    "date_start": _of("datetimecombo"),
    "date_end": _of("datetimecombo"),
    "duration_hours": _of("int", 2),
    "duration_minutes": _of("int", 2),
    "parent_type": _of("parent_type", 255),
    "parent_id": _of("id", 36),
}
WORK: Mapping[str, Mapping[str, Field]] = {
    "Opportunities": {
        **COMMON,
        **CURRENCY,
        "name": _of("name", 50, required=True),
        "opportunity_type": _of("enum", 255),
        "lead_source": _of("enum", 50),
        "amount": _of("currency"),
        "date_closed": _of("date"),
        "sales_stage": _of("enum", 255),
        "probability": _of("int"),
        "campaign_id": _of("id", 36),
        "account_id": _of("id", 36, source="non-db"),
        "account_name": _of("relate", 255, source="non-db"),
    },
    "Cases": {
        **COMMON,
        "name": _of("name", 255, required=True),
        "case_number": _of("int", 11),
        **{name: _of("enum", 100) for name in ("type", "status", "priority", "state")},
        "resolution": _of("text"),
        "account_id": _of("id", 36),
        "contact_created_by_id": _of("id", 36),
    },
    "Calls": {**MEETING, "direction": _of("enum", 100)},
    "Meetings": {**MEETING, "location": _of("varchar", 50)},
    "Campaigns": {
        **COMMON,
        **CURRENCY,
        "name": _of("name", 50, required=True),
        "status": _of("enum", 100),
        "campaign_type": _of("enum", 100),
        "start_date": _of("date"),
        "end_date": _of("date"),
        **{name: _of("currency") for name in ("budget", "actual_cost", "expected_revenue")},
    },
}
MODULES: Mapping[str, Mapping[str, Field]] = {
    "Contacts": {
        **PERSON,
        "birthdate": _of("date"),
        "lead_source": _of("enum", 255),
        "campaign_id": _of("id", 36),
        "account_id": _of("id", 36, source="non-db"),
        "account_name": _of("relate", 255, source="non-db"),
        "accounts": _of("link"),
    },
    "Leads": {
        **PERSON,
        "birthdate": _of("date"),
        "lead_source": _of("enum", 100),
        "status": _of("enum", 100),
        "converted": _of("bool"),
        "account_name": _of("varchar", 255),
        **{name: _of("id", 36) for name in ("account_id", "contact_id", "opportunity_id", "campaign_id")},
    },
    "Accounts": {
        **COMMON,
        **MAIL,
        "name": _of("name", 150, required=True),
        "account_type": _of("enum", 50),
        "industry": _of("enum", 50),
        "phone_office": _of("phone", 100),
        "website": _of("url", 255),
        "employees": _of("varchar", 10),
        "annual_revenue": _of("varchar", 100),
        **_texts(150, "billing_address_street"),
        **_texts(100, "billing_address_city", "billing_address_state"),
        "billing_address_postalcode": _of("varchar", 20),
        "billing_address_country": _of("varchar", 255),
    },
    **WORK,
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
