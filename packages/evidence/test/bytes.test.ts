import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromBase64, fromSpacedBase64 } from '../src/bytes.ts'

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

test('base64 among white space is read as without it, in either alphabet, and nothing else is passed over', () => {
  const bytes = Uint8Array.from({ length: 50 }, (_, index) => 255 - index)
  for (const encoding of ['base64', 'base64url'] as const) {
    const text = Buffer.from(bytes).toString(encoding)
    const spaced = ` \t${text.replace(/.{7}/g, '$&\r\n')}\n`
    assert.deepEqual(fromSpacedBase64(spaced), bytes)
    for (const bad of ['\f', '\v', '.', '=', '\0']) {
      assert.equal(
        fromSpacedBase64(`${spaced.slice(0, 20)}${bad}${spaced.slice(20)}`),
        null,
        JSON.stringify(bad),
      )
    }
  }
})
