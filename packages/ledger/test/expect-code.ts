// Asserts that something fails with one stable code of the ledger.
import assert from 'node:assert/strict'
import { LedgerError, type LedgerErrorCode } from '../src/errors.ts'

const hasCode = (code: LedgerErrorCode) => (error: unknown) => {
  assert.ok(error instanceof LedgerError, `want LedgerError ${code}, got ${String(error)}`)
  assert.equal(error.code, code, error.message)
  return true
}

export function throwsCode(code: LedgerErrorCode, run: () => unknown): void {
  assert.throws(run, hasCode(code))
}

export async function rejectsCode(code: LedgerErrorCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, hasCode(code))
}
