// The API descriptions are made from the routes; docs/openapi.json and docs/openapi-kbs.json are their copies for readers.
// To write them again: node packages/broker/test/v1/write-openapi.ts
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { Validator } from '@seriousme/openapi-schema-validator'
import { BROKER_ERRORS, BrokerError, type BrokerErrorCode } from '../../src/errors.ts'
import { kbsAnswer } from '../../src/kbs/errors.ts'
import { liftNamed } from '../../src/openapi/named-schemas.ts'
import { ROLES } from '../../src/roles.ts'
import { openTestBroker, type TestBroker } from '../broker.ts'
import { type ApiDescription, answersOf, operationsOf } from './api-description.ts'

const DOCUMENTS = ['openapi.json', 'openapi-kbs.json'] as const

/** What is no operation: the descriptions themselves, tiles (their paths have slashes), a path's second spelling, and what refuses all others. */
const LEFT_OUT = /openapi|\/log\/tile|\/kbs\/v0\/resource\/[/*]/

const isOf = { 'openapi.json': /^\w+ \/(?!kbs)/, 'openapi-kbs.json': /^\w+ \/kbs/ } as const

for (const name of DOCUMENTS) {
  describe(`/v1/${name}`, () => {
    let broker: TestBroker
    let document: ApiDescription

    before(async () => {
      broker = await openTestBroker()
      document = (await broker.send('GET', `/v1/${name}`, { token: null })).body
    })

    after(() => broker.close())

    test(`docs/${name} is what the broker serves`, () => {
      const copy = new URL(`../../../../docs/${name}`, import.meta.url)
      const hint = 'write it again: node packages/broker/test/v1/write-openapi.ts'
      assert.deepEqual(JSON.parse(readFileSync(copy, 'utf8')), document, hint)
    })

    test('each operation for administrators names the least role that is let in', async () => {
      const tokens = await Promise.all(ROLES.map(role => broker.token(role)))
      for (const [path, operations] of Object.entries(document.paths)) {
        for (const [method, { security, summary, description }] of Object.entries(operations)) {
          const isFor = security?.some(({ administrator }) => administrator !== undefined) ?? false
          const said = /(?:\(| the )role (?<role>\w+)/.exec(`${summary} ${description}`)?.groups?.['role']
          const url = path.replaceAll(/\{\w+\}/g, '1')
          const answers = await Promise.all(
            (isFor ? tokens : []).map(token => broker.send(method.toUpperCase(), url, { token })),
          )
          const least = ROLES[answers.findIndex(({ status }) => status !== 403)]
          assert.equal(said, least, `${method} ${path}`)
        }
      }
    })

    test('it is OpenAPI 3.1 to the letter of the specification’s schema', async () => {
      const validator = new Validator()
      const { valid, errors } = await validator.validate(structuredClone(document) as never)
      assert.ok(valid, JSON.stringify(errors, null, 2))
      assert.equal(validator.version, '3.1')
    })

    test('a second validator finds nothing in it to resolve, to name or to secure', async () => {
      const config = await createConfig({ extends: ['recommended-strict'] })
      const problems = await lintFromString({ source: JSON.stringify(document), absoluteRef: name, config })
      assert.deepEqual(
        problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]),
        [],
      )
    })

    test('what has to match a pattern says in words what it has to be', () => {
      // Policies and reference values have parsers of their own, which say it better.
      const read = operationsOf(document).filter(({ path }) => !/^\/v1\/(policies|references)\//.test(path))
      const asked = read.flatMap(({ method, path, operation }) =>
        patternsWithoutWords(document, operation).map(pattern => `${method} ${path}: ${pattern}`),
      )
      assert.deepEqual(asked, [])
    })

    test('it describes every route, and only those that are served', () => {
      const described = operationsOf(document).map(({ method, path }) => `${method.toUpperCase()} ${path}`)
      const served = broker.routes
        .filter(route => isOf[name].test(route) && !LEFT_OUT.test(route) && !route.startsWith('HEAD'))
        .map(route => route.replaceAll(/:(\w+)/g, '{$1}').replace('/*', '/{name}'))
      assert.deepEqual(described.toSorted(), served.toSorted())
    })

    test('every operation has a name of its own, and says what it does and who may call it', () => {
      const operations = operationsOf(document)
      const names = operations.map(({ operation }) => operation.operationId)
      assert.equal(new Set(names).size, names.length)
      for (const { operation } of operations) {
        assert.match(operation.operationId, /^[a-z][a-zA-Z]+$/)
        assert.ok(operation.summary, operation.operationId)
        assert.ok(operation.security, operation.operationId)
      }
    })

    test('every error stands at its status, and the code is of the table', () => {
      for (const { operation } of operationsOf(document)) {
        for (const [status, { codes }] of answersOf(document, operation)) {
          for (const code of codes) {
            const { [code as BrokerErrorCode]: own } = BROKER_ERRORS
            assert.ok(own, `${operation.operationId}: ${code}`)
            const told =
              name === 'openapi.json' ? own : kbsAnswer(new BrokerError(code as BrokerErrorCode, '')).status
            assert.equal(status, told, `${operation.operationId}: ${code}`)
          }
        }
      }
    })
  })
}

test('a name is for one schema only, and a property called title names nothing', () => {
  const named = new Map<string, unknown>()
  const two = [
    { title: 'A', type: 'string' },
    { title: 'A', type: 'object' },
  ]
  assert.throws(() => liftNamed(two, named), /two schemas are called A/)
  const properties = { properties: { title: { type: 'string' }, type: { type: 'string' } }, type: 'object' }
  assert.deepEqual(liftNamed(properties, new Map()), properties)
})

/** Of what a request has: parameters and body, through the names of schemas. */
function patternsWithoutWords(document: object, operation: object): readonly string[] {
  const seen = new Set<unknown>()
  const walk = (node: unknown, words: unknown): readonly string[] => {
    if (typeof node !== 'object' || node === null || seen.has(node)) return []
    seen.add(node)
    const { $ref, pattern, description = words } = node as Readonly<Record<string, unknown>>
    const own = typeof pattern === 'string' && typeof description !== 'string' ? [pattern] : []
    const named = typeof $ref === 'string' ? walk(at(document, $ref), undefined) : []
    const below = Object.entries(node).flatMap(([name, part]) =>
      walk(part, name === 'schema' ? description : undefined),
    )
    return [...own, ...named, ...below]
  }
  return [Reflect.get(operation, 'parameters'), Reflect.get(operation, 'requestBody')].flatMap(part =>
    walk(part, undefined),
  )
}

function at(document: object, reference: string): unknown {
  const names = reference.replace('#/', '').split('/')
  return names.reduce<unknown>((node, name) => Reflect.get(Object(node), name), document)
}
