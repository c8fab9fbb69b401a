import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromBase64 } from '../src/bytes.ts'

test('base64 is read padded or not, in either alphabet', () => {
  for (const text of ['+/8=', '-_8=', '-_8', 'AA==', 'AA', 'AAAA', '']) {
    const bytes = fromBase64(text)
    assert.deepEqual(bytes && Buffer.from(bytes), Buffer.from(text, 'base64'), text)
  }
})

test('base64 with the wrong padding, white space or other characters is refused', () => {
  for (const text of ['AAA==', 'AAAA=', 'AAAA==', '=', 'A', 'AA=', 'A A', 'AA\n', 'AA!=', 'A=A=']) {
    assert.equal(fromBase64(text), null, JSON.stringify(text))
  }
})
