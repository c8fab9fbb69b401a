// Writes docs/openapi.json from the routes. Run it after a change to them; the test next to it compares.
import { mkdirSync, writeFileSync } from 'node:fs'
import { openTestBroker } from '../broker.ts'

const broker = await openTestBroker()
const { body } = await broker.send('GET', '/v1/openapi.json', { token: null })
const docs = new URL('../../../../docs/', import.meta.url)
mkdirSync(docs, { recursive: true })
writeFileSync(new URL('openapi.json', docs), `${JSON.stringify(body, null, 2)}\n`)
await broker.close()
