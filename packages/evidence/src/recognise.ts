// Evidence as people have it in files: binary, hex, base64, or JSON of the key broker protocol, alone or inside of a
// whole request. For people only: a server knows what it was sent, and uses parse or parseKbsEvidence.

import { decodeUtf8, fromBase64, fromHex } from './bytes.ts'
import { parseKbsEvidence } from './kbs-evidence.ts'
import { type ParsedEvidence, parse } from './parse.ts'
import { Refusal } from './refusal.ts'

/** Largest input; JSON with an event log is some 2 MiB. */
export const MAX_RECOGNISED_BYTES = 16 * 1024 * 1024
/** A request holds evidence that holds base64 of JSON that holds a quote. */
const MAX_DEPTH = 10

/** OE_REPORT_HEADER: version 1, type 2 (remote), the size of what follows. */
const OE_HEADER_SIZE = 16
const OE_VERSION = 1
const OE_REMOTE = 2

const HEX = /^(?:0x)?[0-9a-fA-F\s]+$/
const BASE64 = /^[0-9A-Za-z+/_=\s-]+$/
/** Members that hold evidence, outermost first: requests to a KBS and to its attestation service, then evidence. */
const WRAPPERS = ['tee-evidence', 'verification_requests', 'primary_evidence', 'evidence', 'quote'] as const

/**
 * Recognises and parses evidence in any of its written forms.
 * @throws {Refusal} `evidence-malformed`, `evidence-unsupported`
 */
export function recognise(bytes: Uint8Array): ParsedEvidence {
  if (bytes.length > MAX_RECOGNISED_BYTES) {
    throw new Refusal('evidence-malformed', `the input is ${bytes.length} bytes`, {
      expected: `at most ${MAX_RECOGNISED_BYTES}`,
      got: `${bytes.length}`,
    })
  }
  return recogniseBytes(bytes, 0)
}

function recogniseBytes(bytes: Uint8Array, depth: number): ParsedEvidence {
  const binary = withoutOpenEnclaveHeader(bytes)
  if (looksBinary(binary)) return parse(binary)
  const text = decodeUtf8(bytes)
    ?.replace(/^\uFEFF/, '')
    .trim()
  if (text === undefined || text === '') throw unknownEvidence('neither binary evidence nor text')
  return recogniseText(text, depth)
}

// Evidence begins with a version below 16 in two or four bytes; text has no zero byte there.
function looksBinary(bytes: Uint8Array): boolean {
  const [low = 0, high] = bytes
  return low < 16 && high === 0
}

function withoutOpenEnclaveHeader(bytes: Uint8Array): Uint8Array {
  if (bytes.length < OE_HEADER_SIZE) return bytes
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const isHeader = view.getUint32(0, true) === OE_VERSION && view.getUint32(4, true) === OE_REMOTE
  if (!isHeader) return bytes
  const size = view.getBigUint64(8, true)
  if (size > BigInt(bytes.length - OE_HEADER_SIZE)) {
    throw new Refusal('evidence-malformed', 'the Open Enclave header announces more than there is', {
      expected: `${size} bytes`,
      got: `${bytes.length - OE_HEADER_SIZE}`,
    })
  }
  return bytes.subarray(OE_HEADER_SIZE, OE_HEADER_SIZE + Number(size))
}

function recogniseText(text: string, depth: number): ParsedEvidence {
  if (depth > MAX_DEPTH) throw unknownEvidence('evidence inside of too many wrappers')
  if (text.startsWith('{') || text.startsWith('"')) return recogniseJson(parseJson(text), depth)
  const bytes = decodeDigits(text)
  if (bytes === null || bytes.length === 0) throw unknownEvidence('neither hex, base64 nor JSON')
  return recogniseBytes(bytes, depth + 1)
}

// Text of hex digits alone is also base64: hex it is where that gives evidence.
function decodeDigits(text: string): Uint8Array | null {
  const hex = HEX.test(text) ? fromHex(text.replace(/^0x/, '').replaceAll(/\s+/g, '')) : null
  if (hex !== null && (looksBinary(withoutOpenEnclaveHeader(hex)) || hex[0] === 0x7b)) return hex
  return (BASE64.test(text) ? fromBase64(text.replaceAll(/\s+/g, '')) : null) ?? hex
}

function recogniseJson(value: unknown, depth: number): ParsedEvidence {
  if (depth > MAX_DEPTH) throw unknownEvidence('evidence inside of too many wrappers')
  if (typeof value === 'string') return recogniseText(value.trim(), depth + 1)
  if (Array.isArray(value) && value.length === 1) return recogniseJson(value[0], depth + 1)
  if (typeof value !== 'object' || value === null) throw unknownEvidence('JSON that holds no evidence')
  const members = value as Readonly<Record<string, unknown>>
  if ('attestation_report' in members) return parseKbsEvidence('snp', pick(members, SNP_MEMBERS))
  if ('svn' in members && 'report_data' in members) return parseKbsEvidence('sample', members)
  for (const name of WRAPPERS) {
    const inner = members[name]
    if (inner !== undefined && inner !== null) return recogniseJson(inner, depth + 1)
  }
  throw unknownEvidence('JSON that holds no evidence')
}

const SNP_MEMBERS = ['attestation_report', 'cert_chain'] as const

// Tools add members of their own; a file of evidence is not refused for them.
function pick(members: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter(name => name in members).map(name => [name, members[name]]))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Refusal('evidence-malformed', 'the text begins like JSON and is not', { cause: error })
  }
}

function unknownEvidence(got: string): Refusal {
  return new Refusal('evidence-malformed', 'the input is no evidence that is known here', {
    expected:
      'a quote or report in binary, hex or base64, or evidence JSON of a Confidential Containers guest',
    got,
    hint: 'Azure’s vTPM evidence, Nitro documents and CCA tokens are not supported',
  })
}
