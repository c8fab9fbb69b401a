// Evidence as a certificate carries it: tagged CBOR `tag([evidence, claims-buffer])` in the TCG DICE extension (CCC
// Attestation SIG, Interoperable RA-TLS SGX / TDX Evidence Tags and Formats), or the bare quote that Gramine wrote
// before there was that, which is read and never written.
import type { Quote } from '@casemate/enclave'
import { encode, Tagged } from 'cborg'
import { ChannelError } from '../errors.ts'
import { decodeStrict } from './cbor.ts'
import { EVIDENCE_TAGS } from './tags.ts'

/** `tcg-dice-tagged-evidence`. */
export const OID_TAGGED_EVIDENCE = '2.23.133.5.4.9'
/**
 * Gramine's bytes 06 09 2A 86 48 86 F8 4D 8A 39 06 as the content of an OBJECT IDENTIFIER: tag and length of one
 * stand inside it, so that this is what it reads as.
 */
export const OID_GRAMINE_QUOTE = '0.6.9.42.840.113741.1337.6'

/** A quote has 5 KiB with its certificates, a report with its table may have more; TLS takes 100 KiB. */
const MAX_EVIDENCE = 64 * 1024

const TAGS = [...new Set(Object.values(EVIDENCE_TAGS))]

/** Evidence from a certificate, UNVERIFIED. */
export interface CarriedEvidence {
  /** A quote, or a report with the certificate table that came with it. */
  readonly evidence: Uint8Array
  /** Null in Gramine's form, which binds the hash of the key directly. */
  readonly claimsBuffer: Uint8Array | null
}

/** The value of the DICE extension. */
export function encodeCarried(quote: Quote, claimsBuffer: Uint8Array): Uint8Array {
  return encode(new Tagged(EVIDENCE_TAGS[quote.kind], [evidenceOf(quote), claimsBuffer]))
}

/** All that `parse` of the evidence room takes. */
export function evidenceOf({ evidence, certificateTable }: Quote): Uint8Array {
  return certificateTable === null ? evidence : Buffer.concat([evidence, certificateTable])
}

/** From the extensions of a certificate. @throws {ChannelError} evidence-missing, evidence-malformed */
export function readCarried(extensions: ReadonlyMap<string, Uint8Array>): CarriedEvidence {
  const tagged = extensions.get(OID_TAGGED_EVIDENCE)
  if (tagged !== undefined) return decodeCarried(tagged)
  const quote = extensions.get(OID_GRAMINE_QUOTE)
  if (quote !== undefined) return { evidence: checkSize(quote), claimsBuffer: null }
  throw new ChannelError('evidence-missing', 'the certificate carries no evidence', {
    expected: `the extension ${OID_TAGGED_EVIDENCE}`,
    got: [...extensions.keys()].join(', ') || 'none',
    hint: 'the peer has to be started with an identity from an attestation driver',
  })
}

/** @throws {ChannelError} evidence-malformed */
function decodeCarried(bytes: Uint8Array): CarriedEvidence {
  const expected = `tag ${TAGS.join(' or ')} over [evidence, claims-buffer]`
  const value = decodeStrict(checkSize(bytes), 'the evidence extension', TAGS)
  const parts: unknown = value instanceof Tagged ? value.value : null
  const [evidence, claimsBuffer, ...rest] = Array.isArray(parts) ? (parts as unknown[]) : []
  if (evidence instanceof Uint8Array && claimsBuffer instanceof Uint8Array && rest.length === 0) {
    return { evidence, claimsBuffer }
  }
  throw new ChannelError('evidence-malformed', `the evidence extension is not ${expected}`, { expected })
}

function checkSize(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= MAX_EVIDENCE) return bytes
  const expected = `at most ${MAX_EVIDENCE} bytes`
  const got = `${bytes.length} bytes`
  throw new ChannelError('evidence-malformed', `the evidence extension has ${got}, want ${expected}`, {
    expected,
    got,
  })
}
