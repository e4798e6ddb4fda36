"""What Odoo knows of its models, and the words in which it refuses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from stdnum.eu import vat

from snello.sandbox.emulators.odoo_trade import MODELS as TRADE

TITLES = {
    "res.partner": "Contact",
    "res.partner.category": "Partner Tags",
    "ir.model.data": "Model Data",
    "mail.blacklist": "Mail Blacklist",
    "res.users": "User",
    "crm.lead": "Lead",
    "sale.order": "Sales Order",
    "sale.order.line": "Sales Order Line",
    "account.move": "Journal Entry",
    "account.payment": "Payments",
}
STAMPS = {"id": "integer", "create_date": "datetime", "write_date": "datetime"}
MODELS: dict[str, dict[str, str]] = {
    "res.partner": {
        **{name: "char" for name in ("name", "ref", "email", "phone", "vat", "street", "zip", "city", "lang")},
        **{name: "many2one" for name in ("parent_id", "commercial_partner_id", "country_id", "state_id")},
        **{"email_normalized": "char", "comment": "html", "type": "selection", "company_id": "many2one"},
        **{"mobile": "char", "street2": "char", "is_blacklisted": "boolean"},
        **{"active": "boolean", "is_company": "boolean", "color": "integer", "category_id": "many2many"},
        **{"x_snello_score": "float", "x_snello_segment": "char", "x_snello_since": "date", "opt_out": "boolean"},
    },
    "res.partner.category": {"name": "char", "active": "boolean", "color": "integer"},
    "ir.model.data": {"module": "char", "name": "char", "model": "char", "res_id": "integer", "noupdate": "boolean"},
    "mail.blacklist": {"email": "char", "active": "boolean"},
    "res.users": {"login": "char", "name": "char", "active": "boolean"},
    **TRADE,
}
POINTS = {
    "category_id": "res.partner.category",
    "reconciled_invoice_ids": "account.move",
    "parent_id": "res.partner",
    "commercial_partner_id": "res.partner",
    "partner_id": "res.partner",
    "partner_invoice_id": "res.partner",
    "company_id": "res.company",
    "currency_id": "res.currency",
    "company_currency": "res.currency",
    "country_id": "res.country",
    "state_id": "res.country.state",
    "stage_id": "crm.stage",
    "product_id": "product.product",
    "order_id": "sale.order",
    "reversed_entry_id": "account.move",
}
READONLY = {"id", "create_date", "write_date", "email_normalized", "is_blacklisted"}
DEFAULTS: dict[str, dict[str, Any]] = {
    "res.partner": {"active": True, "type": "contact"},
    "res.partner.category": {"active": True},
    "mail.blacklist": {"active": True},
    "res.users": {"active": True},
}
VERBS = {"read": "access", "write": "modify", "create": "create", "unlink": "delete"}


class Fault(Exception):
    """An exception inside Odoo: its class by its full name, its message, and the status that /json/2 gives it."""

    def __init__(self, name: str, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.name, self.message, self.status = name, message, status

    def document(self) -> dict[str, Any]:
        """The exception as Odoo writes it down, its traceback included."""
        debug = f'Traceback (most recent call last):\n  File "/opt/odoo/http.py"\n{self.name}: {self.message}\n'
        told = {"name": self.name, "message": self.message, "arguments": [self.message]}
        return {**told, "context": {}, "debug": debug}


def validation(message: str) -> Fault:
    """A constraint that a record breaks."""
    return Fault("odoo.exceptions.ValidationError", message)


def user_error(message: str) -> Fault:
    """What Odoo would not do for anybody."""
    return Fault("odoo.exceptions.UserError", message)


def missing(model: str, ids: list[int]) -> Fault:
    """Records that are not there."""
    records = f"{model}({', '.join(map(str, ids))},)"
    text = f"Record does not exist or has been deleted.\n(Record: {records}, User: 2)"
    return Fault("odoo.exceptions.MissingError", text, 404)


def forbidden(model: str, right: str) -> Fault:
    """A right that the user's groups do not give."""
    text = (
        f"You are not allowed to {VERBS[right]} '{TITLES.get(model, model)}' ({model}) records.\n\n"
        "No group currently allows this operation.\n\nContact your administrator to request access if necessary."
    )
    return Fault("odoo.exceptions.AccessError", text, 403)


def server_error(message: str) -> Fault:
    """A fault of the call that no model foresaw; Odoo calls it its own."""
    return Fault("builtins.ValueError", message, 500)


def busy() -> Fault:
    """Two transactions that touched one row, five tries long."""
    name = "psycopg2.errors.SerializationFailure"
    return Fault(name, "could not serialize access due to concurrent update\n", 500)


def fields_of(model: str) -> dict[str, str]:
    """Types of the model's fields, by name."""
    return {**STAMPS, **MODELS[model]}


def known(model: str, name: str) -> str:
    """The type of a field. Raises the fault of one that the model does not have."""
    kind = fields_of(model).get(name)
    if kind is None:
        raise server_error(f"Invalid field {name!r} on model {model!r}")
    return kind


def stored(kind: str, value: Any) -> Any:
    """A value as a field keeps it; nothing is ``False``, in numbers zero."""
    if value is None or value is False or value == "":
        return {"integer": 0, "float": 0.0, "monetary": 0.0, "many2many": []}.get(kind, False)
    if kind == "boolean":
        return bool(value)
    if kind == "many2many":
        return list(value)
    if kind in ("integer", "many2one"):
        return int(value)
    if kind == "monetary":
        return round(float(value), 2)
    if kind == "float":
        return float(value)
    if kind == "date":
        return date.fromisoformat(str(value)[:10]).isoformat()
    if kind == "datetime":
        return datetime.strptime(str(value), "%Y-%m-%d %H:%M:%S").strftime("%Y-%m-%d %H:%M:%S")
    return str(value)


def blank(model: str) -> dict[str, Any]:
    """A record that holds nothing."""
    return {name: stored(kind, False) for name, kind in fields_of(model).items()}


def derived(model: str, record: dict[str, Any]) -> dict[str, Any]:
    """The record with the fields that follow from others."""
    if model == "res.partner":
        record["email_normalized"] = normal_email(record["email"]) or False
        record["commercial_partner_id"] = record["parent_id"] or record["id"]
    if model == "crm.lead":
        record["email_normalized"] = normal_email(record["email_from"]) or False
    return record


def label(model: str, record: Mapping[str, Any]) -> str:
    """What stands for a record where another points to it; a product's number stands before its name."""
    code = record.get("default_code")
    return f"[{code}] {record['name']}" if code else record["name"] or f"{model},{record['id']}"


def shown(kind: str, value: Any) -> Any:
    """A value as a reader sees it: moments in whole seconds."""
    return value[:19] if kind == "datetime" and value else value


def normal_email(text: Any) -> str:
    """The one address in a text, in small letters; empty when there is none or more."""
    found = re.findall(r"[^\s<>,;@\"]+@[^\s<>,;@\"]+", str(text or ""))
    return found[0].lower() if len(found) == 1 else ""


def check(model: str, record: Mapping[str, Any]) -> None:
    """The constraints of one record."""
    if model == "res.partner":
        if record["type"] == "contact" and not record["name"]:
            raise validation("The operation cannot be completed: Contacts require a name")
        if record["type"] not in ("contact", "invoice", "delivery", "other"):
            raise server_error(f"Wrong value for res.partner.type: {record['type']!r}")
        if record["vat"] and not vat.is_valid(record["vat"]):
            raise validation(
                f"The VAT number [{record['vat']}] for [{record['name']}] does not seem to be valid. \n"
                "Note: the expected format is IT12345670017"
            )
    elif model == "res.partner.category" and not record["name"]:
        raise validation("Missing required value for the field 'Name' (name)")
