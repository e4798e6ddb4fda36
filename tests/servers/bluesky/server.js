// A personal data server with a registry of ids in memory: node server.js FOLDER
"use strict";
const { randomBytes } = require("node:crypto");
const { Secp256k1Keypair } = require("@atproto/crypto");
const { PDS, envToCfg, envToSecrets } = require("@atproto/pds");
const { Database, PlcServer } = require("@did-plc/server");

async function main(folder) {
  const plc = PlcServer.create({ db: Database.mock(), port: 0 });
  const registry = await plc.start();
  const key = await Secp256k1Keypair.create({ exportable: true });
  const recovery = await Secp256k1Keypair.create();
  const env = {
    devMode: true,
    port: 0,
    hostname: "localhost",
    dataDirectory: folder,
    blobstoreDiskLocation: folder,
    recoveryDidKey: recovery.did(),
    adminPassword: randomBytes(8).toString("hex"),
    jwtSecret: randomBytes(16).toString("hex"),
    serviceHandleDomains: [".test"],
    didPlcUrl: `http://127.0.0.1:${registry.address().port}`,
    plcRotationKeyK256PrivateKeyHex: Buffer.from(await key.export()).toString("hex"),
    inviteRequired: false,
    rateLimitsEnabled: true,
    disableSsrfProtection: true,
    crawlers: [],
  };
  const pds = await PDS.create(envToCfg(env), envToSecrets(env));
  const server = await pds.start();
  console.log(`the server listens on ${server.address().port}`);
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exit(1);
});
