"""The models of Odoo's sales, invoicing and CRM modules, and a small company that has used them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

Create = Callable[[str, dict[str, Any]], int]

COMPANIES = (1, 2)
FIRST = ("Ada", "Bruno", "Carla", "Dino", "Elsa", "Fabio", "Gaia", "Hugo")
LAST = ("Rossi", "D'Angelo", "Müller", "Nguyễn", "Bianchi", "O'Hara & Figli")
STATES = ("draft", "sent", "sale", "sale", "sale", "done", "cancel")
_SUMS = ("amount_untaxed", "amount_tax", "amount_total")
_LINKS = ("partner_id", "company_id", "currency_id")


def _of(kind: str, *names: str) -> dict[str, str]:
    return dict.fromkeys(names, kind)


MODELS: dict[str, dict[str, str]] = {
    "res.company": {**_of("char", "name")},
    "res.currency": {**_of("char", "name", "symbol"), **_of("boolean", "active")},
    "res.country": _of("char", "name", "code"),
    "res.country.state": {**_of("char", "name", "code"), **_of("many2one", "country_id")},
    "crm.stage": _of("char", "name"),
    "product.product": {**_of("char", "name", "default_code"), **_of("boolean", "active")},
    "crm.lead": {
        **_of("char", "name", "contact_name", "partner_name", "email_from", "email_normalized", "phone", "city"),
        **_of("selection", "type", "won_status"),
        **_of("many2one", "partner_id", "stage_id", "country_id", "company_id", "company_currency"),
        **_of("float", "probability"),
        **_of("monetary", "expected_revenue"),
        **_of("datetime", "date_open", "date_closed"),
        **_of("date", "date_deadline"),
        **_of("boolean", "active"),
    },
    "sale.order": {
        **_of("char", "name", "client_order_ref", "origin"),
        **_of("selection", "state", "invoice_status"),
        **_of("many2one", *_LINKS, "partner_invoice_id"),
        **_of("monetary", *_SUMS, "margin"),
        **_of("datetime", "date_order"),
    },
    "sale.order.line": {
        **_of("char", "display_type"),
        **_of("text", "name"),
        **_of("integer", "sequence"),
        **_of("many2one", "order_id", "product_id", "company_id", "currency_id"),
        **_of("float", "product_uom_qty", "qty_delivered", "qty_invoiced", "discount", "price_unit"),
        **_of("monetary", "price_subtotal", "price_total"),
        **_of("selection", "state"),
    },
    "account.move": {
        **_of("char", "name", "ref", "invoice_origin"),
        **_of("selection", "move_type", "state", "payment_state"),
        **_of("many2one", *_LINKS, "commercial_partner_id", "reversed_entry_id"),
        **_of("monetary", *_SUMS, "amount_residual"),
        **_of("date", "date", "invoice_date", "invoice_date_due"),
    },
    "account.payment": {
        **_of("char", "name", "memo"),
        **_of("selection", "state", "payment_type", "partner_type"),
        **_of("many2one", *_LINKS),
        **_of("monetary", "amount"),
        **_of("date", "date"),
        **_of("many2many", "reconciled_invoice_ids"),
    },
}


def company(create: Create, partners: int, seed: int = 5) -> None:
    """Master data, so many partners, and what they bought: the same every time."""
    _Company(create, Random(seed)).all(partners)


class _Company:
    """Makes the records of one company, some of them odd."""

    def __init__(self, create: Create, draw: Random) -> None:
        self.create, self.draw, self.orders = create, draw, 0

    def all(self, partners: int) -> None:
        make = self.create
        for name in ("Aurora S.p.A.", "Aurora Outlet S.r.l."):
            make("res.company", {"name": name})
        self.euro = make("res.currency", {"name": "EUR", "symbol": "€", "active": True})
        self.yen = make("res.currency", {"name": "JPY", "symbol": "¥", "active": True})
        self.italy = make("res.country", {"name": "Italy", "code": "IT"})
        make("res.country", {"name": "Japan", "code": "JP"})
        self.milan = make("res.country.state", {"name": "Milano", "code": "MI", "country_id": self.italy})
        self.stages = [make("crm.stage", {"name": name}) for name in ("New", "Won")]
        self.product = make("product.product", {"name": "Shoe", "default_code": "S-1", "active": True})
        for number in range(partners):
            self._partner(number)

    def _partner(self, number: int) -> None:
        draw = self.draw
        name = f"{draw.choice(FIRST)} {draw.choice(LAST)}"
        row: dict[str, Any] = {"name": name, "email": f"Person{number}@example.org", "lang": "it_IT"}
        row |= {"country_id": self.italy, "state_id": self.milan, "active": number % 17 != 0}
        if number % 10 == 0:
            row |= {"name": f"{name} S.r.l.", "is_company": True}
        if number % 7 == 0:
            row |= {"email": False, "phone": f"+39 02 555 {number:04}"}
        partner = self.create("res.partner", row)
        if number % 11 == 5:
            self.create("res.partner", {"parent_id": partner, "type": "delivery", "street": "Via Po 1"})
        if number % 13 == 1 and row["email"]:
            self.create("mail.blacklist", {"email": row["email"].lower(), "active": number % 2 == 1})
        if number % 5 == 0:
            self._lead(number, partner)
        for _ in range(number % 3):
            self._order(partner)

    def _lead(self, number: int, partner: int) -> None:
        known: dict[str, Any] = {"partner_id": partner} if number % 2 else {"email_from": f"lead{number}@example.org"}
        row = {"name": f"Interest {number}", "contact_name": "Ada Rossi", "type": "lead", "active": number % 4 != 0}
        worth = {"expected_revenue": 99.5, "company_currency": self.euro, "stage_id": self.draw.choice(self.stages)}
        self.create("crm.lead", {**row, **known, **worth})

    def _order(self, partner: int) -> None:
        draw = self.draw
        euro = draw.random() < 0.9
        net = draw.randrange(500, 90_000) / 100 if euro else float(draw.randrange(500, 90_000))
        tax = round(net * 0.22, 2 if euro else 0)
        sums = {"amount_untaxed": net, "amount_tax": tax, "amount_total": round(net + tax, 2)}
        shared = {"partner_id": partner, "company_id": draw.choice(COMPANIES)}
        shared |= {"currency_id": self.euro if euro else self.yen}
        day = f"2026-{draw.randrange(1, 10):02}-{draw.randrange(1, 29):02}"
        state = draw.choice(STATES)
        placed = {"state": state, "date_order": f"{day} 10:00:00", "invoice_status": "no"}
        self.orders += 1
        order = self.create("sale.order", {"name": f"S{self.orders:05}", **shared, **sums, **placed})
        of_order = {"order_id": order, "company_id": shared["company_id"], "currency_id": shared["currency_id"]}
        self.create("sale.order.line", {**of_order, "display_type": "line_note", "name": "Thank you"})
        bought = {"product_id": self.product, "name": "Shoe", "product_uom_qty": 1.0, "price_unit": net}
        self.create("sale.order.line", {**of_order, **bought, "price_subtotal": net, "price_total": net + tax})
        if state in ("sale", "done"):
            self._invoice(order, day, {**shared, **sums})

    def _invoice(self, order: int, day: str, shared: dict[str, Any]) -> None:
        paid = self.draw.random() < 0.7
        told = {"state": "posted", "payment_state": "paid" if paid else "not_paid", "invoice_origin": f"S{order:05}"}
        dates = {"date": day, "invoice_date": day, "invoice_date_due": day}
        rest = {"amount_residual": 0.0 if paid else shared["amount_total"], "name": f"INV/{order:05}"}
        invoice = self.create("account.move", {"move_type": "out_invoice", **shared, **told, **dates, **rest})
        self.create("account.move", {"move_type": "in_invoice", **shared, **told, **dates, **rest})
        whose = {name: shared[name] for name in _LINKS}
        payment = {"amount": shared["amount_total"], "date": day, "state": "paid", **whose}
        if paid:
            settled = {"partner_type": "customer", "payment_type": "inbound"}
            self.create("account.payment", {**payment, **settled, "reconciled_invoice_ids": [(6, 0, [invoice])]})
            self.create("account.payment", {**payment, "partner_type": "supplier", "payment_type": "outbound"})
