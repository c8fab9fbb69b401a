// The API description is made from the routes; docs/openapi.json is its copy for readers.
// To write it again: node packages/broker/test/v1/write-openapi.ts
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { openTestBroker, type TestBroker } from '../broker.ts'

const COPY = new URL('../../../../docs/openapi.json', import.meta.url)

interface Operation {
  readonly summary?: string
  readonly security?: unknown
  readonly responses: Record<string, { content?: Record<string, unknown> }>
}

describe('/v1/openapi.json', () => {
  let broker: TestBroker
  let document: { openapi: string; paths: Record<string, Record<string, Operation>> }

  before(async () => {
    broker = await openTestBroker()
    document = (await broker.send('GET', '/v1/openapi.json', { token: null })).body
  })

  after(() => broker.close())

  test('docs/openapi.json is what the broker serves', () => {
    const hint = 'write it again: node packages/broker/test/v1/write-openapi.ts'
    assert.deepEqual(JSON.parse(readFileSync(COPY, 'utf8')), document, hint)
  })

  test('it describes every route of /v1, and nothing of the KBS protocol', () => {
    assert.equal(document.openapi, '3.1.0')
    const described = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map(
        method => `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
      ),
    )
    const served = broker.routes.filter(route => /^\w+ \/(v1\/(?!openapi)|\.well-known)/.test(route))
    assert.deepEqual(described.toSorted(), served.toSorted())
  })

  test('every operation says what it does, what it answers and who may call it', () => {
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(operations)) {
        assert.ok(operation.summary, `${method} ${path}`)
        assert.ok(operation.responses['default'], `${method} ${path}`)
        const isPublic = /jwks|info|ledger\/key/.test(path)
        assert.equal(operation.security === undefined, isPublic, `${method} ${path}`)
      }
    }
  })

  test('it has no plain reference outside itself', () => {
    const references = JSON.stringify(document).match(/"\$ref":"[^"]*"/g) ?? []
    for (const reference of references) assert.match(reference, /"#/)
  })
})
