// Sends events with a client from npm: PACKAGE PORT COUNT OPTIONS(JSON).
const [name, port, count, options] = process.argv.slice(2);

async function fluentOrg() {
  const { FluentClient } = require("@fluent-org/logger");
  const client = new FluentClient("shop", {
    socket: { host: "127.0.0.1", port: Number(port), timeout: 20000 },
    ...JSON.parse(options),
  });
  const sent = [];
  for (let n = 0; n < Number(count); n++) {
    sent.push(client.emit("orders", { level: "warn", message: `order ${n}`, n, service: "checkout" }, Date.now()));
  }
  await Promise.all(sent);
  await client.shutdown();
}

async function fluentLogger() {
  const { createFluentSender } = require("fluent-logger");
  const sender = createFluentSender("shop", { host: "127.0.0.1", port: Number(port), timeout: 20, ...JSON.parse(options) });
  sender.on("error", (error) => {
    console.error(error);
    process.exit(1);
  });
  const sent = [];
  for (let n = 0; n < Number(count); n++) {
    sent.push(
      new Promise((resolve, reject) => {
        sender.emit("orders", { level: "warn", message: `order ${n}`, n, service: "checkout" }, (error) =>
          error ? reject(error) : resolve(),
        );
      }),
    );
  }
  await Promise.all(sent);
  await new Promise((resolve) => sender.end(resolve));
}

(name === "@fluent-org/logger" ? fluentOrg : fluentLogger)().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
