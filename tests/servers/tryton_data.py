"""Run by the Tryton server's own Python: puts a small trading company into an empty, initialised database.

Everything is made through Tryton itself (proteus), so that numbers, states, accounting and moments are Tryton's own:
- several hundred parties of one transaction, and as many rewritten in another, so that moments are tied
- archived parties and products, a person with an address, contact mechanisms and a tax identifier
- sales from draft to done, posted invoices, payments, amounts with four decimals
- users: admin (everything), reader (reads sales, accounts and payments), clerk (parties and products only)
"""

from __future__ import annotations

import sys
from datetime import date
from decimal import Decimal
from typing import Any

from proteus import Model, Wizard, config
from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, create_tax, get_accounts
from trytond.modules.account_invoice.tests.tools import create_payment_term, set_fiscalyear_invoice_sequences
from trytond.modules.company.tests.tools import create_company

PASSWORD = "open-sesame-open"
CANARY = "canary.bird@example.org"
TIED, PEOPLE, SALES = 400, 40, 24


def company() -> None:
    """The company, its chart of accounts, its year and its users."""
    create_company()
    create_chart()
    set_fiscalyear_invoice_sequences(create_fiscalyear()).click("create_period")
    groups = {group.name: group.id for group in Model.get("res.group").find([])}
    (firm,) = Model.get("company.company").find([])
    users = Model.get("res.user")
    wanted = {"reader": ("Sales", "Accounting", "Accounting Party", "Payment", "Account Invoice"), "clerk": ()}
    for login, names in wanted.items():
        user = users(name=login, login=login, password=PASSWORD)
        user.company = firm
        user.companies.append(Model.get("company.company")(firm.id))
        for name in names:
            if name in groups:
                user.groups.append(Model.get("res.group")(groups[name]))
        user.save()
    application = Model.get("res.user.application")
    for login in wanted:
        (user,) = users.find([("login", "=", login)])
        application(user=user, application="rest", key=f"key-of-{login}-{'0' * 24}").save()


def parties() -> list[int]:
    """Parties of one transaction, of which most are rewritten in a second one, and some archived in a third."""
    party, context = Model.get("party.party"), config.get_config().context
    ids = party._proxy.create([{"name": f"Tied {number:04}"} for number in range(TIED)], context)
    party._proxy.write(ids[: TIED * 3 // 4], {"lang": None}, context)
    party._proxy.write(ids[:15], {"active": False}, context)
    italy = Model.get("country.country")(name="Italy", code="IT")
    italy.save()
    people = []
    for number in range(PEOPLE):
        person = party(name=f"Person {number:02}")
        address = person.addresses[0] if person.addresses else person.addresses.new()
        address.street_unstructured, address.city, address.postal_code = f"Via Roma {number}", "Milano", "20121"
        address.country = italy
        person.contact_mechanisms.new(type="email", value=CANARY if not number else f"person{number}@example.org")
        person.contact_mechanisms.new(type="mobile", value=f"+39 333 555{number:04}")
        if number % 10 == 0:
            person.identifiers.new(type="it_vat", code="IT00743110157")
        people.append(person)
    party.save(people)
    return [person.id for person in people]


def products(tax: Any) -> list[Any]:
    """Products with prices of four decimals; the last one is archived."""
    accounts = get_accounts()
    category = Model.get("product.category")(name="Goods", accounting=True)
    category.account_expense, category.account_revenue = accounts["expense"], accounts["revenue"]
    category.customer_taxes.append(tax)
    category.save()
    (unit,) = Model.get("product.uom").find([("name", "=", "Unit")])
    made = []
    for number in range(12):
        template = Model.get("product.template")(name=f"Thing {number:02}", type="goods", salable=True)
        template.default_uom, template.account_category = unit, category
        template.code, template.list_price = f"T{number:02}", Decimal("9.9999") + number
        template.save()
        made.append(template.products[0])
    template.active = False
    template.save()
    return made[:-1]


def sales(people: list[int], things: list[Any]) -> None:
    """Sales of every state; a third of them is invoiced, and the invoices are posted and a payment is asked for."""
    term = create_payment_term()
    term.save()
    sale_of, party = Model.get("sale.sale"), Model.get("party.party")
    for number in range(SALES):
        sale = sale_of(party=party(people[number % len(people)]), payment_term=term, invoice_method="order")
        sale.sale_date = date.today()
        for line in range(1 + number % 3):
            ordered = sale.lines.new()
            ordered.product = things[(number + line) % len(things)]
            ordered.quantity = 1.0 + line
        sale.save()
        if number % 3 == 0:
            sale.click("quote")
            sale.click("confirm")
            for invoice in sale.invoices:
                invoice.click("post")
                _paid(invoice)
        elif number % 3 == 1:
            sale.click("quote")


def _paid(invoice: Any) -> None:
    receivable = [line for line in invoice.move.lines if line.account.type.receivable]
    pay = Wizard("account.move.line.pay", receivable)
    pay.form.date = date.today()
    pay.execute("next_")
    pay.execute("next_")
    (payment,) = Model.get("account.payment").find([("line", "=", receivable[0].id)])
    payment.click("submit")


def main(database: str, configuration: str) -> None:
    """Fill a database."""
    config.set_trytond(database, user="admin", config_file=configuration).skip_warning = True
    company()
    tax = create_tax(Decimal(".22"))
    tax.save()
    Model.get("account.payment.journal")(name="Manual", process_method="manual").save()
    people = parties()
    sales(people, products(tax))


if __name__ == "__main__":
    main(*sys.argv[1:])
