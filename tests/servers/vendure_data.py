"""What stands in the shop of a test's Vendure server: products, customers, orders of all kinds, carts, promotions."""

from __future__ import annotations

from typing import Any, Protocol

import requests

CANARY = "canary.bird@example.org"  # an e-mail address that no log may show
CUSTOMERS, ORDERS, CARTS = 12, 6, 2

_PRODUCT = """mutation($input: CreateProductInput!) { createProduct(input: $input) { id } }"""
_VARIANT = """mutation($input: [CreateProductVariantInput!]!) { createProductVariants(input: $input) { id } }"""
_CUSTOMER = """mutation($input: CreateCustomerInput!, $password: String) {
  createCustomer(input: $input, password: $password) { ... on Customer { id } ... on ErrorResult { errorCode message } }
}"""
_ADDRESS = """mutation($id: ID!, $input: CreateAddressInput!) {
  createCustomerAddress(customerId: $id, input: $input) { id }
}"""
_PROMOTION = """mutation($input: CreatePromotionInput!) {
  createPromotion(input: $input) { ... on Promotion { id } ... on ErrorResult { errorCode message } }
}"""
_ADD = """mutation($variant: ID!, $quantity: Int!) { addItemToOrder(productVariantId: $variant, quantity: $quantity) {
  ... on Order { id code lines { id } } ... on ErrorResult { errorCode message } } }"""
_WHO = """mutation($input: CreateCustomerInput!) { setCustomerForOrder(input: $input) {
  ... on Order { id } ... on ErrorResult { errorCode message } } }"""
_WHERE = """mutation($input: CreateAddressInput!) { setOrderShippingAddress(input: $input) {
  ... on Order { id } ... on ErrorResult { errorCode message } } }"""
_COUPON = """mutation($code: String!) { applyCouponCode(couponCode: $code) {
  ... on Order { id } ... on ErrorResult { errorCode message } } }"""
_HOW = """mutation($id: [ID!]!) { setOrderShippingMethod(shippingMethodId: $id) {
  ... on Order { id } ... on ErrorResult { errorCode message } } }"""
_ARRANGE = """mutation { transitionOrderToState(state: "ArrangingPayment") {
  ... on Order { id } ... on ErrorResult { errorCode message } } }"""
_PAY = """mutation { addPaymentToOrder(input: {method: "card", metadata: {}}) {
  ... on Order { id code state payments { id } lines { id quantity } } ... on ErrorResult { errorCode message } } }"""

Document = dict[str, Any]


class Shop(Protocol):
    """The two interfaces of a server."""

    def admin(self, query: str, **variables: Any) -> Any:
        """The one field that the administrator asks for."""

    def ask(self, session: requests.Session, api: str, query: str, **variables: Any) -> Any:
        """The one field that a query asks for, in a session."""


def open_shop(shop: Shop) -> None:
    """Fill an empty shop."""
    variant = _product(shop)
    coupon = {
        "enabled": True,
        "couponCode": "AUTUMN",
        "conditions": [],
        "actions": [{"code": "order_percentage_discount", "arguments": [{"name": "discount", "value": "10"}]}],
        "translations": [{"languageCode": "en", "name": "Autumn", "description": "Ten per cent"}],
    }
    shop.admin(_PROMOTION, input=coupon)
    for number in range(1, CUSTOMERS - ORDERS - CARTS + 1):
        customer(shop, number)
    for number in range(ORDERS):
        buy(shop, variant, f"buyer{number}@example.org", coupon="AUTUMN" if number == 1 else None)
    for number in range(CARTS):
        cart(shop, variant, f"carter{number}@example.org" if number else None)
    customer(shop, CUSTOMERS, emailAddress="cart.late@example.org")


def customer(shop: Shop, number: int, **more: Any) -> str:
    """A customer whom a clerk writes down; the first is the canary. Its id."""
    email = CANARY if number == 1 else f"customer{number}@example.org"
    given = {"firstName": f"Ada {number}", "lastName": "O'Neill & Rossi", "emailAddress": email}
    given |= {"phoneNumber": f"+39 347 12345{number:02}", "customFields": {"loyaltyCard": f"C-{number:05}"}}
    made: str = shop.admin(_CUSTOMER, input={**given, **more}, password="sesame" if number % 2 else None)["id"]
    if number % 3 == 0:
        shop.admin(_ADDRESS, id=made, input={**place(number), "defaultShippingAddress": True})
    return made


def place(number: int) -> Document:
    """An address as the interfaces take it."""
    street = {"fullName": f"Ada {number}", "streetLine1": f"Via Roma {number}", "city": "Milano", "province": "MI"}
    return {**street, "postalCode": f"{20100 + number}", "countryCode": "IT"}


def cart(shop: Shop, variant: str, email: str | None, quantity: int = 2) -> requests.Session:
    """A cart that somebody leaves, known by an address or not; the session that holds it."""
    session = requests.Session()
    shop.ask(session, "shop-api", _ADD, variant=variant, quantity=quantity)
    if email:
        who = {"firstName": "Bea", "lastName": "Verdi", "emailAddress": email}
        shop.ask(session, "shop-api", _WHO, input=who)
    return session


def buy(shop: Shop, variant: str, email: str, *, coupon: str | None = None) -> Document:
    """An order, paid at once; its id, code, state, payments and lines."""
    with cart(shop, variant, email) as session:
        if coupon:
            shop.ask(session, "shop-api", _COUPON, code=coupon)
        shop.ask(session, "shop-api", _WHERE, input=place(7))
        [method] = shop.ask(session, "shop-api", "{ eligibleShippingMethods { id } }")
        shop.ask(session, "shop-api", _HOW, id=[method["id"]])
        shop.ask(session, "shop-api", _ARRANGE)
        paid: Document = shop.ask(session, "shop-api", _PAY)
    return paid


def _product(shop: Shop) -> str:
    words = {"languageCode": "en", "name": "Bonsai", "slug": "bonsai", "description": ""}
    product = shop.admin(_PRODUCT, input={"enabled": True, "translations": [words]})["id"]
    named = [{"languageCode": "en", "name": "Bonsai, small"}]
    given = {"productId": product, "sku": "B-1", "price": 1999, "stockOnHand": 100_000, "translations": named}
    [made] = shop.admin(_VARIANT, input=[given])
    return str(made["id"])
