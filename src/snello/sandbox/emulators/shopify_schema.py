"""The cut of Shopify's Admin schema that the stand-in speaks; names and types are the vendor's of version 2026-10."""

from __future__ import annotations

VERSION = "2026-10"
SDL = """
scalar DateTime
scalar Decimal
scalar UnsignedInt64
scalar URL

interface Node { id: ID! }

type QueryRoot {
  customers(after: String, before: String, first: Int, last: Int, query: String, reverse: Boolean = false,
    sortKey: CustomerSortKeys = ID): CustomerConnection!
  orders(after: String, before: String, first: Int, last: Int, query: String, reverse: Boolean = false,
    sortKey: OrderSortKeys = PROCESSED_AT): OrderConnection!
  abandonedCheckouts(after: String, before: String, first: Int, last: Int, query: String, reverse: Boolean = false,
    sortKey: AbandonedCheckoutSortKeys = ID): AbandonedCheckoutConnection!
  customersCount(limit: Int = 10000, query: String): Count
  ordersCount(limit: Int = 10000, query: String): Count
  abandonedCheckoutsCount(limit: Int = 10000, query: String): Count
  node(id: ID!): Node
  currentAppInstallation: AppInstallation!
}

type Mutation {
  bulkOperationRunQuery(groupObjects: Boolean! = false, query: String!): BulkOperationRunQueryPayload
}

schema { query: QueryRoot mutation: Mutation }

enum CustomerSortKeys { CREATED_AT ID UPDATED_AT }
enum OrderSortKeys { CREATED_AT ID PROCESSED_AT UPDATED_AT }
enum AbandonedCheckoutSortKeys { CREATED_AT ID }

type PageInfo { endCursor: String hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String }
type Count { count: Int! }
type AppInstallation { accessScopes: [AccessScope!]! }
type AccessScope { handle: String! }

type CustomerConnection { edges: [CustomerEdge!]! nodes: [Customer!]! pageInfo: PageInfo! }
type CustomerEdge { cursor: String! node: Customer! }
type Customer implements Node {
  id: ID! legacyResourceId: UnsignedInt64! firstName: String lastName: String locale: String! state: CustomerState!
  verifiedEmail: Boolean! dataSaleOptOut: Boolean! numberOfOrders: UnsignedInt64! tags: [String!]!
  createdAt: DateTime! updatedAt: DateTime! amountSpent: MoneyV2! defaultEmailAddress: CustomerEmailAddress
  defaultPhoneNumber: CustomerPhoneNumber defaultAddress: MailingAddress
  emailMarketingConsent: CustomerEmailMarketingConsentState smsMarketingConsent: CustomerSmsMarketingConsentState
}
enum CustomerState { DECLINED DISABLED ENABLED INVITED }
type CustomerEmailAddress { emailAddress: String! validFormat: Boolean! }
type CustomerPhoneNumber { phoneNumber: String! }
type CustomerEmailMarketingConsentState {
  marketingState: CustomerEmailMarketingState! marketingOptInLevel: CustomerMarketingOptInLevel
  consentUpdatedAt: DateTime
}
type CustomerSmsMarketingConsentState {
  marketingState: CustomerSmsMarketingState! marketingOptInLevel: CustomerMarketingOptInLevel!
  consentUpdatedAt: DateTime consentCollectedFrom: CustomerConsentCollectedFrom
}
enum CustomerEmailMarketingState { INVALID NOT_SUBSCRIBED PENDING REDACTED SUBSCRIBED UNSUBSCRIBED }
enum CustomerSmsMarketingState { NOT_SUBSCRIBED PENDING REDACTED SUBSCRIBED UNSUBSCRIBED }
enum CustomerMarketingOptInLevel { CONFIRMED_OPT_IN SINGLE_OPT_IN UNKNOWN }
enum CustomerConsentCollectedFrom { OTHER SHOPIFY }
type MailingAddress implements Node {
  id: ID! firstName: String lastName: String company: String address1: String address2: String city: String
  provinceCode: String zip: String countryCodeV2: CountryCode phone: String
}
enum CountryCode { AT CH DE ES FR GB IT JP US }
enum CurrencyCode { CHF EUR GBP JPY USD }
type MoneyV2 { amount: Decimal! currencyCode: CurrencyCode! }
type MoneyBag { presentmentMoney: MoneyV2! shopMoney: MoneyV2! }
type Product implements Node { id: ID! }

type OrderConnection { edges: [OrderEdge!]! nodes: [Order!]! pageInfo: PageInfo! }
type OrderEdge { cursor: String! node: Order! }
type Order implements Node {
  id: ID! legacyResourceId: UnsignedInt64! name: String! createdAt: DateTime! processedAt: DateTime!
  updatedAt: DateTime! cancelledAt: DateTime cancelReason: OrderCancelReason closedAt: DateTime test: Boolean!
  sourceName: String displayFinancialStatus: OrderDisplayFinancialStatus
  displayFulfillmentStatus: OrderDisplayFulfillmentStatus! currencyCode: CurrencyCode!
  presentmentCurrencyCode: CurrencyCode! email: String phone: String customerLocale: String
  customerAcceptsMarketing: Boolean! discountCodes: [String!]! tags: [String!]! paymentGatewayNames: [String!]!
  customer: Customer totalPriceSet: MoneyBag! currentTotalPriceSet: MoneyBag! totalDiscountsSet: MoneyBag
  totalShippingPriceSet: MoneyBag! totalTaxSet: MoneyBag totalRefundedSet: MoneyBag!
  billingAddress: MailingAddress shippingAddress: MailingAddress refunds(first: Int): [Refund!]!
  lineItems(after: String, before: String, first: Int, last: Int, reverse: Boolean = false): LineItemConnection!
}
enum OrderCancelReason { CUSTOMER DECLINED FRAUD INVENTORY OTHER STAFF }
enum OrderDisplayFinancialStatus { AUTHORIZED EXPIRED PAID PARTIALLY_PAID PARTIALLY_REFUNDED PENDING REFUNDED VOIDED }
enum OrderDisplayFulfillmentStatus { FULFILLED IN_PROGRESS ON_HOLD PARTIALLY_FULFILLED UNFULFILLED }
type Refund implements Node {
  id: ID! legacyResourceId: UnsignedInt64! createdAt: DateTime processedAt: DateTime! totalRefundedSet: MoneyBag!
}
type LineItemConnection { edges: [LineItemEdge!]! nodes: [LineItem!]! pageInfo: PageInfo! }
type LineItemEdge { cursor: String! node: LineItem! }
type LineItem implements Node {
  id: ID! sku: String name: String! quantity: Int! currentQuantity: Int! product: Product
  discountedTotalSet(withCodeDiscounts: Boolean = false): MoneyBag!
}

type AbandonedCheckoutConnection { edges: [AbandonedCheckoutEdge!]! nodes: [AbandonedCheckout!]! pageInfo: PageInfo! }
type AbandonedCheckoutEdge { cursor: String! node: AbandonedCheckout! }
type AbandonedCheckout implements Node {
  id: ID! name: String! createdAt: DateTime! updatedAt: DateTime! completedAt: DateTime discountCodes: [String!]!
  customer: Customer totalPriceSet: MoneyBag! totalDiscountSet: MoneyBag! billingAddress: MailingAddress
  shippingAddress: MailingAddress
  lineItems(after: String, before: String, first: Int, last: Int, reverse: Boolean = false):
    AbandonedCheckoutLineItemConnection!
}
type AbandonedCheckoutLineItemConnection {
  edges: [AbandonedCheckoutLineItemEdge!]! nodes: [AbandonedCheckoutLineItem!]! pageInfo: PageInfo!
}
type AbandonedCheckoutLineItemEdge { cursor: String! node: AbandonedCheckoutLineItem! }
type AbandonedCheckoutLineItem implements Node {
  id: ID! sku: String title: String quantity: Int! product: Product discountedTotalPriceSet: MoneyBag!
}

type BulkOperationRunQueryPayload { bulkOperation: BulkOperation userErrors: [BulkOperationUserError!]! }
type BulkOperationUserError { code: BulkOperationUserErrorCode field: [String!] message: String! }
enum BulkOperationUserErrorCode { INVALID LIMIT_REACHED OPERATION_IN_PROGRESS }
type BulkOperation implements Node {
  id: ID! status: BulkOperationStatus! errorCode: BulkOperationErrorCode createdAt: DateTime! completedAt: DateTime
  objectCount: UnsignedInt64! rootObjectCount: UnsignedInt64! fileSize: UnsignedInt64 url: URL partialDataUrl: URL
  query: String!
}
enum BulkOperationStatus { CANCELED CANCELING COMPLETED CREATED EXPIRED FAILED RUNNING }
enum BulkOperationErrorCode { ACCESS_DENIED INTERNAL_SERVER_ERROR TIMEOUT }
"""
