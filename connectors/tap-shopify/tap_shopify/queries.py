"""The queries: each listing in two forms, by pages with variables and as a bulk operation without any."""

from __future__ import annotations

import json
from dataclasses import dataclass

MONEY = "{ shopMoney { amount currencyCode } }"
BOTH_MONEYS = "{ shopMoney { amount currencyCode } presentmentMoney { amount currencyCode } }"
ADDRESS = "{ firstName lastName company address1 address2 city provinceCode zip countryCodeV2 phone }"

CUSTOMER = f"""
id legacyResourceId firstName lastName locale state verifiedEmail dataSaleOptOut numberOfOrders tags createdAt updatedAt
amountSpent {{ amount currencyCode }}
defaultEmailAddress {{ emailAddress validFormat }}
defaultPhoneNumber {{ phoneNumber }}
defaultAddress {ADDRESS}
emailMarketingConsent {{ marketingState marketingOptInLevel consentUpdatedAt }}
smsMarketingConsent {{ marketingState marketingOptInLevel consentUpdatedAt consentCollectedFrom }}
"""

ORDER = f"""
id legacyResourceId name createdAt processedAt updatedAt cancelledAt cancelReason closedAt test sourceName
displayFinancialStatus displayFulfillmentStatus currencyCode presentmentCurrencyCode email phone customerLocale
customerAcceptsMarketing discountCodes tags paymentGatewayNames customer {{ id }}
totalPriceSet {BOTH_MONEYS} currentTotalPriceSet {MONEY} totalDiscountsSet {MONEY}
totalShippingPriceSet {MONEY} totalTaxSet {MONEY} totalRefundedSet {MONEY}
billingAddress {ADDRESS} shippingAddress {ADDRESS}
refunds {{ id legacyResourceId createdAt processedAt totalRefundedSet {BOTH_MONEYS} }}
"""
ORDER_LINE = f"id sku name quantity currentQuantity product {{ id }} discountedTotalSet {MONEY}"

CHECKOUT = f"""
id name createdAt updatedAt completedAt discountCodes customer {{ id }}
totalPriceSet {BOTH_MONEYS} totalDiscountSet {MONEY}
billingAddress {ADDRESS} shippingAddress {ADDRESS}
"""
CHECKOUT_LINE = f"id sku title quantity product {{ id }} discountedTotalPriceSet {MONEY}"


@dataclass(frozen=True)
class Listing:
    """What is asked of one connection of the shop.

    - ``root``: its name; ``sort``: the order of its pages; ``fields``: of each row
    - ``kind``, ``line``: the type of a row, and the fields of each of its ``lineItems``; none when not given
    - ``lines``: how many of them come with the row, the rest are asked for by themselves
    """

    root: str
    sort: str
    fields: str
    kind: str = ""
    line: str = ""
    lines: int = 10

    def paged(self) -> str:
        """The query for a page."""
        inner = f"lineItems(first: {self.lines}) {self._nodes(self.line)}" if self.line else ""
        return f"""query Page($first: Int!, $after: String, $query: String) {{
  {self.root}(first: $first, after: $after, query: $query, sortKey: {self.sort}) {self._nodes(self.fields + inner)}
}}"""

    def more_lines(self) -> str:
        """The query for further lines of one row."""
        return f"""query Lines($id: ID!, $after: String) {{
  node(id: $id) {{ ... on {self.kind} {{ lineItems(first: 100, after: $after) {self._nodes(self.line)} }} }}
}}"""

    def bulk(self, search: str | None) -> str:
        """The document of a bulk operation over the rows that a search finds; of all without one."""
        which = f"(query: {json.dumps(search)})" if search else ""
        inner = f"lineItems {{ edges {{ node {{ {self.line} }} }} }}" if self.line else ""
        return f"{{ {self.root}{which} {{ edges {{ node {{ {self.fields} {inner} }} }} }} }}"

    def counted(self) -> str:
        """The query for the number of rows that a search finds, up to a limit."""
        return f"""query Count($query: String, $limit: Int) {{
  count: {self.root}Count(query: $query, limit: $limit) {{ count }}
  currentAppInstallation {{ accessScopes {{ handle }} }}
}}"""

    def _nodes(self, fields: str) -> str:
        return f"{{ nodes {{ {fields} }} pageInfo {{ hasNextPage endCursor }} }}"


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
