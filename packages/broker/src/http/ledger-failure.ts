// The ledger's errors as the broker answers them.

import { LedgerError, type LedgerErrorCode } from '@casemate/ledger'
import { BrokerError, type BrokerErrorCode } from '../errors.ts'

const MEANINGS: { readonly [Code in LedgerErrorCode]?: BrokerErrorCode } = {
  'entry-not-found': 'entry-missing',
  'entry-erased': 'entry-erased',
  'entry-too-large': 'request-too-large',
  'out-of-range': 'range-invalid',
  'path-malformed': 'tile-missing',
  'change-refused': 'conflict',
  'ledger-busy': 'unavailable',
  'ledger-unavailable': 'unavailable',
  'ledger-failed': 'unavailable',
  'ledger-closed': 'unavailable',
}

/** Null for what is a fault of ours. */
export function fromLedgerError(error: LedgerError): BrokerError | null {
  const code = MEANINGS[error.code]
  if (code === undefined) return null
  const { expected, got, hint, retryAfterMs } = error
  return new BrokerError(code, error.message, { expected, got, hint, retryAfterMs, cause: error })
}
