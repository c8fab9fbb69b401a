// Errors between processes: those with a code are again what they were, so that whoever handles them need not know where they
// are from. What caused them stays where it was.

import { LedgerError, type LedgerErrorCode, type LedgerErrorDetail } from '@casemate/ledger'
import {
  BrokerError,
  type BrokerErrorCode,
  type BrokerErrorDetail,
  StartError,
  type StartErrorCode,
} from '../../errors.ts'

export type CarriedError =
  | {
      readonly kind: 'broker'
      readonly code: BrokerErrorCode
      readonly message: string
      readonly detail: BrokerErrorDetail
    }
  | {
      readonly kind: 'start'
      readonly code: StartErrorCode
      readonly message: string
      readonly hint: string | undefined
    }
  | {
      readonly kind: 'ledger'
      readonly code: LedgerErrorCode
      readonly message: string
      readonly detail: LedgerErrorDetail
    }
  | {
      readonly kind: 'other'
      readonly name: string
      readonly message: string
      readonly stack: string | undefined
      readonly code: string | undefined
    }

export function carry(error: unknown): CarriedError {
  if (error instanceof BrokerError) {
    const { cause: _cause, ...detail } = error.detail
    return { kind: 'broker', code: error.code, message: error.message, detail }
  }
  if (error instanceof StartError) {
    return { kind: 'start', code: error.code, message: error.message, hint: error.hint }
  }
  if (error instanceof LedgerError) {
    const { code, message } = error
    return { kind: 'ledger', code, message, detail: detailOf(error) }
  }
  return other(error)
}

/** Not the error itself: a copy would have neither its name nor its code, and what is not text in it may have no copy. */
function other(error: unknown): Extract<CarriedError, { kind: 'other' }> {
  const { name, message, stack } =
    error instanceof Error ? error : new TypeError(`a ${typeof error} was thrown`)
  return { kind: 'other', name, message, stack, code: textCode(error) }
}

function textCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** Its members that are set. */
function detailOf({ expected, got, hint, retryAfterMs }: LedgerError): LedgerErrorDetail {
  const members = Object.entries({ expected, got, hint, retryAfterMs })
  return Object.fromEntries(members.filter(([, value]) => value !== undefined))
}

export function restore(carried: CarriedError): Error {
  if (carried.kind === 'other') return restoreOther(carried)
  const { message } = carried
  if (carried.kind === 'broker') return new BrokerError(carried.code, message, carried.detail)
  if (carried.kind === 'ledger') return new LedgerError(carried.code, message, carried.detail)
  const { code, hint } = carried
  return new StartError(code, message, hint === undefined ? {} : { hint })
}

function restoreOther({ name, message, stack, code }: Extract<CarriedError, { kind: 'other' }>): Error {
  return Object.assign(new Error(message), { name, stack }, code === undefined ? {} : { code })
}
