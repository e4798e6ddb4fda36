"""The fields that are asked of each kind of row."""

from __future__ import annotations

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
