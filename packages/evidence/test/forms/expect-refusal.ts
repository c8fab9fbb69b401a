// Asserts that bytes are recognised as no evidence, by the code and the message, and hands out the Refusal.

import assert from 'node:assert/strict'
import { recognise } from '../../src/recognise.ts'
import { Refusal, type RefusalCode } from '../../src/refusal.ts'

export function refuses(code: RefusalCode, bytes: Uint8Array, message: RegExp): Refusal {
  try {
    recognise(bytes)
  } catch (error) {
    assert.ok(error instanceof Refusal, String(error))
    assert.match(`${error.message}; got ${error.got}`, message)
    assert.equal(error.code, code)
    return error
  }
  return assert.fail(`recognised, want ${message}`)
}
