import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Type } from 'typebox'
import { schemaViolations } from '../../src/http/schema-violations.ts'

const CLOSED = { additionalProperties: false } as const
const SCHEMA = Type.Object(
  {
    role: Type.Enum(['auditor', 'writer']),
    expiresAt: Type.String(),
    inner: Type.Optional(Type.Object({ size: Type.Optional(Type.Integer()) }, CLOSED)),
  },
  CLOSED,
)

test('an unknown member is named, with the one that was meant', () => {
  const value = { role: 'writer', expiresAtt: '', inner: { siez: 1, wholly: 2 } }
  assert.deepEqual(schemaViolations(SCHEMA, value, 'body'), [
    { path: 'body/expiresAt', expected: 'must be there', got: 'nothing' },
    {
      path: 'body/expiresAtt',
      expected: 'one of role, expiresAt, inner',
      got: 'an unknown field',
      hint: 'did you mean expiresAt?',
    },
    { path: 'body/inner/siez', expected: 'one of size', got: 'an unknown field', hint: 'did you mean size?' },
    { path: 'body/inner/wholly', expected: 'one of size', got: 'an unknown field' },
  ])
})

test('a choice is spelt out, and a value of another type is shown', () => {
  assert.deepEqual(schemaViolations(SCHEMA, { role: ['write'], expiresAt: 7 }, ''), [
    { path: 'role', expected: 'must be one of "auditor", "writer"', got: '["write"]' },
    { path: 'expiresAt', expected: 'must be string', got: '7' },
  ])
})

test('a mistyped word of a choice is told with the one that was meant', () => {
  const hintOf = (role: string) => schemaViolations(SCHEMA, { role, expiresAt: '' }, '')[0]?.hint
  assert.equal(hintOf('wirter'), 'did you mean writer?')
  assert.equal(hintOf('Auditor'), 'did you mean auditor?')
  assert.equal(hintOf('root'), undefined)
})

test('what is not an object at all is said once', () => {
  assert.deepEqual(schemaViolations(SCHEMA, null, 'body'), [
    { path: 'body', expected: 'must be object', got: 'null' },
  ])
})

test('an unknown name is told as it was written, whatever is in it', () => {
  const [found] = schemaViolations(SCHEMA, { role: 'writer', expiresAt: '', 'a/b~1c': 1 }, 'body')
  assert.equal(found?.path, 'body/a/b~1c')
})

test('many and long unknown names stay a short answer', () => {
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, at) => [`${'x'.repeat(2000)}${at}`, 1]))
  const found = schemaViolations(SCHEMA, { role: 'writer', expiresAt: '', ...many }, 'body')
  assert.ok(found.length > 0 && found.length <= 16, `${found.length} violations`)
  assert.ok(JSON.stringify(found).length < 4096)
})
