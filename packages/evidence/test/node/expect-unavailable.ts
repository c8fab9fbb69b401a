// Asserts that something is unavailable, by its code, and hands out the error.

import assert from 'node:assert/strict'
import { Unavailable, type UnavailableCode } from '../../src/node/index.ts'

export async function unavailable(
  work: Promise<unknown>,
  code: UnavailableCode = 'endorsement-unavailable',
): Promise<Unavailable> {
  const error = await work.then(
    () => assert.fail('available'),
    (error: unknown) => error,
  )
  assert.ok(error instanceof Unavailable, String(error))
  assert.equal(error.code, code)
  return error
}
