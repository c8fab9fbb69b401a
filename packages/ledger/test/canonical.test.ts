// Canonical JSON against RFC 8785's own example and another implementation of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import canonicalize from 'canonicalize'
import * as fc from 'fast-check'
import { canonicalJson, type JsonObject } from '../src/index.ts'
import { throwsCode } from './expect-code.ts'

test('the sample of RFC 8785 section 3.2.2 is written as the RFC says', () => {
  const sample = JSON.parse(`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/",
    "literals": [null, true, false]
  }`) as JsonObject
  assert.equal(
    canonicalJson(sample),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
})

const objects = fc.dictionary(
  fc.string({ unit: 'grapheme' }),
  fc.jsonValue({ maxDepth: 4, stringUnit: 'grapheme' }),
) as fc.Arbitrary<JsonObject>

test('any object is written as another implementation of RFC 8785 writes it', () => {
  fc.assert(fc.property(objects, value => assert.equal(canonicalJson(value), canonicalize(value))))
})

test('what was written, read and written again is the same', () => {
  fc.assert(
    fc.property(objects, value => {
      const written = canonicalJson(value)
      assert.equal(canonicalJson(JSON.parse(written) as JsonObject), written)
    }),
  )
})

const cycle: Record<string, unknown> = {}
cycle['self'] = cycle
const NOT_JSON: Readonly<Record<string, unknown>> = {
  'an array': [],
  null: null,
  'a string': 'x',
  'an undefined member': { a: undefined },
  'a hole in an array': { a: Array(1) },
  'not a number': { a: Number.NaN },
  infinity: { a: Number.POSITIVE_INFINITY },
  'a big integer': { a: 1n },
  'a date': { a: new Date(0) },
  bytes: { a: new Uint8Array(1) },
  'a map': new Map(),
  'a function': { a: () => 1 },
  'a lone surrogate': { a: '\ud800' },
  'a lone surrogate in a name': { '\udc00': 1 },
  'a cycle': cycle,
}
for (const [what, value] of Object.entries(NOT_JSON)) {
  test(`${what} is refused, not coerced`, () =>
    throwsCode('entry-invalid', () => canonicalJson(value as JsonObject)))
}

test('what is refused is named by its place', () => {
  const value = { a: [{ ok: 1 }, { 'b c': [0, { d: Number.NaN }] }], z: 'x' }
  throwsCode('entry-invalid', () => canonicalJson(value))
  assert.throws(() => canonicalJson(value), { message: '$.a[1].b c[1].d is NaN, want a finite number' })
})

test('32 levels are written and 33 refused', () => {
  const nested = (levels: number): JsonObject => (levels === 1 ? {} : { n: nested(levels - 1) })
  assert.equal(canonicalJson(nested(32)), JSON.stringify(nested(32)))
  throwsCode('entry-invalid', () => canonicalJson(nested(33)))
})
