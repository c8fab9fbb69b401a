// An enclave that opens what was sealed for it, and answers with it.
import { fail, unseal } from 'casemate'

export function open(sealed: Uint8Array): Uint8Array {
  const opened = unseal(sealed)
  return opened.status == 0 ? opened.plaintext : fail(opened.status)
}
