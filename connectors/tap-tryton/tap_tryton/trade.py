"""What the company offers, sells, invoices and is paid."""

from __future__ import annotations

from tap_tryton.stream import TrytonStream


class ProductTemplates(TrytonStream):
    """One row a product; what is sold is one of its variants."""

    name, model = "product_templates", "product.template"
    related = ("default_uom.symbol",)


class Products(TrytonStream):
    """One row a variant of a product."""

    name, model = "products", "product.product"


class Sales(TrytonStream):
    """One row a sale, from draft to done."""

    name, model = "sales", "sale.sale"
    related = ("currency.code",)


class SaleLines(TrytonStream):
    """One row a line of a sale; comments and subtotals are lines too."""

    name, model = "sale_lines", "sale.line"
    related = ("unit.symbol",)


class Invoices(TrytonStream):
    """One row an invoice, to customers and from suppliers; credit notes have negative amounts."""

    name, model = "invoices", "account.invoice"
    related = ("currency.code",)


class InvoiceLines(TrytonStream):
    """One row a line of an invoice."""

    name, model = "invoice_lines", "account.invoice.line"
    related = ("unit.symbol", "currency.code")


class Payments(TrytonStream):
    """One row a payment that is to be made or was made."""

    name, model = "payments", "account.payment"
    related = ("currency.code", "journal.name")
