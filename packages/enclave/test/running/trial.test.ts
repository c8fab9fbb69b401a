// Compilation apart: what it takes is limited, whatever becomes of it is a refusal, and the same code is tried once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TRIAL_LIMITS, tryCompiling } from '../../src/running/trial.ts'
import { rejectsCode } from '../expect-code.ts'
import { GOOD, repeat, withBody } from '../image/hostile.ts'

/** The good module with a data section that makes it another one. */
const other = (number: number): Uint8Array => Uint8Array.from([...GOOD, 0, 2, 1, number])
const isLinux = process.platform === 'linux'

/** Many loops, with many locals at the head of each. */
const SLOW = withBody([1, 200, 1, 0x7f], repeat([0x03, 0x40, 0x20, 0, 0x0d, 0, 0x0b], 50_000))

test('good code is accepted, and then again without a process', async () => {
  await tryCompiling(other(1))
  await tryCompiling(other(1), { ...TRIAL_LIMITS, wallMs: 1 })
})

test('code that the engine refuses is refused with what it says', () =>
  assert.rejects(tryCompiling(withBody([0], [0x1a])), {
    code: 'invalid-code',
    message: /not enough arguments/,
  }))

test('code that takes longer by the clock than it may is refused', () =>
  rejectsCode('limit-exceeded', tryCompiling(SLOW, { ...TRIAL_LIMITS, wallMs: 10 })))

test('code that takes more memory than it may is refused', { skip: !isLinux }, () =>
  rejectsCode('limit-exceeded', tryCompiling(SLOW, { ...TRIAL_LIMITS, memoryMb: 700 })),
)

test('code that takes more of the processor than it may is refused', { skip: !isLinux }, () =>
  rejectsCode('limit-exceeded', tryCompiling(SLOW, { ...TRIAL_LIMITS, cpuSeconds: 0 })),
)

test('what was refused is tried again', async () => {
  await rejectsCode('limit-exceeded', tryCompiling(other(2), { ...TRIAL_LIMITS, wallMs: 1 }))
  await tryCompiling(other(2))
})
