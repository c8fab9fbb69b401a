// Ciphertexts beside the attested channel: nothing else leaves it, and what an attacker does to them comes to nothing.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as fc from 'fast-check'
import { Ciphertexts } from '../../src/enclave/ciphertexts.ts'
import { partsOfSealed } from '../../src/enclave/sealed-call.ts'
import { itemsOf } from '../../src/enclave/wire.ts'
import { rejectsCode } from '../fixtures.ts'
import {
  announcement,
  dataSocket,
  FIRST,
  ONE,
  offering,
  plain,
  rawClient,
  SECOND,
  sealed,
  TWO,
} from './sealed-fixtures.ts'

test('ciphertexts meet their headers again, wherever the stream is cut and whenever they are announced', () => {
  const input = fc.record({
    plaintexts: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
    cuts: fc.array(fc.nat(200), { maxLength: 30 }),
    announcedFirst: fc.nat(6),
  })
  fc.assert(
    fc.property(input, ({ plaintexts, cuts, announcedFirst }) => {
      const blobs = plaintexts.map(sealed)
      const seen: Uint8Array[] = []
      const ciphertexts = new Ciphertexts(({ payload }) => seen.push(plain(payload)))
      const announce = (blob: Uint8Array): void => {
        const { header, tag, ciphertext } = partsOfSealed(blob)
        ciphertexts.announce({ id: 1, name: '', header, tag, ciphertextSize: ciphertext.length })
      }
      for (const blob of blobs.slice(0, announcedFirst)) announce(blob)
      let early: Uint8Array = new Uint8Array()
      let rest = Buffer.concat(blobs.map(blob => partsOfSealed(blob).ciphertext))
      for (const cut of [...cuts, rest.length]) {
        early = ciphertexts.push(Buffer.concat([early, rest.subarray(0, cut)]))
        rest = rest.subarray(cut)
      }
      for (const blob of blobs.slice(announcedFirst)) {
        announce(blob)
        early = ciphertexts.push(early)
      }
      assert.equal(early.length, 0)
      assert.deepEqual(seen, blobs)
    }),
    { numRuns: 200 },
  )
})

test('on the wire is the ciphertext alone: the key id, the header and the tag stay within the channel', async t => {
  const { client, data, ticket, announced, closeSession } = await offering(t)
  const blob = sealed(randomBytes(5_000))
  const lost = rejectsCode('connection-lost', client.callSealed('open', blob))
  const taken: Buffer[] = []
  const socket = await data
  socket.on('data', (chunk: Buffer) => taken.push(chunk))
  while (Buffer.concat(taken).length < ticket.length + 5_000 || announced.length === 0) await sleep(5)
  const { header, ciphertext, tag } = partsOfSealed(blob)
  assert.deepEqual(Buffer.concat(taken), Buffer.concat([ticket, ciphertext]))
  const announcedParts = Buffer.concat(itemsOf(announced[0]!))
  assert.deepEqual(announcedParts.subarray(0, -4), Buffer.concat([header, tag]))
  await closeSession()
  await lost
})

const REFUSED = 'seal-mac-mismatch'

for (const [what, bytes, answers] of [
  ['as they were sent, before they are announced', [FIRST, SECOND], ['one', 'two']],
  ['changed', [FIRST.map((byte, at) => (at === 0 ? byte ^ 1 : byte)), SECOND], [REFUSED, 'two']],
  ['in another order', [SECOND, FIRST], [REFUSED, REFUSED]],
  ['sent again in place of the next', [FIRST, FIRST], ['one', REFUSED]],
  ['with a byte more between them', [FIRST, [0], SECOND], ['one', REFUSED]],
  ['with a byte less', [FIRST.subarray(1), SECOND, [0]], [REFUSED, REFUSED]],
  ['of another session', [partsOfSealed(sealed(Buffer.from('one'))).ciphertext, SECOND], [REFUSED, 'two']],
] as const) {
  test(`ciphertexts ${what}: ${answers.join(', ')}`, async t => {
    assert.deepEqual(
      await answersTo(t, [ONE, TWO], Buffer.concat(bytes.map(part => Buffer.from(part)))),
      answers,
    )
  })
}

/** Announces blobs, and puts these bytes on the data connection: the answers. */
async function answersTo(t: TestContext, blobs: readonly Uint8Array[], bytes: Uint8Array): Promise<string[]> {
  const { socket, port, ticket, answer } = await rawClient(t)
  const data = await dataSocket(t, port)
  data.write(Buffer.concat([ticket, bytes]))
  const answers: string[] = []
  for (const blob of blobs) {
    socket.write(announcement(blob))
    answers.push(String(await answer()))
  }
  socket.destroy()
  return answers
}
