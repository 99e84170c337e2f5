// Sends COUNT lines with winston-loki: URL TOKEN COUNT json|protobuf.
const [url, token, count, format] = process.argv.slice(2);
const winston = require("winston");
const LokiTransport = require("winston-loki");

let failed;
const transport = new LokiTransport({
  host: url,
  basicAuth: `winston:${token}`,
  labels: { app: "winston-shop" },
  json: format === "json",
  interval: 1,
  gracefulShutdown: false,
  onConnectionError: (error) => {
    failed = error;
  },
});
const logger = winston.createLogger({ level: "debug", transports: [transport] });
for (let n = 0; n < Number(count); n++) {
  logger.warn({ message: `order ${n}`, labels: { region: "tokyo" }, n });
}
transport.flush().then(
  () => process.exit(failed ? 1 : 0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
