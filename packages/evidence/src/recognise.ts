// Evidence as people have it in files: binary, hex, base64, or the JSON that a guest sends to a key broker.

import { decodeUtf8, fromBase64, fromHex } from './bytes.ts'
import type { Kind } from './claims.ts'
import { parseKbsEvidence } from './kbs-evidence.ts'
import { type ParsedEvidence, parse } from './parse.ts'
import { Refusal } from './refusal.ts'

/** Longest text taken, in bytes: the JSON of a TDX guest with its event log. */
const MAX_TEXT_BYTES = 8 * 1024 * 1024
/** A request holds the evidence of a guest two levels down. */
const MAX_DEPTH = 3

/**
 * Finds out how the evidence is written, and parses it.
 * @throws {Refusal} `evidence-malformed`, `evidence-unsupported`
 */
export function recognise(bytes: Uint8Array): ParsedEvidence {
  const text = bytes.length <= MAX_TEXT_BYTES ? decodeUtf8(bytes)?.trim() : undefined
  // Binary evidence begins with a version and zeros, which no text does.
  if (text === undefined || text === '' || text.charCodeAt(0) < 0x20) return parse(bytes)
  if (text.startsWith('{')) return recogniseJson(parseJson(text), 0)
  const digits = text.replace(/\s+/g, '').replace(/^0x/, '')
  const decoded = fromHex(digits) ?? fromBase64(digits)
  if (decoded) return parse(decoded)
  throw new Refusal('evidence-malformed', 'the evidence is text, and neither hex, base64 nor JSON', {
    expected: 'a quote or report: binary, hex, base64, or the JSON of a key broker’s guest',
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Refusal('evidence-malformed', 'the evidence begins like JSON and is none', { cause })
  }
}

function recogniseJson(value: unknown, depth: number): ParsedEvidence {
  const members = new Map(Object.entries(typeof value === 'object' && value !== null ? value : {}))
  for (const wrapper of ['tee-evidence', 'primary_evidence', 'evidence']) {
    const inner = members.get(wrapper)
    if (inner === undefined || depth === MAX_DEPTH) continue
    // `evidence` may also be the base64 of binary evidence, as this project's own API writes it.
    if (typeof inner === 'string') return recognise(new TextEncoder().encode(inner))
    return recogniseJson(inner, depth + 1)
  }
  if (members.has('attestation_report')) return parseKbsEvidence('snp', value)
  if (members.has('svn')) return parseKbsEvidence('sample', value)
  if (members.has('quote')) return parseKbsEvidence(kindOfQuote(members.get('quote')), value)
  throw new Refusal('evidence-malformed', 'the evidence is JSON of an unknown kind', {
    expected: 'quote, attestation_report, or svn and report_data',
    got: [...members.keys()].join(', ').slice(0, 200),
  })
}

/** SGX and TDX guests send the same member; the quote's version tells. */
function kindOfQuote(quote: unknown): Kind {
  const bytes = typeof quote === 'string' ? fromBase64(quote) : null
  return bytes?.[0] === 3 ? 'sgx' : 'tdx'
}
