// Asserts that something fails with one stable code of the enclave room.
import assert from 'node:assert/strict'
import { EnclaveError, type EnclaveErrorCode } from '../src/errors.ts'

const hasCode = (code: EnclaveErrorCode) => (error: unknown) => {
  assert.ok(error instanceof EnclaveError, `want EnclaveError ${code}, got ${String(error)}`)
  assert.equal(error.code, code, error.message)
  return true
}

export function throwsCode(code: EnclaveErrorCode, run: () => unknown): void {
  assert.throws(run, hasCode(code))
}

export async function rejectsCode(code: EnclaveErrorCode, promise: Promise<unknown>): Promise<void> {
  await assert.rejects(promise, hasCode(code))
}
