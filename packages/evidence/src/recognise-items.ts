// Recognises endorsements by their content: DER, AMD's certificate tables (configfs `auxblob`), text forms of both, gzip,
// signed JSON, saved HTTP answers, bundles.
// Strings inside a bundle are looked at in the same way, so that it does not matter what their members are called.

import { looksLikeCertTable, parseCertTable } from './amd/cert-table.ts'
import { MAX_CERT_TABLE_SIZE } from './amd/evidence.ts'
import { decodeUtf8, fromBase64, fromHex } from './bytes.ts'
import { looksLikeCrl, parseCrl } from './crl.ts'
import { DerReader, TAG } from './der.ts'
import { DOCUMENT_LISTS, DOCUMENTS } from './documents/documents.ts'
import {
  type JsonMember,
  jsonMembers,
  MAX_JSON_LENGTH,
  parseJson,
  signedJson,
} from './documents/signed-json.ts'
import { eachList, type Items } from './endorsements.ts'
import { GZIP } from './forms/gzip.ts'
import { type HttpAnswerText, splitHttpAnswer } from './forms/http-answer.ts'
import { bytesOfJson } from './json-bytes.ts'
import { knownCertificate } from './known-certificates.ts'
import { Refusal } from './refusal.ts'
import type { Signed } from './signature.ts'
import { looksLikePem, readPem } from './x509.ts'

/** Bundles hold strings that hold JSON; nothing real goes deeper. */
const MAX_DEPTH = 4
/** Headers hold their chain percent-encoded: `-----BEGIN%20CERTIFICATE-----%0A…`, or with each dash as %2D. */
const ENCODED_PEM = /^(?:-|%2D){5}BEGIN(?:%20|\+)/i
const HEX = /^[0-9a-fA-F:\s]+$/
const BASE64 = /^[0-9A-Za-z+/=_\s-]+$/

/**
 * @returns null where nothing is recognised
 * @throws {Refusal} when something is, and is malformed
 */
export function recogniseItems(bytes: Uint8Array): Items | null {
  const items = eachList(() => [])
  const gunzipped = GZIP.open(bytes)
  const content = gunzipped?.is === 'bytes' ? gunzipped.bytes : bytes
  if (!addBytes(items, content) && content.length <= MAX_JSON_LENGTH) {
    addText(items, decodeUtf8(content) ?? '', 0)
  }
  return Object.values(items).some(list => list.length > 0) ? items : null
}

/** The shape that certificates and lists share (RFC 5280, 4.1 and 5.1); signatures and keys, which are DER too, have others. */
function isSignedDer(bytes: Uint8Array): boolean {
  if (bytes[0] !== TAG.sequence) return false
  try {
    const outer = new DerReader(bytes, 'endorsement-malformed', 'DER')
    const inner = outer.enter(TAG.sequence)
    inner.expect(TAG.sequence)
    inner.expect(TAG.sequence)
    inner.expect(TAG.bitString)
    return outer.atEnd
  } catch (error) {
    if (error instanceof Refusal) return false
    throw error
  }
}

/** DER, or a table of certificates in DER or PEM; false for anything else. */
function addBytes(items: Items, bytes: Uint8Array): boolean {
  if (isSignedDer(bytes)) {
    addDer(items, new Uint8Array(bytes))
    return true
  }
  if (bytes.length > MAX_CERT_TABLE_SIZE || !looksLikeCertTable(bytes)) return false
  for (const { bytes: entry } of parseCertTable(bytes)) {
    if (looksLikePem(entry)) addPem(items, decodeUtf8(entry) ?? '')
    else addDer(items, entry)
  }
  return true
}

function addDer(items: Items, der: Uint8Array): void {
  if (looksLikeCrl(der)) {
    items.crls.push(parseCrl(der))
    return
  }
  const certificate = knownCertificate(der)
  // A bundle repeats its root in every chain.
  if (!items.certificates.includes(certificate)) items.certificates.push(certificate)
}

function addText(items: Items, whole: string, depth: number): void {
  const text = whole.trim()
  if (depth > MAX_DEPTH || text === '') return
  const answer = splitHttpAnswer(text)
  if (text.startsWith('{')) addObject(items, text, depth)
  else if (answer !== null) addAnswer(items, answer, depth)
  else if (text.includes('-----BEGIN ')) addPem(items, text)
  else if (ENCODED_PEM.test(text)) addText(items, decodePercent(text), depth + 1)
  else addEncoded(items, text, depth)
}

function addPem(items: Items, text: string): void {
  for (const { label, der } of readPem(text, 'endorsement-malformed')) {
    if (label === 'CERTIFICATE' || label === 'X509 CRL') addDer(items, der)
  }
}

/** PCCS answers with CRLs in hex; bundles also use base64, which can hold PEM, as Azure's requests do. */
function addEncoded(items: Items, whole: string, depth: number): void {
  const text = whole.replace(/^0x/i, '')
  const digits = HEX.test(text) || BASE64.test(text) ? text.replace(/[\s:]+/g, '') : ''
  for (const bytes of [fromHex(digits), fromBase64(digits)]) {
    if (bytes === null) continue
    if (addBytes(items, bytes)) return
    if (looksLikePem(bytes)) return addText(items, decodeUtf8(bytes) ?? '', depth + 1)
  }
}

function addAnswer(items: Items, { head, content }: HttpAnswerText, depth: number): void {
  for (const line of head.split(/\r?\n/)) {
    const [, value] = /^[\w-]+-issuer-chain:\s*(\S.*)$/i.exec(line) ?? []
    if (value !== undefined) addText(items, value, depth + 1)
  }
  if (content !== null) addText(items, content, depth + 1)
}

function decodePercent(text: string): string {
  // In the form encoding a space is a plus; a plus is then always written %2B.
  const spaced = text.includes('BEGIN+') ? text.replaceAll('+', '%20') : text
  try {
    return decodeURIComponent(spaced)
  } catch {
    return ''
  }
}

function addObject(items: Items, text: string, depth: number): void {
  const members = jsonMembers(text)
  if (!members) return
  const done = new Set<string>()
  for (const list of DOCUMENT_LISTS) {
    for (const [name, signatureName] of DOCUMENTS[list].members) {
      const [signed, signature] = [members.get(name), members.get(signatureName)]
      if (signed === undefined || signature === undefined || done.has(name)) continue
      addDocument(items, list, { name, signed: unwrap(signed, name), signature: signature.value })
      done.add(name).add(signatureName)
    }
  }
  for (const [name, member] of members) {
    if (done.has(name)) continue
    const bytes = bytesOfJson(member.value)
    if (bytes !== null) addBytes(items, bytes)
    else if (typeof member.value === 'string') addText(items, member.value, depth + 1)
    else if (member.text.startsWith('{')) addText(items, member.text, depth + 1)
  }
}

/** Some bundles hold the signed text in a string. */
function unwrap(member: JsonMember, name: string): JsonMember {
  if (typeof member.value !== 'string') return member
  return { text: member.value, value: parseJson(member.value, name) }
}

interface SignedMember {
  readonly name: string
  readonly signed: JsonMember
  readonly signature: unknown
}

function addDocument(
  items: Items,
  list: keyof typeof DOCUMENTS,
  { name, signed: { text, value }, signature }: SignedMember,
): void {
  const { parse } = DOCUMENTS[list]
  const into: Signed[] = items[list]
  into.push(parse(signedJson(text, signature, name), value))
}
