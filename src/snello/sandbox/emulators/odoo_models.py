"""The methods of Odoo's models that may be called from outside."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from snello.sandbox.emulators import odoo_rules as rules
from snello.sandbox.emulators.odoo_import import load
from snello.sandbox.emulators.odoo_reading import Reading, Values
from snello.sandbox.emulators.odoo_store import Record

OF_MODEL = frozenset(
    {"create", "search", "search_read", "search_count", "fields_get", "load", "context_get", "check_access_rights"}
)
OF_RECORDS = frozenset({"read", "write", "unlink"})
PARAMETERS: dict[str, tuple[str, ...]] = {
    "search_read": ("domain", "fields", "offset", "limit", "order"),
    "search": ("domain", "offset", "limit", "order"),
    "search_count": ("domain",),
    "fields_get": ("allfields", "attributes"),
    "create": ("vals_list",),
    "write": ("vals",),
    "read": ("fields",),
    "unlink": (),
    "load": ("fields", "data"),
}
LINKED = "You cannot have multiple records with the same external ID in the same module!"


class Models(Reading):
    """Calls on models."""

    def method(self, model: str, name: str) -> Callable[..., Any]:
        """The method, to be called with ids first where it is one of records. Raises the fault of one that is not."""
        if not self.known(model):
            raise rules.user_error(f"Object {model} doesn't exist")
        if name.startswith("_"):
            text = f"Private methods (such as '{model}.{name}') cannot be called remotely."
            raise rules.Fault("odoo.exceptions.AccessError", text, 403)
        if name not in OF_MODEL | OF_RECORDS or (name == "context_get" and model != "res.users"):
            text = f"The method '{model}.{name}' does not exist"
            raise rules.Fault("builtins.AttributeError", text, 404)
        found: Callable[..., Any] = partial(load, self) if name == "load" else getattr(self, name)
        return lambda *args, **named: self._bound(found, model, args, named)

    def _bound(self, found: Callable[..., Any], model: str, args: Sequence[Any], named: Mapping[str, Any]) -> Any:
        given = dict(named)
        context = given.pop("context", None) or {}
        if "context" in inspect.signature(found).parameters:
            given["context"] = context
        try:
            inspect.signature(found).bind(model, *args, **given)
        except TypeError as error:
            raise rules.Fault("builtins.TypeError", str(error), 422) from None
        try:
            return found(model, *args, **given)
        except (ValueError, TypeError) as error:
            raise rules.server_error(str(error)) from None

    # ---- writing

    def create(self, model: str, vals_list: Values | Sequence[Values]) -> int | list[int]:
        """New records; one id for one set of values, a list for a list."""
        self.may(model, "create")
        many = [vals_list] if isinstance(vals_list, Mapping) else list(vals_list)
        if model == "mail.blacklist":
            return [self._blocked(values) for values in many]
        made = [self.made(model, values) for values in many]
        return made[0] if isinstance(vals_list, Mapping) else made

    def made(self, model: str, values: Values) -> int:
        """One new record, unasked for rights."""
        record = {
            **rules.blank(model),
            **rules.DEFAULTS.get(model, {}),
            "id": self.store.next_id(model),
            "create_date": self.store.moment,
        }
        self.keep(model, record, values)
        return int(record["id"])

    def _blocked(self, values: Values) -> int:
        """An address on the blacklist; the row that has it already, as it is."""
        email = rules.normal_email(values.get("email"))
        if not email:
            raise rules.user_error(f"Invalid email address “{values.get('email')}”")
        there = self.store.search("mail.blacklist", [["email", "=", email]], archived=True)
        return int(there[0]["id"]) if there else self.made("mail.blacklist", {**values, "email": email})

    def write(self, model: str, ids: Sequence[int], vals: Values) -> bool:
        """Change records, all of them alike."""
        self.may(model, "write")
        for record in self.records(model, ids):
            self.keep(model, dict(record), vals)
        return True

    def unlink(self, model: str, ids: Sequence[int]) -> bool:
        """Delete records, the lines of an order, and the external ids that name them."""
        self.may(model, "unlink")
        for record in self.records(model, ids):
            self.store.drop(model, record["id"])
            lines = [["order_id", "=", record["id"]]] if model == "sale.order" else [["id", "=", 0]]
            for line in self.store.search("sale.order.line", lines, archived=True):
                self.store.drop("sale.order.line", line["id"])
            named = [["model", "=", model], ["res_id", "=", record["id"]]]
            for link in self.store.search("ir.model.data", named, archived=True):
                self.store.drop("ir.model.data", link["id"])
        return True

    def keep(self, model: str, record: Record, values: Values) -> None:
        """Keep a record with these values, once it breaks no constraint."""
        for name, value in values.items():
            kind = rules.known(model, name)
            if name in rules.READONLY:
                continue
            record[name] = self._links(name, record[name], value) if kind == "many2many" else rules.stored(kind, value)
        rules.check(model, rules.derived(model, record))
        if model == "ir.model.data":
            same = [["module", "=", record["module"]], ["name", "=", record["name"]], ["id", "!=", record["id"]]]
            if self.store.search(model, same, archived=True):
                raise rules.validation(f"The operation cannot be completed: {LINKED}")
        self.store.put(model, record)

    def _links(self, field: str, held: Sequence[int], commands: Any) -> list[int]:
        """Links after Odoo's commands: 3 and 4 for one, 5 for none, 6 for these."""
        links, pointed = list(held), rules.POINTS[field]
        for command, *rest in commands:
            if command == 3:
                links = [link for link in links if link != rest[0]]
            elif command == 4:
                self.records(pointed, rest[0])
                links += [] if rest[0] in links else [rest[0]]
            elif command in (5, 6):
                links = list(rest[1]) if command == 6 else []
                self.records(pointed, links)
            else:
                raise rules.server_error(f"Wrong value for {field}: {commands!r}")
        return links
