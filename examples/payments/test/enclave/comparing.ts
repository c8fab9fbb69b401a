// Messages decided by the enclave and by the reference, which must say the same.
import assert from 'node:assert/strict'
import type { Answer } from '../../frames.ts'
import { type Answer as Expected, ReferenceDecider } from '../reference/decide.ts'
import { referenceSettings } from '../reference/settings.ts'
import { Bank, bytes, RULES, referenceList, SANCTIONS, TODAY } from './fixture.ts'

/** Both remember what they have decided. */
export interface Deciders {
  readonly bank: Bank
  readonly reference: ReferenceDecider
}

export const DECIDERS: Deciders = {
  bank: new Bank(),
  reference: new ReferenceDecider(referenceList(SANCTIONS), referenceSettings(RULES)),
}

function shown({ decision, reason, score, listId, role, payment }: Answer | Expected): Expected {
  return { decision, reason, score, listId, role, payment }
}

/** The answers of each message. */
export function decideTwice(
  messages: readonly (string | Uint8Array)[],
  { bank, reference }: Deciders = DECIDERS,
  day = TODAY,
): Answer[][] {
  const all = messages.map(message => (typeof message === 'string' ? bytes(message) : message))
  const { items } = bank.decide(all, day)
  return all.map((message, index) => {
    const answers = items.filter(item => item.message === index)
    const expected = reference.decide(message, day).map(shown)
    assert.deepEqual(answers.map(shown), expected, Buffer.from(message).toString())
    return answers
  })
}
