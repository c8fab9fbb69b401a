// What a command finds in its environment.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inheritedBy, textFor } from '../../src/command/environment.ts'

test('what is Casemate’s own is not passed on', () => {
  const env = {
    PATH: '/bin',
    CASEMATE_TOKEN: 'cmt_x',
    CASEMATE_KEK_PASSPHRASE: 'y',
    EMPTY: '',
    GONE: undefined,
  }
  assert.deepEqual(inheritedBy(env), { PATH: '/bin', EMPTY: '' })
})

test('a variable holds text to the last octet, and nothing else', () => {
  const text = '\uFEFFpa$$ wörd\n'
  assert.equal(textFor('X', new TextEncoder().encode(text)), text)
  for (const octets of [[0xff], [65, 0, 66]]) {
    assert.throws(() => textFor('X', new Uint8Array(octets)), { code: 'secret-not-text' })
  }
  assert.throws(() => textFor('X', new Uint8Array(128 * 1024).fill(65)), { code: 'secret-not-text' })
})
