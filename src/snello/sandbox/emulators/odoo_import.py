"""Odoo's import: rows of texts become records under external ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from snello.sandbox.emulators import odoo_rules as rules
from snello.sandbox.emulators.odoo_store import OdooStore, Record

Values = dict[str, Any]


class Models(Protocol):
    """What the import needs of the models."""

    store: OdooStore

    def may(self, model: str, right: str) -> None:
        """Raises the fault of a right that the user lacks."""

    def made(self, model: str, values: Values) -> int:
        """One new record, unasked for rights."""

    def keep(self, model: str, record: Record, values: Values) -> None:
        """Keep a record with these values, once it breaks no constraint."""


def load(
    models: Models,
    model: str,
    fields: Sequence[str],
    data: Sequence[Sequence[Any]],
    context: Mapping[str, Any] | None = None,
) -> Values:
    """Records by external id, made or changed; all of them, or none and what is wrong with which row."""
    models.may(model, "create")
    models.may(model, "write")
    messages: list[Values] = []
    ids: list[int] = []
    for number, row in enumerate(data):
        try:
            ids.append(_loaded(models, model, dict(zip(fields, row, strict=True))))
        except (rules.Fault, ValueError) as fault:
            told = fault.message if isinstance(fault, rules.Fault) else str(fault)
            where = {"from": number, "to": number}
            messages.append({"type": "error", "message": told, "rows": where, "record": number, "field": False})
    if messages:
        models.store.undo()
    return {"ids": False if messages else ids, "messages": messages, "nextrow": 0}


def _loaded(models: Models, model: str, cells: Values) -> int:
    xml_id = str(cells.pop("id"))
    module, _, name = xml_id.partition(".")
    if not name or "." in name:
        text = f"The ID reference {xml_id!r} must contain maximum one dot. They are used to refer to other modules"
        raise rules.validation(text)
    values = {column.partition("/")[0]: _read(model, column, cell) for column, cell in cells.items()}
    named = [["module", "=", module], ["name", "=", name], ["model", "=", model]]
    link = next(iter(models.store.search("ir.model.data", named, archived=True)), None)
    if link and link["res_id"] in models.store.rows[model]:
        models.keep(model, dict(models.store.rows[model][link["res_id"]]), values)
        return int(link["res_id"])
    made = models.made(model, values)
    if link:
        models.store.drop("ir.model.data", link["id"])
    models.made("ir.model.data", {"module": module, "name": name, "model": model, "res_id": made})
    return made


def _read(model: str, column: str, cell: Any) -> Any:
    """A cell as the field's type has it."""
    if not isinstance(cell, str):
        raise TypeError(f"{type(cell).__name__!r} object has no attribute 'lower'")
    field, _, by = column.partition("/")
    kind = rules.known(model, field)
    if kind in ("many2one", "many2many") and cell and by != ".id":
        raise rules.validation(f"No matching record found for name '{cell}' in field '{field}'")
    if kind == "many2many":
        return [[6, 0, [int(tag) for tag in cell.split(",") if tag]]]
    return cell.lower() in ("1", "true", "yes") if kind == "boolean" else cell
