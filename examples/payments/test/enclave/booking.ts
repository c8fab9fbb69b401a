// The enclave remembers: payments are decided once, debtors have a limit a day, and a journal brings both back.
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { hashLeaf, verifyInclusion } from '@casemate/ledger'
import { decodeDisclosed, encodeDisclosure } from '../../frames.ts'
import { Bank, bytes, bytesOf, newMessage, RULES, TODAY } from './fixture.ts'

const CLEAN = { debtor: 'Nordic Seeds AB', creditor: 'Alpine Bakery Ltd' }
const NEXT_DAY = TODAY + 1

function clean(change: object = {}): Uint8Array {
  return bytes(newMessage({ ...CLEAN, ...change }).replace(/<CtrlSum>.*?<\/CtrlSum>/, ''))
}

test('a payment that is sent again gets the first answer, at the first place', () => {
  const bank = new Bank()
  const [one, two] = [clean(), clean()]
  const first = bank.decide([one, two])
  const again = bank.decide([two, one, clean()])
  assert.deepEqual([again.fresh, again.items.map(item => item.isRepeated)], [1, [true, true, false]])
  assert.deepEqual([again.items[0]?.frame, again.items[0]?.leaf], [first.frame, 1])
  assert.deepEqual(again.items[1]?.head, first.items[0]?.head)
  assert.deepEqual([bank.decide([one]).frame, bank.pieces.length], [0, 2])
})

test('a payment that comes twice in one frame is decided once', () => {
  const bank = new Bank()
  const one = clean()
  const { fresh, items } = bank.decide([one, one])
  assert.deepEqual([fresh, items.map(item => item.isRepeated), items[1]?.leaf], [1, [false, true], 0])
})

test('other content under the same ids is refused, and does not replace the first', () => {
  const bank = new Bank()
  const one = clean({ amount: '10.00', currency: 'EUR' })
  const other = bytes(Buffer.from(one).toString().replaceAll('10.00', '99.00'))
  bank.decide([one])
  const refused = bank.decide([other])
  assert.deepEqual(
    [refused.items[0]?.decision, refused.items[0]?.reason, refused.fresh],
    ['REJECT', 'AM05', 1],
  )
  assert.equal(bank.decide([other]).items[0]?.isRepeated, true)
  assert.equal(bank.decide([one]).items[0]?.decision, 'ACCEPT')
})

test('a debtor’s payments of a day are accepted up to the limit, in each currency, and anew the next day', () => {
  const bank = new Bank()
  const pay = (amount: string, day = TODAY, currency = 'EUR') =>
    bank.decide([clean({ amount, currency, debtorIban: 'DE89370400440532013000' })], day).items[0]
  for (let time = 0; time < 5; time++) assert.equal(pay('999999.99')?.decision, 'ACCEPT')
  assert.equal(pay('0.06')?.reason, 'AM21')
  assert.equal(pay('0.05')?.decision, 'ACCEPT')
  assert.equal(pay('0.01')?.reason, 'AM21')
  assert.equal(pay('1.00', TODAY, 'USD')?.decision, 'ACCEPT')
  assert.equal(pay('0.01', NEXT_DAY)?.decision, 'ACCEPT')
})

test('what is held or refused uses up no limit', () => {
  const bank = new Bank()
  const debtorIban = 'DE89370400440532013000'
  const large = { amount: '1000000.00', currency: 'EUR', debtorIban }
  for (let time = 0; time < 6; time++)
    bank.decide([clean({ ...large, creditorIban: 'DE00370400440532013000' })])
  for (let time = 0; time < 5; time++) assert.equal(bank.decide([clean(large)]).items[0]?.decision, 'ACCEPT')
  assert.equal(bank.decide([clean(large)]).items[0]?.reason, 'AM21')
})

test('a new instance that has read the journal answers as the old one would', () => {
  const old = new Bank()
  const keys = bytesOf(old.enclave.call('begin')).subarray(32)
  const before = new Bank(undefined, keys)
  const messages = Array.from({ length: 40 }, () =>
    clean({ amount: '900000.00', currency: 'EUR', debtorIban: 'DE89370400440532013000' }),
  )
  const answers = [before.decide(messages.slice(0, 20)), before.decide(messages.slice(20))].flatMap(
    ({ items }) => items,
  )
  const after = new Bank(undefined, keys)
  after.replay(before.pieces)
  const again = after.decide(messages)
  assert.deepEqual(
    again.items.map(({ head, frame, leaf }) => ({ head, frame, leaf })),
    answers.map(({ head, frame, leaf }) => ({ head, frame, leaf })),
  )
  assert.equal(again.fresh, 0)
  assert.equal(
    after.decide([clean({ amount: '900000.00', currency: 'EUR', debtorIban: 'DE89370400440532013000' })])
      .items[0]?.reason,
    'AM21',
  )
})

test('a journal that has a gap, begins late or is out of order is not read', () => {
  const bank = new Bank()
  for (let frame = 0; frame < 3; frame++) bank.decide([clean()])
  const [one, two, three] = bank.pieces as [Buffer, Buffer, Buffer]
  const ORDER = 5
  const replayed = (...pieces: Buffer[]): unknown => {
    const { enclave } = new Bank()
    return pieces.map(piece => enclave.call('replay', piece)).at(-1)
  }
  assert.equal(replayed(two), ORDER)
  assert.equal(replayed(one, three), ORDER)
  assert.equal(replayed(one, one), ORDER)
  assert.notEqual(replayed(one, two, three), ORDER)
})

test('when the memory for payments is full, nothing more is decided', () => {
  const bank = new Bank()
  const most = (RULES.remembered * 3) / 4
  const FULL = /status 4/
  let decided = 0
  assert.throws(() => {
    for (let frame = 0; frame < 20; frame++) {
      bank.decide(Array.from({ length: 200 }, () => clean()))
      decided += 200
    }
  }, FULL)
  assert.ok(decided > most - 600 && decided <= most)
})

test('payments are forgotten only when nobody can send them again', () => {
  const bank = new Bank()
  const one = clean()
  bank.decide([one])
  assert.equal(bank.decide([one], TODAY + 5).items[0]?.isRepeated, true)
  const late = bank.decide([one], TODAY + 6).items[0]
  assert.deepEqual([late?.isRepeated, late?.reason], [false, 'DT01'])
})

test('every decision of a frame is in the tree whose root the answer has', async () => {
  for (const count of [1, 2, 3, 7, 64, 100]) {
    const bank = new Bank()
    const messages = Array.from({ length: count }, () => clean())
    const { items, root } = bank.decide(messages)
    const [piece = Buffer.alloc(0)] = bank.pieces
    for (const leaf of new Set([0, count >> 1, count - 1])) {
      const shown = bytesOf(bank.enclave.call('disclose', encodeDisclosure(leaf, piece)))
      const { record, salt, proof } = decodeDisclosed(shown)
      assert.deepEqual(new Uint8Array(record.subarray(0, 32)), items[leaf]?.head)
      assert.deepEqual(Buffer.from(record.subarray(32)), hash('blake2s256', messages[leaf] ?? '', 'buffer'))
      const leafHash = await hashLeaf(Buffer.concat([salt, record]))
      await verifyInclusion({ index: leaf, leafHash, proof }, { size: count, root })
    }
  }
})
