"""The methods of Odoo's models that may be called from outside."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from snello.sandbox.emulators import odoo_rules as rules
from snello.sandbox.emulators.odoo_import import load
from snello.sandbox.emulators.odoo_store import OdooStore, Record, now

OF_MODEL = frozenset(
    {"create", "search", "search_read", "search_count", "fields_get", "load", "context_get", "check_access_rights"}
)
OF_RECORDS = frozenset({"read", "write", "unlink"})
LINKED = "You cannot have multiple records with the same external ID in the same module!"
Values = dict[str, Any]


class Models:
    """Calls on models; ``denied`` are rights that the user lacks, as pairs of model and right."""

    def __init__(self, store: OdooStore, denied: frozenset[tuple[str, str]], absent: frozenset[str]) -> None:
        self.store, self.denied, self.absent = store, denied, absent

    def known(self, model: str) -> bool:
        """Whether the model's module is installed."""
        return model in rules.MODELS and model not in self.absent

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

    def may(self, model: str, right: str) -> None:
        """Raises the fault of a right that the user lacks."""
        if (model, right) in self.denied:
            raise rules.forbidden(model, right)

    # ---- reading

    def context_get(self, model: str) -> Values:
        """The user's context."""
        return {"lang": "en_US", "tz": "Europe/Rome", "uid": 2}

    def check_access_rights(self, model: str, operation: str, raise_exception: bool = True) -> bool:
        """Whether the user may."""
        if (model, operation) in self.denied and raise_exception:
            raise rules.forbidden(model, operation)
        return (model, operation) not in self.denied

    def fields_get(
        self, model: str, allfields: Sequence[str] | None = None, attributes: Sequence[str] | None = None
    ) -> Values:
        """The model's fields."""
        self.may(model, "read")
        shown = {}
        for name, kind in rules.fields_of(model).items():
            about = {"type": kind, "string": name, "readonly": name in rules.READONLY, "required": False}
            if not allfields or name in allfields:
                shown[name] = {key: about[key] for key in attributes or about if key in about}
        return shown

    def search(
        self, model: str, domain: Sequence[Any] = (), offset: int = 0, limit: int | None = None,
        order: str | None = None, context: Mapping[str, Any] | None = None,
    ) -> list[int]:  # fmt: skip
        """The ids that fit."""
        self.may(model, "read")
        found = self.store.search(model, domain, (context or {}).get("active_test") is False)
        for part in reversed((order or "id").split(",")):
            name, _, way = part.strip().partition(" ")
            rules.known(model, name)
            found.sort(key=lambda row, name=name: row[name], reverse=way.strip().lower() == "desc")  # type: ignore[misc]
        return [row["id"] for row in found[offset:]][: limit or None]

    def search_count(self, model: str, domain: Sequence[Any] = (), context: Mapping[str, Any] | None = None) -> int:
        """How many fit."""
        return len(self.search(model, domain, context=context))

    def search_read(
        self, model: str, domain: Sequence[Any] = (), fields: Sequence[str] | None = None, offset: int = 0,
        limit: int | None = None, order: str | None = None, context: Mapping[str, Any] | None = None,
    ) -> list[Record]:  # fmt: skip
        """The records that fit."""
        return self.read(model, self.search(model, domain, offset, limit, order, context), fields)

    def read(self, model: str, ids: Sequence[int], fields: Sequence[str] | None = None) -> list[Record]:
        """Records by id."""
        self.may(model, "read")
        names = ["id", *(name for name in fields or rules.fields_of(model) if name != "id")]
        for name in names:
            rules.known(model, name)
        return [{name: record[name] for name in names} for record in self._records(model, ids)]

    def _records(self, model: str, ids: Sequence[int] | int) -> list[Record]:
        wanted = [ids] if isinstance(ids, int) else list(ids)
        if gone := [number for number in wanted if number not in self.store.rows[model]]:
            raise rules.missing(model, gone)
        return [self.store.rows[model][number] for number in wanted]

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
        blank = {name: [] if kind == "many2many" else rules.stored(kind, False) for name, kind in
                 rules.fields_of(model).items()}  # fmt: skip
        record = {**blank, **rules.DEFAULTS.get(model, {}), "id": self.store.next_id(model), "create_date": now()}
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
        for record in self._records(model, ids):
            self.keep(model, dict(record), vals)
        return True

    def unlink(self, model: str, ids: Sequence[int]) -> bool:
        """Delete records, and the external ids that name them."""
        self.may(model, "unlink")
        for record in self._records(model, ids):
            self.store.drop(model, record["id"])
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
            record[name] = self._tags(record[name], value) if kind == "many2many" else rules.stored(kind, value)
        if model == "res.partner":
            record["email_normalized"] = rules.normal_email(record["email"]) or False
        rules.check(model, record)
        if model == "ir.model.data":
            same = [["module", "=", record["module"]], ["name", "=", record["name"]], ["id", "!=", record["id"]]]
            if self.store.search(model, same, archived=True):
                raise rules.validation(f"The operation cannot be completed: {LINKED}")
        self.store.put(model, record)

    def _tags(self, held: Sequence[int], commands: Any) -> list[int]:
        """Links after Odoo's commands: 3 and 4 for one, 5 for none, 6 for these."""
        tags = list(held)
        for command, *rest in commands:
            if command == 3:
                tags = [tag for tag in tags if tag != rest[0]]
            elif command == 4:
                self._records("res.partner.category", rest[0])
                tags += [] if rest[0] in tags else [rest[0]]
            elif command in (5, 6):
                tags = list(rest[1]) if command == 6 else []
                self._records("res.partner.category", tags)
            else:
                raise rules.server_error(f"Wrong value for res.partner.category_id: {commands!r}")
        return tags
