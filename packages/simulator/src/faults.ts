// A test may break these on purpose, and nothing else with them: each fault leaves everything around it intact and
// properly signed. An installation’s platform has none, and a platform with faults cannot be stored.

import * as der from '@casemate/evidence/asn1'
import { type Extension, endEntity, keyUsage, type Validity } from '@casemate/evidence/asn1'

/** Faults of a certificate or a revocation list itself. */
export interface StructureFault {
  /**
   * `signature`: one bit of the signature is flipped. `encoding`: an element too many follows the signature,
   * which no reader of the format may accept.
   */
  readonly damage?: 'signature' | 'encoding'
}

export interface CertificateFault extends StructureFault, Partial<Validity> {
  /** `leaf`: an authority gets the key usage and basic constraints of an end entity. */
  readonly constraints?: 'leaf'
}

export interface CrlFault extends StructureFault {
  readonly thisUpdate?: Date
  readonly nextUpdate?: Date
}

/** Faults of a signed JSON document. */
export interface DocumentFault {
  readonly issueDate?: Date
  readonly nextUpdate?: Date
  /** Changes the document before it is signed. */
  readonly edit?: (document: Record<string, unknown>) => void
  /** `signature`: the first byte of the signature is another one. */
  readonly damage?: 'signature'
}

/** The extensions of a certificate with its fault, if it has one. */
export function constrained(
  extensions: readonly Extension[],
  fault: CertificateFault | undefined,
): readonly Extension[] {
  if (fault?.constraints === undefined) return extensions
  const constraints = [keyUsage('digitalSignature', 'nonRepudiation'), endEntity()]
  const replaced = new Set(constraints.map(({ oid }) => oid))
  return [...extensions.filter(({ oid }) => !replaced.has(oid)), ...constraints]
}

/** A signed X.509 structure with its fault, if it has one. */
export function damaged(structure: Uint8Array, fault: StructureFault | undefined): Uint8Array {
  if (fault?.damage === 'signature') return flipped(structure, structure.length - 1)
  if (fault?.damage === 'encoding') return der.sequence(contentOf(structure), der.nullValue())
  return structure
}

/** A copy with the lowest bit of one byte flipped. */
export function flipped(bytes: Uint8Array, offset: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[offset] = (copy[offset] ?? 0) ^ 1
  return copy
}

function contentOf(structure: Uint8Array): Uint8Array {
  const first = structure[1] ?? 0
  return structure.subarray(first < 0x80 ? 2 : 2 + (first & 0x7f))
}
