// Asserts that a verification is refused, and hands out the Refusal.

import assert from 'node:assert/strict'
import { Refusal, type RefusalCode } from '../src/refusal.ts'

export async function refusal(work: Promise<unknown>, want = 'a refusal'): Promise<Refusal> {
  const error: unknown = await work.then(
    () => assert.fail(`accepted, want ${want}`),
    (error: unknown) => error,
  )
  assert.ok(error instanceof Refusal, String(error))
  return error
}

export async function refuses(code: RefusalCode, work: Promise<unknown>): Promise<Refusal> {
  const error = await refusal(work, code)
  assert.equal(error.code, code, error.message)
  return error
}
