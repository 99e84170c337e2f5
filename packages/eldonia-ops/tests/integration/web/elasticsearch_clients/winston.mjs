// The seed's logger: winston with winston-elasticsearch. Arguments MODULES, URL, TOKEN.
import { createRequire } from 'node:module'

const [modules, url, token] = process.argv.slice(2)
const require = createRequire(`${modules}/`)
const winston = require('winston')
const { ElasticsearchTransport } = require('winston-elasticsearch')

const transport = new ElasticsearchTransport({
  level: 'info',
  clientOpts: { node: url, auth: { apiKey: token } },
  indexPrefix: 'eldonia-logs',
  flushInterval: 200,
})
const failures = []
transport.on('error', (error) => failures.push(String(error)))
const logger = winston.createLogger({ level: 'info', transports: [transport] })
logger.on('error', (error) => failures.push(String(error)))
for (let n = 0; n < 50; n += 1) {
  logger.log(n % 10 ? 'info' : 'error', `order ${n}`, { service: 'shop', userId: `u${n}`, duration: n / 2 })
}
await transport.flush()
await new Promise((done) => setTimeout(done, 1500))
await transport.flush()
console.log(JSON.stringify({ failures }))
process.exit(0)
