const { defineConfig } = require("@medusajs/framework/utils")

module.exports = defineConfig({
  admin: { disable: true },
  plugins: [{ resolve: "@medusajs/loyalty-plugin", options: {} }],
  projectConfig: {
    databaseUrl: process.env.DATABASE_URL,
    databaseDriverOptions: { connection: { ssl: false } },
    http: {
      adminCors: "http://localhost",
      authCors: "http://localhost",
      storeCors: "http://localhost",
      jwtSecret: "sesame-jwt",
      jwtExpiresIn: process.env.JWT_EXPIRES_IN || "1d",
      cookieSecret: "sesame-cookie",
    },
  },
})
