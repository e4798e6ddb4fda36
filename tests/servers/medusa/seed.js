// A small shop: accounts and guests, orders paid, refunded and returned, gift cards and store credit.
const { ContainerRegistrationKeys, Modules } = require("@medusajs/framework/utils")
const { redeemGiftCardWorkflow } = require("@medusajs/loyalty-plugin/workflows")

const CUSTOMERS = 230
const ORDERS = 120
const RETURNS = 6

exports.default = async function seed({ container }) {
  const customers = await people(container)
  await trade(container, customers)
  await credit(container, customers)
  await staff(container)
}

async function people(container) {
  const service = container.resolve(Modules.CUSTOMER)
  const given = Array.from({ length: CUSTOMERS }, (_, n) => ({
    email: n === 0 ? "canary.bird@example.org" : n === 3 ? null : `customer${n}@example.org`,
    first_name: n % 7 === 0 ? null : n === 5 ? "Zoë  “Zo”" : `Name${n}`,
    last_name: n % 9 === 0 ? "" : `Family${n}`,
    phone: n % 3 === 0 ? null : `+39 347 00${String(n).padStart(5, "0")}`,
    company_name: n % 20 === 0 ? `Company ${n}` : null,
    has_account: n % 4 !== 0,
    metadata: n % 10 === 0 ? { newsletter: n % 20 === 0, tier: "gold" } : null,
    addresses: n % 2 === 0 ? [address(n, true), ...(n % 6 === 0 ? [address(n + 1000, false)] : [])] : [],
  }))
  const made = await service.createCustomers(given)
  const [gold] = await service.createCustomerGroups([{ name: "Gold" }, { name: "Staff" }])
  const members = made.filter((_, n) => n % 10 === 0)
  await service.addCustomerToGroup(members.map((one) => ({ customer_id: one.id, customer_group_id: gold.id })))
  await service.softDeleteCustomers(made.slice(-2).map((one) => one.id))
  return made
}

function address(n, first) {
  return {
    address_name: first ? "Home" : null,
    first_name: `Name${n}`,
    last_name: `Family${n}`,
    address_1: `Via Roma ${n}`,
    city: "Milano",
    province: "MI",
    postal_code: "20121",
    country_code: "it",
    phone: n % 4 === 0 ? `+39 02 ${String(n).padStart(6, "0")}` : null,
    is_default_billing: first,
    is_default_shipping: first,
  }
}

async function trade(container, customers) {
  const service = container.resolve(Modules.ORDER)
  const region = await container.resolve(Modules.REGION).createRegions({ name: "Italy", currency_code: "eur", countries: ["it"] })
  const given = Array.from({ length: ORDERS }, (_, n) => ({
    region_id: region.id,
    currency_code: n % 15 === 0 ? "jpy" : "eur",
    status: n % 11 === 0 ? "canceled" : n % 5 === 0 ? "completed" : "pending",
    customer_id: n % 13 === 0 ? null : customers[n % 100].id,
    email: n === 0 ? "canary.bird@example.org" : `customer${n % 100}@example.org`,
    is_draft_order: n === 7,
    metadata: n % 30 === 0 ? { pickup_shop: "00102" } : null,
    shipping_address: postal(n),
    billing_address: n % 8 === 0 ? null : postal(n),
    items: lines(n),
    shipping_methods: [{ name: "Courier", amount: n % 2 === 0 ? 4.9 : 0 }],
    transactions: n % 5 === 0 ? [{ amount: 10, currency_code: n % 15 === 0 ? "jpy" : "eur", reference: "capture" }] : [],
  }))
  const orders = await service.createOrders(given)
  for (const order of orders.filter((_, n) => n % 5 === 0)) await pay(container, order)
  for (const order of orders.slice(20, 20 + RETURNS)) {
    const items = [{ id: order.items[0].id, quantity: 1 }]
    await service.registerFulfillment({ order_id: order.id, reference: "fulfillment", reference_id: "seed", items })
    await service.createReturn({
      order_id: order.id,
      items,
      shipping_method: { name: "Return by post", amount: 0 },
    })
  }
}

function postal(n) {
  return {
    first_name: `Name${n % 100}`, last_name: `Family${n % 100}`, phone: null, company: null,
    address_1: `Via Roma ${n % 100}`, city: "Milano", province: "MI", postal_code: "20121", country_code: "it",
  }
}

function lines(n) {
  const one = {
    title: "Caffè in grani 1 kg", quantity: 1 + (n % 3), unit_price: 19.99, variant_sku: `SKU-${n % 5}`,
    tax_lines: [{ code: "IVA", rate: 22 }],
    adjustments: n % 6 === 0 ? [{ code: "WELCOME", amount: 2.5 }] : [],
  }
  return n % 4 === 0 ? [one, { title: "Tazza", quantity: 2, unit_price: "0.1" }] : [one]
}

async function pay(container, order) {
  const service = container.resolve(Modules.PAYMENT)
  const given = { currency_code: order.currency_code, amount: 10 }
  const collection = await service.createPaymentCollections(given)
  const session = await service.createPaymentSession(collection.id, { ...given, provider_id: "pp_system_default", data: {} })
  const payment = await service.authorizePaymentSession(session.id, {})
  await service.capturePayment({ payment_id: payment.id, amount: 10 })
  if (order.display_id % 2 === 0) await service.refundPayment({ payment_id: payment.id, amount: 2.55, note: "Late" })
  await container.resolve(ContainerRegistrationKeys.LINK).create({
    [Modules.ORDER]: { order_id: order.id },
    [Modules.PAYMENT]: { payment_collection_id: collection.id },
  })
}

async function credit(container, customers) {
  const service = container.resolve("store_credit")
  for (const [n, customer] of customers.slice(10, 22).entries()) {
    const account = await service.createStoreCreditAccounts({ customer_id: customer.id, currency_code: "eur" })
    await service.creditAccounts([{ account_id: account.id, amount: 25.5 + n, reference: "user", reference_id: "seed", note: n ? null : "Welcome" }])
    if (n % 2) await service.debitAccounts([{ account_id: account.id, amount: 0.1, reference: "order", reference_id: `order_${n}` }])
  }
  const cards = container.resolve("loyalty")
  const made = await cards.createGiftCards(
    Array.from({ length: 9 }, (_, n) => ({
      code: `GIFT-000${n}`, value: 50 + n / 10, currency_code: "eur", status: "pending",
      expires_at: n % 2 ? new Date("2027-12-31T23:00:00Z") : null, note: n === 0 ? "Sesame note" : null,
    }))
  )
  for (const card of made.slice(0, 2)) await redeemGiftCardWorkflow(container).run({ input: { gift_card_id: card.id } })
}

async function staff(container) {
  const user = await container.resolve(Modules.USER).createUsers({ email: "reader@example.org" })
  const auth = container.resolve(Modules.AUTH)
  const { authIdentity } = await auth.register("emailpass", { body: { email: user.email, password: "sesame-reader" } })
  await auth.updateAuthIdentities({ id: authIdentity.id, app_metadata: { user_id: user.id } })
}
