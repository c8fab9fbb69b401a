// Receipts: what is proved offline, and that a change to any field is noticed.
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { before, test } from 'node:test'
import * as fc from 'fast-check'
import { type Receipt, verifyExtension, verifyReceipt, verifyReceiptAgainst } from '../src/index.ts'
import { type Ledger, openLedger, SqliteLedger } from '../src/node/index.ts'
import { rejectsCode } from './expect-code.ts'
import { fill, KEY, ORIGIN, START, signingKey } from './node/fixture.ts'

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

function logWith(key = KEY, origin = ORIGIN): Promise<Ledger> {
  const database = new SqliteLedger(new DatabaseSync(':memory:'))
  return openLedger({ database, origin, signingKey: key, now: () => new Date(START) })
}

const ledger = await logWith()
const key = ledger.verifierKey
let receipt: Receipt
let older: string
before(async () => {
  await fill(ledger, 5)
  older = (await ledger.checkpoint()).note
  await ledger.append({
    type: 'release.granted',
    secret: 'default/key/alpha',
    rules: ['only-prod', 1.5, null],
  })
  await fill(ledger, 4)
  receipt = await ledger.receipt(5)
})

test('a receipt proves an entry, its place and its time', async () => {
  const verified = await verifyReceipt(JSON.parse(JSON.stringify(receipt)), { key })
  assert.deepEqual(verified.entry, receipt.entry)
  assert.equal(verified.index, 5)
  assert.deepEqual(verified.timestamp, new Date(START))
  assert.equal(verified.checkpoint.size, 10)
})

test('the order of members and white space in the file do not matter', async () => {
  const reversed = Object.fromEntries(Object.entries(receipt.entry).toReversed())
  await verifyReceipt(JSON.parse(JSON.stringify({ ...receipt, entry: reversed }, null, 4)), { key })
})

test('a receipt of every entry of a log verifies', async () => {
  for (let index = 0; index < ledger.size; index++) await verifyReceipt(await ledger.receipt(index), { key })
})

const other = base64(new Uint8Array(32).fill(7))
const CHANGES: Readonly<Record<string, (good: Receipt) => unknown>> = {
  'another entry': good => ({ ...good, entry: { ...good.entry, secret: 'default/key/beta' } }),
  'one member more in the entry': good => ({ ...good, entry: { ...good.entry, more: true } }),
  'another salt': good => ({ ...good, salt: other }),
  'another index': good => ({ ...good, index: 4 }),
  'an index beyond the checkpoint': good => ({ ...good, index: 10 }),
  'another time': good => ({ ...good, timestamp: new Date(START + 1).toISOString() }),
  'another hash in the proof': good => ({ ...good, inclusion: [other, ...good.inclusion.slice(1)] }),
  'a shorter proof': good => ({ ...good, inclusion: good.inclusion.slice(1) }),
  'a longer proof': good => ({ ...good, inclusion: [...good.inclusion, other] }),
  'the checkpoint of an earlier size': good => ({ ...good, checkpoint: older }),
}
for (const [what, change] of Object.entries(CHANGES)) {
  test(`a receipt with ${what} proves nothing`, () =>
    rejectsCode('receipt-invalid', verifyReceipt(change(receipt), { key })))
}

const without = (good: Receipt, member: keyof Receipt) => ({ ...good, [member]: undefined })

const SHAPES: Readonly<Record<string, (good: Receipt) => unknown>> = {
  'no object': () => 'receipt',
  'an array': good => [good],
  'no format': good => without(good, 'format'),
  'another format': good => ({ ...good, format: 'receipt' }),
  'no salt': good => without(good, 'salt'),
  'an unknown member': good => ({ ...good, note: 'x' }),
  'a member of the prototype': good => ({ ...good, toString: 'x' }),
  'a short salt': good => ({ ...good, salt: base64(new Uint8Array(31)) }),
  'a salt that is not base64': good => ({ ...good, salt: `${good.salt.slice(0, -2)}*=` }),
  'an entry that is an array': good => ({ ...good, entry: [] }),
  'a negative index': good => ({ ...good, index: -1 }),
  'a fractional index': good => ({ ...good, index: 5.5 }),
  'an index that is a string': good => ({ ...good, index: '5' }),
  'a time without milliseconds': good => ({ ...good, timestamp: '2026-11-22T12:00:00Z' }),
  'a time in another zone': good => ({ ...good, timestamp: '2026-11-22T13:00:00.000+01:00' }),
  'a short hash in the proof': good => ({ ...good, inclusion: [base64(new Uint8Array(31))] }),
  'a proof that is no list': good => ({ ...good, inclusion: '' }),
  'a checkpoint that is no string': good => ({ ...good, checkpoint: {} }),
}
for (const [what, change] of Object.entries(SHAPES)) {
  test(`${what} is no receipt`, () =>
    rejectsCode('receipt-malformed', verifyReceipt(change(receipt), { key })))
}

test('a receipt of a later format says so', () =>
  rejectsCode('receipt-newer', verifyReceipt({ ...receipt, format: 'casemate-receipt/2' }, { key })))

test('a receipt is not checked with another key or for another origin', async () => {
  const stranger = await logWith(signingKey(2))
  await rejectsCode('checkpoint-untrusted', verifyReceipt(receipt, { key: stranger.verifierKey }))
  const renamed = await logWith(KEY, 'other.example/log')
  await rejectsCode('checkpoint-untrusted', verifyReceipt(receipt, { key: renamed.verifierKey }))
  await rejectsCode('key-malformed', verifyReceipt(receipt, { key: 'key' }))
})

test('a receipt with a forged checkpoint is not trusted', () => {
  const checkpoint = receipt.checkpoint.replace('\n10\n', '\n11\n')
  return rejectsCode('checkpoint-untrusted', verifyReceipt({ ...receipt, checkpoint }, { key }))
})

test('no single changed character of a receipt leaves it valid with another meaning', async () => {
  const text = JSON.stringify(receipt)
  await fc.assert(
    fc.asyncProperty(fc.nat(text.length - 1), fc.integer({ min: 0x20, max: 0x7e }), async (at, code) => {
      const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1)
      if (changed === text) return
      let parsed: unknown
      try {
        parsed = JSON.parse(changed)
      } catch {
        return
      }
      await assert.rejects(verifyReceipt(parsed, { key }), { name: 'LedgerError' })
    }),
    { numRuns: 1000 },
  )
})

test('a receipt holds against an older and a newer checkpoint of the same log', async () => {
  const consistency = (await ledger.consistency(5, 10)).map(base64)
  await verifyReceiptAgainst(receipt, { checkpoint: older, consistency }, { key })
  const grown = await logWith()
  await fill(grown, 20)
  const early = await grown.receipt(3)
  await fill(grown, 13)
  const newer = (await grown.checkpoint()).note
  const proof = (await grown.consistency(20, 33)).map(base64)
  await verifyReceiptAgainst(early, { checkpoint: newer, consistency: proof }, { key })
})

test('a receipt of a forked log contradicts the checkpoint that was known', async () => {
  const fork = await logWith()
  await fill(fork, 10)
  const consistency = (await fork.consistency(5, 10)).map(base64)
  const known = { checkpoint: older, consistency }
  await rejectsCode('checkpoint-inconsistent', verifyReceiptAgainst(await fork.receipt(5), known, { key }))
})

test('checkpoints are compared in whichever order they come', async () => {
  const newer = receipt.checkpoint
  const consistency = (await ledger.consistency(5, 10)).map(base64)
  for (const [one, two] of [
    [older, newer],
    [newer, older],
  ] as const) {
    const pair = await verifyExtension(one, { checkpoint: two, consistency }, { key })
    assert.deepEqual([pair.older.size, pair.newer.size], [5, 10])
  }
  const unreadable = { checkpoint: older, consistency: ['not base64'] }
  await rejectsCode('checkpoint-inconsistent', verifyExtension(newer, unreadable, { key }))
})
