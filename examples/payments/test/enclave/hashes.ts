// The enclave's hashes against OpenSSL's and the authors' vectors.
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { EXAMINED, EXAMINED_DIGEST_AT, HASH } from '../../assembly/wire.ts'
import { Bank, bytesOf } from './fixture.ts'

test('digests are BLAKE2s-256 for every length, whatever lengths are beside it', () => {
  const bank = new Bank()
  const messages = Array.from({ length: 300 }, (_, index) => Buffer.alloc((index * 37) % 300, index))
  const records = bank.examine(messages)
  for (const [index, message] of messages.entries()) {
    assert.deepEqual(
      records.subarray(index * EXAMINED + EXAMINED_DIGEST_AT, index * EXAMINED + EXAMINED_DIGEST_AT + HASH),
      hash('blake2s256', message, 'buffer'),
    )
  }
})

test('keyed hashes are SipHash-2-4-128', () => {
  const { enclave } = new Bank()
  const key = Buffer.from(Array.from({ length: 16 }, (_, index) => index))
  const input = Buffer.from(Array.from({ length: 15 }, (_, index) => index))
  const shown = (length: number): string =>
    bytesOf(enclave.call('siphash', Buffer.concat([key, input.subarray(0, length)]))).toString('hex')
  // Of the reference implementation, vectors_sip128.
  assert.equal(shown(0), 'a3817f04ba25a8e66df67214c7550293')
  assert.equal(shown(1), 'da87c1d86b99af44347659119b22fc45')
  assert.equal(shown(8), '3b62a9ba6258f5610f83e264f31497b4')
  assert.equal(shown(15), '5493e99933b0a8117e08ec0f97cfc3d9')
})
