// Writes docs/openapi.json and docs/openapi-kbs.json from the routes. Run it after a change to them; the test next to it
// compares.
import { mkdirSync, writeFileSync } from 'node:fs'
import { openTestBroker } from '../broker.ts'

const broker = await openTestBroker()
const docs = new URL('../../../../docs/', import.meta.url)
mkdirSync(docs, { recursive: true })
for (const name of ['openapi.json', 'openapi-kbs.json']) {
  const { body } = await broker.send('GET', `/v1/${name}`, { token: null })
  writeFileSync(new URL(name, docs), `${JSON.stringify(body, null, 2)}\n`)
}
await broker.close()
