// The answers of the guest API: a status, a type and octets, with the texts of that of Confidential Containers.

import { BrokerRefusal, Unavailable } from '@casemate/client'

export interface GuestAnswer {
  readonly status: number
  readonly type: 'text/plain' | 'application/octet-stream' | 'application/json'
  readonly body: string | Uint8Array
}

function plain(status: number, body: string): GuestAnswer {
  return { status, type: 'text/plain', body }
}

export const BAD_REQUEST = plain(400, 'BAD REQUEST')
export const FORBIDDEN = plain(403, 'Forbidden')
export const NOT_FOUND = plain(404, 'URL NOT FOUND')
export const NO_ATTESTATION = plain(404, 'Attestation Feature Not Enabled')
export const NO_RESOURCE = plain(404, 'Resource Feature Not Enabled')
export const NOT_ALLOWED = plain(405, 'Method Not Allowed')
export const TOO_LARGE = plain(413, 'Payload Too Large')
export const BUSY = plain(503, 'busy: too many requests at once; try again')

/** 200 with octets as they are: a secret, a token, evidence. */
export function octets(body: string | Uint8Array): GuestAnswer {
  return { status: 200, type: 'application/octet-stream', body }
}

/** 200 with a value as JSON. */
export function json(value: unknown): GuestAnswer {
  return { status: 200, type: 'application/json', body: JSON.stringify(value) }
}

/** 500 with the reason for what was refused, as its callers know it; 503 if it is worth to ask again. */
export function failed(error: unknown): GuestAnswer {
  if (error instanceof Unavailable) return plain(503, `${error.code}: ${error.message}`)
  if (error instanceof BrokerRefusal) return plain(500, `${error.code}: ${error.message}`)
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'internal-error'
  return plain(500, `${code}: ${error instanceof Error ? error.message : String(error)}`)
}
