// The search for keys finds what it must, so that finding nothing means something.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { findKey, patternsOf } from './key-search.ts'

const KEY = Buffer.from('00f1e2d3c4b5a69788796a5b4c3d2e1f0f1e2d3c4b5a69788796a5b4c3d2e1f0', 'hex')
const PATTERNS = patternsOf(KEY)

const ENCODINGS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  raw: bytes => bytes,
  hex: bytes => Buffer.from(bytes.toString('hex')),
  'HEX in capitals': bytes => Buffer.from(bytes.toString('hex').toUpperCase()),
  base64: bytes => Buffer.from(bytes.toString('base64')),
  base64url: bytes => Buffer.from(bytes.toString('base64url')),
  'JSON of a Buffer': bytes => Buffer.from(JSON.stringify(bytes)),
}

test('the key is found in any encoding, amid anything, whole or as any sixteen bytes of it', () => {
  const anything = fc.uint8Array({ maxLength: 200 })
  const encoding = fc.constantFrom(...Object.keys(ENCODINGS))
  const from = fc.integer({ min: 0, max: 16 })
  fc.assert(
    fc.property(anything, anything, encoding, from, (before, after, name, at) => {
      const parts = [before, KEY.subarray(at, at + 16), after]
      assert.ok(findKey(ENCODINGS[name]!(Buffer.concat(parts)), PATTERNS), name)
    }),
    { numRuns: 500 },
  )
})

test('nothing is found where the key is not', () => {
  const bytes = randomBytes(1_000_000)
  for (const [name, encode] of Object.entries(ENCODINGS))
    assert.equal(findKey(encode(bytes), PATTERNS), null, name)
})
