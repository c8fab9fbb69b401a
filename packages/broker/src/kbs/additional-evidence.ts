// `additional_evidence`: what a guest sends beside its own evidence, a JSON object by class of device. The one class that
// is read here is the enclave that the guest runs; the text is hashed into the report as it is.

import { ENCLAVE_CLASS } from '@casemate/evidence'
import { BrokerError } from '../errors.ts'

/** Longest text that can be a statement, with room for the refusal of a malformed one to say so. */
const MAX_STATEMENT_CHARS = 8192

/**
 * The statement of an enclave, null where there are no devices. Device evidence that nobody verifies must not look as if
 * somebody had. Guests without devices send the empty string or an empty map, exactly.
 * @throws {BrokerError} `device-evidence-unsupported`
 */
export function readStatement(additionalEvidence: string): string | null {
  if (additionalEvidence === '' || additionalEvidence === '{}') return null
  if (isOfOneEnclave(additionalEvidence)) return additionalEvidence
  throw new BrokerError(
    'device-evidence-unsupported',
    `of additional_evidence only the class ${ENCLAVE_CLASS} is verified here; send it alone, or send nothing`,
  )
}

function isOfOneEnclave(text: string): boolean {
  if (text.length > MAX_STATEMENT_CHARS) return false
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
    const classes = Object.keys(value)
    return classes.length === 1 && classes[0] === ENCLAVE_CLASS
  } catch {
    return false
  }
}
