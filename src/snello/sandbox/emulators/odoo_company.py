"""The Odoo of a generated company, its accessories and its home charging: another than the one a channel writes to."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.types import ASGIApp

from snello.sandbox.emulators.company_tables import tables_of
from snello.sandbox.emulators.odoo import NEWEST_RPC, Server
from snello.sandbox.emulators.odoo_models import Models
from snello.sandbox.emulators.odoo_store import OdooStore
from snello.sandbox.emulators.watch import CALM, Watch, Weather
from snello.sandbox.traces.odoo_masters import masters

MODELS = {
    "partners": "res.partner",
    "leads": "crm.lead",
    "blacklist": "mail.blacklist",
    "sale_orders": "sale.order",
    "sale_order_lines": "sale.order.line",
    "invoices": "account.move",
    "payments": "account.payment",
}


BEGUN = "2019-01-07 08:00:00"  # all that comes with the modules is of the one transaction that installed them


def of_company(company: Path, *, version: int = NEWEST_RPC, weather: Weather = CALM) -> ASGIApp:
    """The Odoo in the folder of a company, the service *erp*; by default one that knows mobile numbers and /jsonrpc.

    Changes live in memory, over the files. Raises ``ConfigError`` without a company.
    """
    store = OdooStore(":memory:")
    for model, records in masters().items():
        moments = {"create_date": BEGUN, "write_date": BEGUN}
        store.fill(model, [record | moments for record in records.to_dicts()])
    for name, table in tables_of(company, "odoo", list(MODELS)).items():
        store.fill(MODELS[name], table.to_pylist())
    server = Server(store, Models(store, frozenset(), frozenset()), version, busy=0)
    app = Starlette(routes=server.routes())
    return Watch(app, "erp", server.counts, weather, str(company.parent.resolve()))
