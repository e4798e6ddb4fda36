"""The methods of Odoo's models that read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from snello.sandbox.emulators import odoo_rules as rules
from snello.sandbox.emulators.odoo_store import OdooStore, Record
from snello.sandbox.emulators.odoo_trade import COMPANIES

Values = dict[str, Any]
Context = Mapping[str, Any] | None


class Reading:
    """Reads models; ``denied`` are rights that the user lacks, as pairs of model and right."""

    def __init__(self, store: OdooStore, denied: frozenset[tuple[str, str]], absent: frozenset[str]) -> None:
        self.store, self.denied, self.absent = store, denied, absent

    def known(self, model: str) -> bool:
        """Whether the model's module is installed."""
        return model in rules.MODELS and model not in self.absent

    def may(self, model: str, right: str) -> None:
        """Raises the fault of a right that the user lacks."""
        if (model, right) in self.denied:
            raise rules.forbidden(model, right)

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
        shown = {}
        for name, kind in rules.fields_of(model).items():
            about = {"type": kind, "string": name, "readonly": name in rules.READONLY, "required": False}
            if not allfields or name in allfields:
                shown[name] = {key: about[key] for key in attributes or about if key in about}
        return shown

    def search(
        self, model: str, domain: Sequence[Any] = (), offset: int = 0, limit: int | None = None,
        order: str | None = None, context: Context = None,
    ) -> list[int]:  # fmt: skip
        """The ids that fit, of the companies that the context allows, else of all that the user has."""
        self.may(model, "read")
        allowed = set((context or {}).get("allowed_company_ids") or COMPANIES)
        if not allowed <= set(COMPANIES):
            text = "Access to unauthorized or invalid companies."
            raise rules.Fault("odoo.exceptions.AccessError", text, 403)
        found = self.store.search(model, domain, (context or {}).get("active_test") is False)
        if "company_id" in rules.fields_of(model):
            found = [row for row in found if row["company_id"] is False or row["company_id"] in allowed]
        for part in reversed((order or "id").split(",")):
            name, _, way = part.strip().partition(" ")
            rules.known(model, name)
            last = way.strip().lower() == "desc"  # a database sorts what is not there behind all else
            found.sort(key=lambda row, name=name: (row[name] is False, row[name]), reverse=last)  # type: ignore[misc]
        return [row["id"] for row in found[offset:]][: limit or None]

    def search_count(self, model: str, domain: Sequence[Any] = (), context: Context = None) -> int:
        """How many fit."""
        return len(self.search(model, domain, context=context))

    def search_read(
        self, model: str, domain: Sequence[Any] = (), fields: Sequence[str] | None = None, offset: int = 0,
        limit: int | None = None, order: str | None = None, context: Context = None,
    ) -> list[Record]:  # fmt: skip
        """The records that fit."""
        return self.read(model, self.search(model, domain, offset, limit, order, context), fields)

    def read(self, model: str, ids: Sequence[int], fields: Sequence[str] | None = None) -> list[Record]:
        """Records by id: what is pointed to with its name, moments in whole seconds."""
        self.may(model, "read")
        names = ["id", *(name for name in fields or rules.fields_of(model) if name != "id")]
        kinds = {name: rules.known(model, name) for name in names}
        blocked = self._blocklist() if "is_blacklisted" in names else frozenset()
        found = []
        for record in self.records(model, ids):
            row = {name: self._shown(name, kind, record[name]) for name, kind in kinds.items()}
            if "is_blacklisted" in row:
                row["is_blacklisted"] = record["email_normalized"] in blocked
            found.append(row)
        return found

    def _shown(self, name: str, kind: str, value: Any) -> Any:
        if kind != "many2one":
            return rules.shown(kind, value)
        pointed = rules.POINTS.get(name)
        there = self.store.rows[pointed].get(value) if pointed and value else None
        return [value, rules.label(pointed, there)] if pointed and there else False

    def _blocklist(self) -> frozenset[str]:
        return frozenset(row["email"] for row in self.store.rows["mail.blacklist"].values() if row["active"])

    def records(self, model: str, ids: Sequence[int] | int) -> list[Record]:
        """Records as they are kept. Raises the fault of one that is gone."""
        wanted = [ids] if isinstance(ids, int) else list(ids)
        if gone := [number for number in wanted if number not in self.store.rows[model]]:
            raise rules.missing(model, gone)
        return [self.store.rows[model][number] for number in wanted]
