// What dstack's `Attest` answers: a SCALE encoding of version 0, of which the beginning is read: which quote, the quote
// itself, and AMD's certificates. The event log behind them is no evidence, and not looked at.

import { MAX_SNP_CERTIFICATES } from '../amd/cert-table.ts'
import type { Beside } from '../members.ts'
import { Refusal } from '../refusal.ts'
import { damaged, type Form, type Layer, unsupported } from './layer.ts'

const VERSION = 0
/** Variants of its `AttestationQuote`. */
const TDX = [0, 1] as const
const NITRO = 2
const SNP = 3
const NITRO_TPM = 4

export const DSTACK: Form<Uint8Array> = {
  name: 'an attestation of dstack',
  open: bytes => {
    const [version, variant] = bytes
    if (version !== VERSION || variant === undefined || variant > NITRO_TPM) return null
    const quote = vector(bytes, 2)
    // Every quote and every report is longer than that; what is shorter is something else.
    if (quote === null || quote.bytes.length < 1000) return null
    if (variant === NITRO || variant === NITRO_TPM) {
      throw unsupported('an AWS Nitro attestation in one of dstack', 'there is no verifier for Nitro here')
    }
    if (!TDX.some(it => it === variant) && variant !== SNP) return null
    const layer: Layer = { is: 'bytes', bytes: quote.bytes }
    return variant === SNP ? { ...layer, beside: certificates(bytes, quote.end) } : layer
  },
}

/** All of them or none: a chain of which a part is left out would be refused for what it never lacked. @throws {Refusal} */
function certificates(bytes: Uint8Array, at: number): readonly Beside[] {
  const count = compact(bytes, at)
  if (count === null) throw cut()
  if (count.value > MAX_SNP_CERTIFICATES) {
    throw new Refusal('evidence-malformed', 'the attestation of dstack holds too many certificates', {
      expected: `at most ${MAX_SNP_CERTIFICATES}`,
      got: `${count.value}`,
    })
  }
  const found: Beside[] = []
  let next = count.end
  for (let index = 0; index < count.value; index++) {
    const certificate = vector(bytes, next)
    if (certificate === null) throw cut()
    found.push({ name: 'cert_chain', value: certificate.bytes })
    next = certificate.end
  }
  return found
}

function cut(): Refusal {
  return damaged('the attestation of dstack', 'a list of certificates behind the report', 'one that is cut')
}

/** A compact length, and as many bytes. */
function vector(bytes: Uint8Array, at: number): { readonly bytes: Uint8Array; readonly end: number } | null {
  const size = compact(bytes, at)
  if (size === null || size.value > bytes.length - size.end) return null
  const end = size.end + size.value
  return { bytes: bytes.subarray(size.end, end), end }
}

/** SCALE's compact integer: the two lowest bits say whether it has 1, 2 or 4 bytes; larger ones occur nowhere here. */
function compact(bytes: Uint8Array, at: number): { readonly value: number; readonly end: number } | null {
  const width = [1, 2, 4, 0][(bytes[at] ?? 3) & 3] ?? 0
  if (width === 0 || at + width > bytes.length) return null
  let value = 0
  for (let index = width - 1; index >= 0; index--) value = value * 256 + (bytes[at + index] ?? 0)
  return { value: Math.floor(value / 4), end: at + width }
}
