"""The lists of the shop, and the queries about bulk operations."""

from __future__ import annotations

from tap_shopify.fields import CHECKOUT, CHECKOUT_LINE, CUSTOMER, ORDER, ORDER_LINE
from tap_shopify.listing import Listing

CUSTOMERS = Listing("customers", "UPDATED_AT", CUSTOMER)
ORDERS = Listing("orders", "UPDATED_AT", ORDER, "Order", ORDER_LINE)
# abandoned checkouts cannot be sorted by their moment of change
CHECKOUTS = Listing("abandonedCheckouts", "ID", CHECKOUT, "AbandonedCheckout", CHECKOUT_LINE)
CUSTOMER_KEYS = Listing("customers", "ID", "id")
ORDER_KEYS = Listing("orders", "ID", "id")

RUN_BULK = """mutation Run($query: String!) {
  bulkOperationRunQuery(query: $query, groupObjects: true) {
    bulkOperation { id status createdAt } userErrors { code field message }
  }
}"""
LOOK_AT_BULK = """query Look($id: ID!) {
  node(id: $id) { ... on BulkOperation { id status errorCode objectCount rootObjectCount url partialDataUrl } }
}"""
