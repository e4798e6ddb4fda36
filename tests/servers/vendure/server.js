// A shop on Vendure whose rows live in memory: taxes, countries, ways to ship and to pay; customers and orders come over its APIs.
const { bootstrap, dummyPaymentHandler, DefaultLogger, LogLevel, LanguageCode } = require("@vendure/core");
const { populateInitialData } = require("@vendure/core/cli");

const config = {
  apiOptions: { hostname: "127.0.0.1", port: Number(process.argv[2]), adminApiPath: "admin-api", shopApiPath: "shop-api" },
  authOptions: {
    tokenMethod: process.argv[3].split(","),
    requireVerification: false,
    superadminCredentials: { identifier: "admin", password: process.env.SHOP_PASSWORD },
    cookieOptions: { secret: "a secret of cookies, for tests" },
  },
  dbConnectionOptions: { type: "sqljs", synchronize: true, autoSave: false },
  paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
  customFields: {
    Customer: [{ name: "loyaltyCard", type: "string", nullable: true }],
    Order: [{ name: "giftNote", type: "string", nullable: true }],
  },
  logger: new DefaultLogger({ level: LogLevel.Error, timestamp: false }),
};

const initial = {
  defaultLanguage: LanguageCode.en,
  defaultZone: "Europe",
  taxRates: [{ name: "Standard Tax", percentage: 22 }],
  countries: [
    { name: "Italy", code: "IT", zone: "Europe" },
    { name: "Austria", code: "AT", zone: "Europe" },
  ],
  shippingMethods: [{ name: "Standard Shipping", price: 500 }],
  paymentMethods: [
    {
      name: "Card",
      handler: { code: "dummy-payment-handler", arguments: [{ name: "automaticSettle", value: "true" }] },
    },
  ],
  collections: [],
};

bootstrap(config)
  .then(async (app) => {
    await populateInitialData(app, initial);
    console.log("the shop is open");
  })
  .catch((error) => {
    console.error(error);
    process.exit(1);
  });
