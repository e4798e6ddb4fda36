"""What is asked of the Admin API: each list with what hangs on its rows, and how many digits its amounts have."""

from __future__ import annotations

from collections.abc import Sequence

LOGIN = """mutation Login($user: String!, $password: String!) {
  login(username: $user, password: $password) { __typename }
}"""

_PLACE = "fullName company streetLine1 streetLine2 city province postalCode"

CUSTOMER = f"""id createdAt updatedAt title firstName lastName phoneNumber emailAddress
      addresses {{ id updatedAt {_PLACE} phoneNumber country {{ code }} defaultShippingAddress defaultBillingAddress }}
      groups {{ id name }}
      user {{ id verified lastLogin }}"""

ORDER = f"""id createdAt updatedAt orderPlacedAt type code state active currencyCode couponCodes totalQuantity
      subTotal subTotalWithTax shipping shippingWithTax total totalWithTax
      customer {{ id }}
      aggregateOrder {{ id }}
      channels {{ id code }}
      shippingAddress {{ {_PLACE} countryCode phoneNumber }}
      billingAddress {{ {_PLACE} countryCode phoneNumber }}
      promotions {{ id name couponCode }}
      discounts {{ type adjustmentSource description amount amountWithTax }}
      surcharges {{ id description sku price priceWithTax }}
      lines {{
        id quantity orderPlacedQuantity unitPriceWithTax linePriceWithTax discountedLinePriceWithTax
        proratedLinePriceWithTax
        productVariant {{ id sku name productId }}
      }}
      shippingLines {{ id priceWithTax discountedPriceWithTax shippingMethod {{ id code }} }}
      payments {{
        id createdAt updatedAt method state amount
        refunds {{ id createdAt updatedAt method state reason total lines {{ orderLineId quantity }} }}
      }}
      fulfillments {{ id createdAt updatedAt method state trackingCode lines {{ orderLineId quantity }} }}"""

PROMOTION = """id createdAt updatedAt name description enabled startsAt endsAt couponCode usageLimit
      perCustomerUsageLimit
      conditions { code args { name value } }
      actions { code args { name value } }"""


def listing(name: str, kind: str, fields: str, custom_fields: Sequence[str] = ()) -> str:
    """The query for a page of the list ``name`` of rows of a kind, as ``orders`` of ``Order``."""
    custom = f"\n      customFields {{ {' '.join(custom_fields)} }}" if custom_fields else ""
    return f"""query Page($skip: Int, $take: Int, $filter: {kind}FilterParameter) {{
  {name}(options: {{skip: $skip, take: $take, sort: {{id: ASC}}, filter: $filter}}) {{
    items {{
      {fields}{custom}
    }}
    totalItems
  }}
  globalSettings {{ serverConfig {{ moneyStrategyPrecision }} }}
}}"""
