// The enclave's decisions against the reference's: on messages of every kind, broken, unusual and wrong ones among them.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readSanctions } from '../../owner.ts'
import { BROKEN, UNUSUAL, WRONG } from '../generate/faults.ts'
import { listedNames } from '../generate/inputs.ts'
import { message, payment } from '../generate/messages.ts'
import { Random } from '../generate/random.ts'
import { ReferenceDecider } from '../reference/decide.ts'
import { referenceSettings } from '../reference/settings.ts'
import { DECIDERS, decideTwice } from './comparing.ts'
import { Bank, DATA, DATE, newMessage, RULES, referenceList, SANCTIONS } from './fixture.ts'

for (const [what, change] of Object.entries(BROKEN)) {
  test(`a message with ${what} is refused as malformed`, () => {
    const original = newMessage()
    const changed = change(original, new Random(1))
    assert.notEqual(changed, original)
    const [[answer] = []] = decideTwice([changed])
    assert.equal(answer?.reason, 'FF01')
    assert.equal(answer?.payment, null)
  })
}

for (const [what, change] of Object.entries(UNUSUAL)) {
  test(`a message with ${what} is decided as any other`, () => {
    const original = newMessage({ creditor: 'Alpine Bakery Ltd', debtor: 'Nordic Seeds AB' })
    const changed = change(original, new Random(1))
    assert.notEqual(changed, original)
    const [[answer] = []] = decideTwice([changed])
    assert.equal(answer?.decision, 'ACCEPT')
  })
}

for (const [what, [reason, change]] of Object.entries(WRONG)) {
  test(`a message with ${what} is refused with ${reason}`, () => {
    const original = newMessage({ creditor: 'Alpine Bakery Ltd', debtor: 'Nordic Seeds AB' })
    // The sums would be wrong first.
    const plain = original.replace(/<CtrlSum>.*?<\/CtrlSum>/, '')
    const changed = change(plain, new Random(1))
    assert.notEqual(changed, plain)
    const [[answer] = []] = decideTwice([changed])
    assert.deepEqual([answer?.decision, answer?.reason], ['REJECT', reason])
  })
}

test('many messages of one payment and of several are decided as the reference decides them', () => {
  const random = new Random(5)
  const names = listedNames(SANCTIONS)
  const messages = Array.from({ length: 120 }, (_, index) => {
    const payments = Array.from({ length: index % 5 === 0 ? 1 + random.below(5) : 1 }, () => {
      const item = payment(random)
      return index % 3 === 0 ? { ...item, debtor: random.pick(names).name } : item
    })
    return message(random, { date: DATE, messageId: `many${index}`, payments })
  })
  const answers = decideTwice(messages).flat()
  const decisions = new Set(answers.map(({ decision }) => decision))
  assert.ok(decisions.has('ACCEPT') && decisions.has('HOLD'))
})

test('of equal hits the first in the message is told', () => {
  const [{ name } = { name: '' }] = listedNames(SANCTIONS)
  const [[both] = [], [second] = []] = decideTwice([
    newMessage({ debtor: name, creditor: name }),
    newMessage({ debtor: 'Nordic Seeds AB', creditor: name }),
  ])
  assert.deepEqual([both?.role, second?.role], ['dbtr', 'cdtr'])
})

test('random damage to a message never stops the enclave', () => {
  const random = new Random(6)
  const messages = Array.from({ length: 400 }, () => {
    const damaged = Buffer.from(newMessage())
    for (let times = 1 + random.below(3); times > 0; times--)
      damaged[random.below(damaged.length)] = random.below(256)
    return random.chance(0.2) ? damaged.subarray(0, random.below(damaged.length)) : damaged
  })
  const { items } = DECIDERS.bank.decide(messages)
  assert.equal(new Set(items.map(item => item.message)).size, messages.length)
})

const hasData = existsSync(DATA)
const skip = hasData ? false : 'no real data: set CASEMATE_DATA'

test('the real messages and list give what the reference gives', { skip }, () => {
  const sanctions = readSanctions(DATA)
  const real = {
    bank: new Bank(sanctions),
    reference: new ReferenceDecider(referenceList(sanctions), referenceSettings(RULES)),
  }
  const day = Date.parse('2018-08-01T00:00:00Z') / 86_400_000
  const read = (name: string): string => readFileSync(join(DATA, name), 'utf8')
  const original = read('pacs.008.001.07.xml')
  const consistent = original
    .replace('<CtrlSum>10000', '<CtrlSum>5000')
    .replace("'USD'>10000", "'USD'>5000")
    .replace(/<IntrBkSttlmDt>2018-08-28<\/IntrBkSttlmDt>/, '')
  const listed = (from: string, to: string): string =>
    consistent.replace(from, to).replace('123452342', to.slice(0, 8))
  const answers = decideTwice(
    [
      original,
      read('pacs.009.001.07.xml'),
      consistent,
      listed('Mike Smith', 'Aiman Zawahiri'),
      listed('JOHN DOE', 'Аль-Завахири Айман'),
      listed('USTBUS31XXX', 'SIIBSYDAXXX'),
    ],
    real,
    day,
  ).flat()
  assert.deepEqual(
    answers.map(({ decision, reason, listId }) => [decision, reason, listId]),
    [
      ['REJECT', 'AM10', 0],
      ['REJECT', 'FF01', 0],
      ['ACCEPT', null, 0],
      ['HOLD', 'RR04', 2676],
      ['HOLD', 'RR04', 2676],
      ['HOLD', 'RR04', 13122],
    ],
  )
})
