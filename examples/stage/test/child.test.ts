// A party ends with its use: one that were left would keep the example's own process from ending.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Party, withParty } from '../child.ts'

const PROGRAM = new URL('./echo-party.ts', import.meta.url)

test('a party is ended when it was used', async () => {
  const party = await withParty<{ word: string }, Party<{ word: string }>>(
    PROGRAM,
    { word: 'here' },
    async it => it,
  )
  assert.equal(party.ready.word, 'here')
  assert.throws(() => process.kill(party.pid, 0), { code: 'ESRCH' })
})

test('a party is ended also when its use fails', async () => {
  let pid = 0
  const use = async (party: Party<object>): Promise<never> => {
    pid = party.pid
    throw new RangeError('lost')
  }
  await assert.rejects(withParty(PROGRAM, {}, use), RangeError)
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})
