// Loggers of Node, timed from outside: reads "NAME COUNT" from standard input, writes that many records to a
// file, and answers with a line when the last of them is written.
import { createInterface } from "node:readline";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import pino from "pino";
import winston from "winston";

const [folder] = process.argv.slice(2);
const BOUND = {
  service: "shop",
  component: "orders",
  userId: "u-4711",
  sessionId: "s-0815",
  requestId: "3f2a9c1e5b7d4f60",
  ipAddress: "203.0.113.9",
  userAgent: "Mozilla/5.0 (X11; Linux x86_64)",
};
const SECRETS = ["password", "token", "authorization", "cookie", "secret"].flatMap((name) => [name, `metadata.${name}`]);

const record = (number) => ({ operation: "POST /orders", metadata: { order_id: number, total: 3800, items: ["a", "b"] } });

const plainPino = pino(
  {
    base: null,
    messageKey: "message",
    timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
    formatters: { level: (level) => ({ level }) },
    redact: SECRETS,
  },
  pino.destination({ dest: join(folder, "pino.log"), sync: true }),
).child(BOUND);

const LOGGERS = {
  pino(count) {
    for (let number = 0; number < count; number += 1) plainPino.info(record(number), "order placed");
  },
  winston(count) {
    const stream = createWriteStream(join(folder, "winston.log"), { flags: "a" });
    const logger = winston.createLogger({
      level: "info",
      defaultMeta: BOUND,
      format: winston.format.combine(winston.format.timestamp(), winston.format.json()),
      transports: [new winston.transports.Stream({ stream })],
    });
    for (let number = 0; number < count; number += 1) logger.info("order placed", record(number));
    return new Promise((resolve) => {
      logger.on("finish", () => stream.end(resolve));
      logger.end();
    });
  },
};

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const [name, count] = line.split(" ");
  await LOGGERS[name](Number(count));
  console.log("done");
}
