// Says which of the documents on stdin, {method: [document, ...]}, the published lexicons do not take.
"use strict";
const { lexicons, jsonToLex } = require("@atproto/api");

const given = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const wrong = [];
for (const [method, documents] of Object.entries(given)) {
  for (const document of documents) {
    try {
      lexicons.assertValidXrpcOutput(method, jsonToLex(document));
    } catch (error) {
      wrong.push(`${method}: ${error.message}`);
    }
  }
}
console.log(JSON.stringify(wrong));
