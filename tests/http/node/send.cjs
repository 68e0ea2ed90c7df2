// Sends, with an unmodified client, what tests/http/test_segment_clients.py expects: `node send.cjs MODULES '{"client": ..., ...}'`.
const { createRequire } = require("node:module");
const load = createRequire(process.argv[2] + "/");
const ask = JSON.parse(process.argv[3]);
const before = new Date(ask.before);

function everything(client) {
  const who = { userId: ask.person };
  client.identify({ ...who, anonymousId: ask.device, traits: { interests: ["sea"], shoe_size: 44 } });
  client.track({ ...who, event: "Product Viewed", properties: { product_id: "walden" } });
  client.track({ ...who, event: "Order Completed", properties: { products: [{ product_id: "we" }, { product_id: "emma" }] }, timestamp: before });
  client.track({ ...who, event: "Products Searched", properties: { query: "pond" } });
  client.page({ ...who, name: "Book Page", properties: { product_id: "kidnapped" } });
  client.screen({ ...who, name: "Settings" });
  client.group({ ...who, groupId: "readers", traits: { interests: ["golf"] } });
  client.alias({ ...who, previousId: ask.device });
}

async function segment() {
  const { Analytics } = load("@segment/analytics-node");
  const client = new Analytics({ writeKey: ask.key, host: ask.address, maxRetries: 5 });
  client.on("error", (error) => { console.error(error); process.exitCode = 1; });
  everything(client);
  await client.closeAndFlush();
}

async function rudder() {
  const module = load("@rudderstack/rudder-sdk-node");
  const Analytics = module.default || module;
  const client = new Analytics(ask.key, { dataPlaneUrl: ask.address, gzip: ask.gzip, flushAt: 100, logLevel: "error" });
  everything(client);
  await new Promise((done) => client.flush((error) => { if (error) { console.error(error); process.exitCode = 1; } done(); }));
}

({ segment, rudder })[ask.client]();
