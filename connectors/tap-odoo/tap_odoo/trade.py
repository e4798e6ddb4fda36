"""What the company sells, invoices and is paid."""

from __future__ import annotations

from tap_odoo.stream import OdooStream


class SaleOrders(OdooStream):
    """One row a quotation or order."""

    name, model = "sale_orders", "sale.order"


class SaleOrderLines(OdooStream):
    """One row a line of an order; sections and notes are lines too."""

    name, model = "sale_order_lines", "sale.order.line"


class Invoices(OdooStream):
    """One row an invoice or credit note to a customer."""

    name, model = "invoices", "account.move"
    domain = (("move_type", "in", ("out_invoice", "out_refund")),)


class Payments(OdooStream):
    """One row a payment by a customer, or back to one."""

    name, model = "payments", "account.payment"
    domain = (("partner_type", "=", "customer"),)
