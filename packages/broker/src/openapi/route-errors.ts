// The errors that an operation can answer with, by status: those of its own, and those that follow from who may call it
// and from what is sent. A test sends whatever it can think of and finds no other.

import { BROKER_ERRORS, type BrokerErrorCode } from '../errors.ts'
import { type Access, neededRole } from '../roles.ts'

/** The facts about a route from which its errors follow. */
export interface ErrorSources {
  readonly method: string
  readonly access: Access | undefined
  /** Anything of it is checked against a schema. */
  readonly isChecked: boolean
  /** JSON bodies can be too complex, or no JSON. */
  readonly takesJson: boolean
  readonly own: readonly BrokerErrorCode[]
}

/** Node answers these before there is a route; the last is a fault of ours. */
const ALWAYS: readonly BrokerErrorCode[] = ['headers-too-large', 'internal']

const OF_ADMINISTRATORS: readonly BrokerErrorCode[] = [
  'token-missing',
  'token-invalid',
  'token-expired',
  'unavailable',
]

const OF_BODIES: readonly BrokerErrorCode[] = [
  'request-malformed',
  'request-too-large',
  'request-timeout',
  'overloaded',
]

const OF_JSON: readonly BrokerErrorCode[] = ['request-too-complex', 'media-type-unsupported']

/** In the order of the table, each once. */
export function errorsOf(sources: ErrorSources): ReadonlyMap<number, readonly BrokerErrorCode[]> {
  const { method, access, isChecked, takesJson, own } = sources
  const role = neededRole(access)
  const takesBody = method !== 'GET'
  const codes = new Set<BrokerErrorCode>([
    ...ALWAYS,
    ...own,
    ...(role === null ? [] : OF_ADMINISTRATORS),
    ...(role === null || role === 'auditor' ? [] : (['role-insufficient'] as const)),
    ...(isChecked ? (['request-malformed'] as const) : []),
    ...(takesBody ? OF_BODIES : []),
    ...(takesBody && takesJson ? OF_JSON : []),
  ])
  const all = Object.keys(BROKER_ERRORS) as BrokerErrorCode[]
  return Map.groupBy(
    all.filter(code => codes.has(code)),
    code => BROKER_ERRORS[code],
  )
}
