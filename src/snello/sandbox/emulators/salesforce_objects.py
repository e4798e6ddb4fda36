"""The objects of a Salesforce org, with their fields as Salesforce describes them."""

from __future__ import annotations

from typing import Any

OPT_OUTS = ("HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall")


def described(name: str, kind: str, length: int = 0, **more: Any) -> dict[str, Any]:
    """A field as the description of an object shows it."""
    fixed = name in ("Id", "Name", "CreatedDate", "SystemModstamp")
    plain = {"name": name, "label": name.removesuffix("__c").replace("_", " "), "type": kind, "length": length}
    flags = {"nillable": kind != "boolean", "createable": not fixed, "updateable": not fixed}
    key = {"externalId": False, "unique": False, "idLookup": name == "Id", "caseSensitive": False}
    relation: dict[str, Any] = {"relationshipName": None, "referenceTo": []}
    lists: dict[str, Any] = {"picklistValues": [], "restrictedPicklist": False}
    return plain | flags | key | relation | lists | {"custom": name.endswith("__c")} | more


def external_id(name: str, length: int = 64) -> dict[str, Any]:
    """A text field that is an external id and unique, whatever the case of its letters."""
    return described(name, "string", length, externalId=True, unique=True, idLookup=True)


def _reference(kind: str) -> dict[str, Any]:
    return described(f"{kind}Id", "reference", 18, relationshipName=kind, referenceTo=[kind])


SOURCES = [{"value": value, "label": value, "active": True} for value in ("Web", "Shop", "Other")]
PERSON = [
    described("Id", "id", 18, nillable=False),
    described("Name", "string", 121),
    described("LastName", "string", 80, nillable=False),
    described("FirstName", "string", 40),
    described("Email", "email", 80),
    described("Phone", "phone", 40),
    described("Description", "textarea", 32_000),
    described("LeadSource", "picklist", 255, picklistValues=SOURCES, restrictedPicklist=True),
    *(described(name, "boolean") for name in OPT_OUTS),
    external_id("Snello_Customer_Id__c"),
    described("Segment__c", "string", 40),
    described("Score__c", "double"),
    described("In_Segment__c", "boolean"),
    described("Consent_At__c", "datetime"),
]
OBJECTS: dict[str, list[dict[str, Any]]] = {
    "Contact": [
        *PERSON,
        described("MailingCity", "string", 40),
        described("MailingPostalCode", "string", 20),
        described("Birthdate", "date"),
        _reference("Account"),
    ],
    "Lead": [*PERSON, described("Company", "string", 255, nillable=False)],
    "Account": [
        described("Id", "id", 18, nillable=False),
        described("Name", "string", 255, nillable=False, createable=True, updateable=True),
        external_id("ExtId__c"),
    ],
    "Campaign": [
        described("Id", "id", 18, nillable=False),
        described("Name", "string", 80, nillable=False, createable=True, updateable=True),
        described("IsActive", "boolean"),
    ],
    "CampaignMember": [
        described("Id", "id", 18, nillable=False),
        *map(_reference, ("Campaign", "Contact", "Lead")),
        described("Status", "string", 40),
    ],
}
