// How a program searches with @elastic/elasticsearch: arguments MODULES, URL, TOKEN. Prints what it found as JSON.
import { createRequire } from 'node:module'

const [modules, url, token] = process.argv.slice(2)
const { Client } = createRequire(`${modules}/`)('@elastic/elasticsearch')
const client = new Client({ node: url, auth: { apiKey: token } })
const index = 'node-searched'
await client.helpers.bulk({
  datasource: Array.from({ length: 120 }, (_, n) => ({ '@timestamp': 1796000000000 + 1000 * n, message: `order ${n}`, service: `s${n % 3}` })),
  onDocument: (one) => ({ index: { _index: index, _id: one.message } }),
})
const found = {}
const page = await client.search({
  index, size: 2, query: { query_string: { query: 'service:s1 AND order' } }, sort: [{ '@timestamp': 'desc' }],
  aggs: { s: { terms: { field: 'service.keyword', order: { _key: 'asc' } } } },
})
found.total = page.hits.total.value
found.ids = page.hits.hits.map((hit) => hit._id)
found.buckets = page.aggregations.s.buckets
found.scrolled = 0
for await (const _ of client.helpers.scrollDocuments({ index, size: 50, query: { match_all: {} } })) found.scrolled++
const point = await client.openPointInTime({ index, keep_alive: '1m' })
let after
found.seen = 0
for (;;) {
  const sort = [{ '@timestamp': { order: 'desc', numeric_type: 'date_nanos', format: 'strict_date_optional_time_nanos' } }]
  const next = await client.search({ pit: { id: point.id, keep_alive: '1m' }, size: 50, sort, search_after: after })
  if (!next.hits.hits.length) break
  found.seen += next.hits.hits.length
  after = next.hits.hits.at(-1).sort
}
found.closed = (await client.closePointInTime({ id: point.id })).succeeded
console.log(JSON.stringify(found))
