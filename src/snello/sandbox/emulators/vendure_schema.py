"""The part of Vendure's Admin API that a reader of customers and orders meets, as a schema."""

from __future__ import annotations

from graphql import GraphQLSchema, build_schema

_FILTERS = "\n".join(
    f"""
input {kind}SortParameter {{ id: SortOrder createdAt: SortOrder updatedAt: SortOrder }}
input {kind}FilterParameter {{
  id: IDOperators createdAt: DateOperators updatedAt: DateOperators{" orderPlacedAt: DateOperators" * (kind == "Order")}
  _and: [{kind}FilterParameter!] _or: [{kind}FilterParameter!]
}}
input {kind}ListOptions {{
  skip: Int take: Int sort: {kind}SortParameter filter: {kind}FilterParameter filterOperator: LogicalOperator
}}
type {kind}List {{ items: [{kind}!]! totalItems: Int! }}"""
    for kind in ("Customer", "Order", "Promotion")
)

SCHEMA: GraphQLSchema = build_schema(
    f"""
scalar DateTime
scalar JSON
scalar Money
enum SortOrder {{ ASC DESC }}
enum LogicalOperator {{ AND OR }}
input DateRange {{ start: DateTime! end: DateTime! }}
input DateOperators {{ eq: DateTime before: DateTime after: DateTime between: DateRange isNull: Boolean }}
input IDOperators {{ eq: String notEq: String in: [String!] notIn: [String!] isNull: Boolean }}
{_FILTERS}

type Query {{
  customers(options: CustomerListOptions): CustomerList!
  orders(options: OrderListOptions): OrderList!
  promotions(options: PromotionListOptions): PromotionList!
  globalSettings: GlobalSettings!
}}
type Mutation {{ login(username: String!, password: String!, rememberMe: Boolean): NativeAuthenticationResult! }}

interface ErrorResult {{ errorCode: String! message: String! }}
union NativeAuthenticationResult = CurrentUser | InvalidCredentialsError
type CurrentUser {{ id: ID! identifier: String! }}
type InvalidCredentialsError implements ErrorResult {{
  errorCode: String! message: String! authenticationError: String!
}}
type GlobalSettings {{ id: ID! serverConfig: ServerConfig! }}
type ServerConfig {{ moneyStrategyPrecision: Int! }}

type Customer {{
  id: ID! createdAt: DateTime! updatedAt: DateTime! title: String firstName: String! lastName: String!
  phoneNumber: String emailAddress: String! addresses: [Address!] groups: [CustomerGroup!]! user: User
  customFields: CustomerCustomFields
}}
type CustomerCustomFields {{ loyaltyCard: String }}
type CustomerGroup {{ id: ID! name: String! }}
type User {{ id: ID! identifier: String! verified: Boolean! lastLogin: DateTime }}
type Address {{
  id: ID! updatedAt: DateTime! fullName: String company: String streetLine1: String! streetLine2: String city: String
  province: String postalCode: String country: Country! phoneNumber: String defaultShippingAddress: Boolean
  defaultBillingAddress: Boolean
}}
type Country {{ id: ID! code: String! name: String! }}

type Order {{
  id: ID! createdAt: DateTime! updatedAt: DateTime! orderPlacedAt: DateTime type: OrderType! code: String!
  state: String! active: Boolean! currencyCode: String! couponCodes: [String!]! totalQuantity: Int!
  subTotal: Money! subTotalWithTax: Money! shipping: Money! shippingWithTax: Money! total: Money! totalWithTax: Money!
  customer: Customer aggregateOrder: Order channels: [Channel!]! shippingAddress: OrderAddress
  billingAddress: OrderAddress promotions: [Promotion!]! discounts: [Discount!]! surcharges: [Surcharge!]!
  lines: [OrderLine!]! shippingLines: [ShippingLine!]! payments: [Payment!] fulfillments: [Fulfillment!]
  customFields: OrderCustomFields
}}
enum OrderType {{ Regular Seller Aggregate }}
type OrderCustomFields {{ giftNote: String }}
type Channel {{ id: ID! code: String! }}
type OrderAddress {{
  fullName: String company: String streetLine1: String streetLine2: String city: String province: String
  postalCode: String country: String countryCode: String phoneNumber: String
}}
type Discount {{
  adjustmentSource: String! type: AdjustmentType! description: String! amount: Money! amountWithTax: Money!
}}
enum AdjustmentType {{ PROMOTION DISTRIBUTED_ORDER_PROMOTION OTHER }}
type Surcharge {{ id: ID! description: String! sku: String price: Money! priceWithTax: Money! }}
type OrderLine {{
  id: ID! quantity: Int! orderPlacedQuantity: Int! unitPriceWithTax: Money! linePriceWithTax: Money!
  discountedLinePriceWithTax: Money! proratedLinePriceWithTax: Money! productVariant: ProductVariant!
}}
type ProductVariant {{ id: ID! productId: ID! sku: String! name: String! }}
type ShippingLine {{
  id: ID! priceWithTax: Money! discountedPriceWithTax: Money! shippingMethod: ShippingMethod!
}}
type ShippingMethod {{ id: ID! code: String! }}
type Payment {{
  id: ID! createdAt: DateTime! updatedAt: DateTime! method: String! state: String! amount: Money!
  refunds: [Refund!]!
}}
type Refund {{
  id: ID! createdAt: DateTime! updatedAt: DateTime! method: String state: String! reason: String total: Money!
  lines: [RefundLine!]!
}}
type RefundLine {{ orderLineId: ID! quantity: Int! }}
type Fulfillment {{
  id: ID! createdAt: DateTime! updatedAt: DateTime! method: String! state: String! trackingCode: String
  lines: [FulfillmentLine!]!
}}
type FulfillmentLine {{ orderLineId: ID! quantity: Int! }}

type Promotion {{
  id: ID! createdAt: DateTime! updatedAt: DateTime! name: String! description: String! enabled: Boolean!
  startsAt: DateTime endsAt: DateTime couponCode: String usageLimit: Int perCustomerUsageLimit: Int
  conditions: [ConfigurableOperation!]! actions: [ConfigurableOperation!]!
}}
type ConfigurableOperation {{ code: String! args: [ConfigArg!]! }}
type ConfigArg {{ name: String! value: String! }}
"""
)
