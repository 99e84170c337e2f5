// What a program does with @elastic/elasticsearch: arguments MODULES, URL, TOKEN. Prints what it found as JSON.
import { createRequire } from 'node:module'

const [modules, url, token] = process.argv.slice(2)
const require = createRequire(`${modules}/`)
const { Client } = require('@elastic/elasticsearch')

const client = new Client({ node: url, auth: { apiKey: token } })
const found = {}
found.version = (await client.info()).version.number
const document = { '@timestamp': new Date().toISOString(), message: 'from node', level: 'warn', nested: { a: [1, 2] } }
const made = await client.index({ index: 'node-app', document })
found.source = JSON.stringify(Object.entries((await client.get({ index: 'node-app', id: made._id }))._source).sort())
found.sent = JSON.stringify(Object.entries(document).sort())
const result = await client.helpers.bulk({
  datasource: Array.from({ length: 500 }, (_, n) => ({ '@timestamp': Date.now(), message: `m${n}`, n })),
  onDocument: () => ({ create: { _index: 'logs-node-default' } }),
  flushBytes: 10_000,
})
found.bulk = [result.total, result.successful, result.failed]
found.stream = (await client.indices.getDataStream({ name: 'logs-node-default' })).data_streams.length
try {
  await client.get({ index: 'node-app', id: 'none' })
} catch (error) {
  found.missing = [error.statusCode, error.body.found]
}
await client.update({ index: 'node-app', id: 'x', doc: { n: 1 }, doc_as_upsert: true })
await client.update({ index: 'node-app', id: 'x', doc: { m: 2 } })
found.updated = (await client.get({ index: 'node-app', id: 'x' }))._source
console.log(JSON.stringify(found))
